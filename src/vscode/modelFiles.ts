/**
 * Which files are models, by their names alone. The formats themselves (`src/models/formats.ts`) are the engine's:
 * the extension host must not load them to show a menu. A test holds both lists, and package.json, together.
 */
export const MODEL_ENDINGS = [
  ".onnx", ".safetensors", ".safetensors.index.json",
  ".pt", ".pth", ".bin", ".ckpt", ".bin.index.json",
  ".npy", ".npz",
] as const;

/** Names of formats for people, by the identifier that a summary carries. */
const FORMAT_LABELS: Readonly<Record<string, string>> = { onnx: "ONNX", safetensors: "safetensors", pytorch: "PyTorch", numpy: "NumPy" };

/** Folders that hold other people's models (packages' test files, download caches), not the workspace's. */
const UNSEARCHED = ["node_modules", "site-packages", "__pycache__", ".*"];

/** More files than this are not listed: a list of that length is not read, it is searched by Quick Open. */
export const MOST_MODELS = 2000;

/** Globs for `workspace.findFiles` and file watchers. */
export const MODEL_GLOB = `**/*{${MODEL_ENDINGS.join(",")}}`;
export const UNSEARCHED_GLOB = `**/{${UNSEARCHED.join(",")}}/**`;

/** For a dialog that opens files: the last ending of each name, without the dot. */
export const DIALOG_EXTENSIONS = [...new Set(MODEL_ENDINGS.map((ending) => ending.slice(ending.lastIndexOf(".") + 1)))];

export function isModelFile(path: string): boolean {
  const name = path.toLowerCase();
  return MODEL_ENDINGS.some((ending) => name.endsWith(ending));
}

/** Whether a path is in a folder that is not searched: for files that a watcher tells of. */
export function isUnsearched(relativePath: string): boolean {
  const folders = relativePath.split(/[\\/]/).slice(0, -1);
  return folders.some((folder) => folder.startsWith(".") || UNSEARCHED.includes(folder));
}

export function formatLabel(id: string): string {
  return FORMAT_LABELS[id] ?? id;
}

/** Ends the name of the file that lists the shards of a checkpoint, and theirs. */
const INDEX_ENDING = /(\.safetensors|\.bin)\.index\.json$/i;
const SHARD = /^(.*)-\d{5}-of-\d{5}(\.safetensors|\.bin)$/i;

/** Leaves out the shards of checkpoints whose index file is in the list too: they are one model. */
export function withoutShards(paths: readonly string[]): string[] {
  const indices = new Set(paths.map((path) => path.toLowerCase()).filter((path) => INDEX_ENDING.test(path)));
  return paths.filter((path) => {
    const [, stem, ending] = SHARD.exec(path.toLowerCase()) ?? [];
    return stem === undefined || !indices.has(`${stem}${ending}.index.json`);
  });
}

/**
 * Whether a change of a file beside the model can be a change of the model: its own file, shards beside an index,
 * external data beside an ONNX file that is named after it. Other external data is seen when the report is opened.
 * @param name name of the file that changed
 * @param model name of the model's file
 */
export function isPartOf(name: string, model: string): boolean {
  const [changed, own] = [name.toLowerCase(), model.toLowerCase()];
  if (changed === own) return true;
  const shards = INDEX_ENDING.exec(own)?.[1];
  if (shards !== undefined) return changed.endsWith(shards);
  // External data may end in .bin too.
  return own.endsWith(".onnx") && changed.startsWith(own.slice(0, -".onnx".length)) && (changed.endsWith(".bin") || !isModelFile(changed));
}
