import { STANDING_FILES } from "../shared/modelFolder";

/**
 * Which files are models, by their names alone. The formats themselves (`src/models/formats.ts`) are the engine's:
 * the extension host must not load them to show a menu. A test holds both lists, and package.json, together.
 */
export const MODEL_ENDINGS = [
  ".onnx", ".safetensors", ".safetensors.index.json", ".pt", ".pth", ".ckpt", ".bin", ".bin.index.json", ".gguf", ".keras", ".h5", ".hdf5", ".tflite",
  "saved_model.pb", "variables.index", ".npy", ".npz",
] as const;

/** Endings that most files of a workspace have for other reasons: such a file is a model only when it is named one. */
const SHARED_ENDINGS: readonly string[] = [".bin", ".npy", ".npz"];
const NAMED_MODEL = "*model*.bin";

/** Folders that hold other people's models (packages' test files, download caches), not the workspace's. */
const UNSEARCHED = ["node_modules", "site-packages", "__pycache__", ".*"];

/** More files than this are not listed: a list of that length is not read, it is searched by Quick Open. */
export const MOST_MODELS = 2000;

/** Globs for `workspace.findFiles` and file watchers: what is listed without being asked for. */
export const MODEL_GLOB = `**/{${[...MODEL_ENDINGS.filter((ending) => !SHARED_ENDINGS.includes(ending)).map((ending) => `*${ending}`), NAMED_MODEL].join(",")}}`;
/** The files that stand for a folder; package.json's activation event has the same. */
export const STANDING_GLOB = `**/{${STANDING_FILES.filter(isModelFile).join(",")}}`;
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

const ADAPTER_CONFIG = "adapter_config.json";
const INDEX = /(\.safetensors|\.bin)\.index\.json$/i;
/** One of several files of a GGUF: the name that they share. */
const GGUF_PART = /^(.*)-\d{5}(-of-\d{5}\.gguf)$/i;
/**
 * Whether a change of a file beside the model can be a change of the model: its own file, the scale of an adapter, shards
 * beside an index, parts of one GGUF, external data beside an ONNX file that is named after it. Other external data is seen when the report is opened.
 * @param name name of the file that changed
 * @param model name of the model's file
 */
export function isPartOf(name: string, model: string): boolean {
  const [changed, own] = [name.toLowerCase(), model.toLowerCase()];
  if (changed === own || changed === ADAPTER_CONFIG) return true;
  const sharded = INDEX.exec(own)?.[1];
  if (sharded !== undefined) return changed.endsWith(sharded);
  const part = GGUF_PART.exec(own)?.[1];
  if (part !== undefined) return GGUF_PART.exec(changed)?.[1] === part;
  return own.endsWith(".onnx") && changed.startsWith(own.slice(0, -".onnx".length)) && (changed.endsWith(".bin") || !isModelFile(changed));
}
