/** Which file of a folder is its model, by names alone: rules that the engine and the editor share. */

/**
 * Names by which tools save a model as a folder: the file stands for all of it. Earlier ones come first where a folder has
 * several, as safetensors beside the same weights in PyTorch's format.
 */
export const STANDING_FILES = [
  // transformers, PEFT, MLX, diffusers.
  "model.safetensors.index.json", "model.safetensors", "adapter_model.safetensors", "adapters.safetensors", "pytorch_lora_weights.safetensors",
  "diffusion_pytorch_model.safetensors.index.json", "diffusion_pytorch_model.safetensors",
  "pytorch_model.bin.index.json", "pytorch_model.bin", "adapter_model.bin", "diffusion_pytorch_model.bin",
  "saved_model.pb",
] as const;

/** What training leaves beside the weights under a model's ending. */
const BESIDE = /^(?:training_args|optimizer|scheduler|scaler|rng_state|random_states)(?:[_\-.].*)?\.(?:bin|pt|pth)$/i;

export type FolderModel =
  | { readonly found: "one"; readonly name: string }
  | { readonly found: "none" }
  | { readonly found: "several"; readonly names: readonly string[] };

/**
 * The file that stands for a folder: one of a standing name, or else the only model in it.
 * @param names of the files in the folder
 * @param isModel whether a name is that of a model file
 */
export function modelOfFolder(names: readonly string[], isModel: (name: string) => boolean): FolderModel {
  const models = withoutShards(names.filter((name) => isModel(name) && !BESIDE.test(name)));
  const standing = STANDING_FILES.flatMap((known) => models.find((name) => name.toLowerCase() === known) ?? [])[0];
  if (standing !== undefined) return { found: "one", name: standing };
  const [only, ...others] = models;
  if (only === undefined) return { found: "none" };
  return others.length === 0 ? { found: "one", name: only } : { found: "several", names: models };
}

const SHARD = /^(.*)-(\d{5})-of-\d{5}(\.safetensors|\.bin|\.gguf)$/i;

const VARIABLES = /variables[\\/]variables\.index$/i;

/**
 * Leaves out the shards of checkpoints whose index file, or first file where there is no index, is in the list too, and the
 * variables of a SavedModel beside its program: they are one model.
 */
export function withoutShards(paths: readonly string[]): string[] {
  const known = new Set(paths.map((path) => path.toLowerCase()));
  return paths.filter((path) => {
    const [, stem = "", number = "", ending = ""] = SHARD.exec(path.toLowerCase()) ?? [];
    if (number === "") return !VARIABLES.test(path) || !known.has(path.toLowerCase().replace(VARIABLES, "saved_model.pb"));
    if (ending !== ".gguf") return !known.has(`${stem}${ending}.index.json`);
    return number === "00001" || !known.has(path.toLowerCase().replace(`-${number}-of-`, "-00001-of-"));
  });
}
