/**
 * Which files are models, by their names alone. The formats themselves (`src/models/formats.ts`) are the engine's:
 * the extension host must not load them to show a menu. A test holds both lists, and package.json, together.
 */
export const MODEL_ENDINGS = [
  ".onnx", ".safetensors", ".safetensors.index.json", ".gguf", ".keras", ".h5", ".hdf5", ".tflite", "saved_model.pb", "variables.index",
] as const;

/** Names of formats for people, by the identifier that a summary carries. */
const FORMAT_LABELS: Readonly<Record<string, string>> = {
  onnx: "ONNX", safetensors: "safetensors", gguf: "GGUF", keras: "Keras", tflite: "TensorFlow Lite", savedmodel: "TensorFlow SavedModel",
};

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

const INDEX_ENDING = ".safetensors.index.json";
const SHARD = /^(.*)-\d{5}-of-\d{5}\.safetensors$/i;
const GGUF_PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;
const VARIABLES = /variables[\\/]variables\.index$/i;

/**
 * Leaves out files that are part of another model in the list: shards beside their index file, parts of a GGUF beside the first,
 * the variables of a SavedModel.
 */
export function withoutShards(paths: readonly string[]): string[] {
  const listed = new Set(paths.map((path) => path.toLowerCase()));
  return paths.filter((path) => {
    const whole = wholeOf(path.toLowerCase());
    return whole === null || whole === path.toLowerCase() || !listed.has(whole);
  });
}

/** The file that a part's model is opened by; null for a file that is no part by its name. */
function wholeOf(path: string): string | null {
  const shard = SHARD.exec(path)?.[1];
  if (shard !== undefined) return shard + INDEX_ENDING;
  const [, stem, , count] = GGUF_PART.exec(path) ?? [];
  if (stem !== undefined) return `${stem}-00001-of-${count}.gguf`;
  return VARIABLES.test(path) ? path.replace(VARIABLES, "saved_model.pb") : null;
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
  if (own.endsWith(INDEX_ENDING)) return changed.endsWith(".safetensors");
  return own.endsWith(".onnx") && changed.startsWith(own.slice(0, -".onnx".length)) && !isModelFile(changed);
}
