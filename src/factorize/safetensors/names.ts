import { basename, dirname, join } from "node:path";

/** A module's weight, by its name in a state dict. */
export const WEIGHT = /^(.+)\.weight$/;

/** The weights of an LSTM, GRU or RNN of torch.nn, or of a cell of one: of its input (ih), or of its state (hh). */
const RECURRENT = /^.+\.weight_(ih|hh)(?:_l\d+)?(?:_reverse)?$/;

/** What a recurrent layer's weight multiplies; null where it is another parameter. */
export function recurrentWeight(name: string): "input" | "state" | null {
  const [, side] = RECURRENT.exec(name) ?? [];
  return side === undefined ? null : side === "ih" ? "input" : "state";
}

/** The module that takes a factorized weight's place; a recurrent layer has several weights, and keeps their names. */
export function moduleOf(name: string): string {
  return WEIGHT.exec(name)?.[1] ?? name;
}

/** The name of one factor of a weight: the last of a recurrent layer's has the parameter's own. */
export function factorName(weight: string, index: number): string {
  if (recurrentWeight(weight) !== null) return index === 0 ? `${weight}_first.weight` : weight;
  return `${moduleOf(weight)}.${index}.weight`;
}

export const FILE_ENDING = ".safetensors";
export const INDEX_ENDING = ".safetensors.index.json";

/** "small" of "small.safetensors" and of "small.safetensors.index.json". */
export function stemOf(output: string): string {
  const name = basename(output);
  const ending = [INDEX_ENDING, FILE_ENDING].find((known) => name.toLowerCase().endsWith(known)) ?? "";
  return name.slice(0, name.length - ending.length);
}

/** Digits of a shard's number, as transformers writes them. */
const DIGITS = 5;

/** Path of one shard of an output: "small-00001-of-00003.safetensors". */
export function shardPath(output: string, index: number, count: number): string {
  const number = (value: number): string => String(value).padStart(DIGITS, "0");
  return join(dirname(output), `${stemOf(output)}-${number(index + 1)}-of-${number(count)}${FILE_ENDING}`);
}

/**
 * The index of a sharded checkpoint as transformers writes it (modeling_utils.py, save_pretrained): keys sorted, the total size in
 * bytes of all tensors.
 */
export function indexText(files: readonly { readonly path: string; readonly names: readonly string[] }[], totalSize: number): string {
  const names = files.flatMap(({ path, names: own }) => own.map((name): [string, string] => [name, basename(path)])).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const entries = names.map(([name, file]) => `    ${JSON.stringify(name)}: ${JSON.stringify(file)}`);
  // Written entry by entry: an object would sort names that are numbers.
  return `{\n  "metadata": {\n    "total_size": ${totalSize}\n  },\n  "weight_map": {\n${entries.join(",\n")}\n  }\n}\n`;
}
