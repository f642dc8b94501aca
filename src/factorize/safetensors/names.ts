import { basename, dirname, join } from "node:path";
import type { Step } from "../scheme";

/** A module's weight, by its name in a state dict. */
export const WEIGHT = /^(.+)\.weight$/;

/** The parameters of an LSTM, GRU or RNN of torch.nn, or of a cell of one. */
export const RECURRENT = /^(.+)\.((?:weight|bias)_(?:ih|hh|hr)(?:_l\d+)?(?:_reverse)?)$/;
/** Those that take the layer's own input. */
const INPUT_WEIGHT = /^weight_ih(?:_l0)?$/;

/** A module's name and its weight's, "lstm" and "weight_ih_l0"; null where it is another parameter. */
export function inputWeight(name: string): { readonly module: string; readonly parameter: string } | null {
  const [, module, parameter] = RECURRENT.exec(name) ?? [];
  return module === undefined || parameter === undefined || !INPUT_WEIGHT.test(parameter) ? null : { module, parameter };
}

/** The module that a factorized weight belongs to. */
export function moduleOf(name: string): string {
  return inputWeight(name)?.module ?? WEIGHT.exec(name)?.[1] ?? name;
}

/** The name of one factor of a weight: of the last of a recurrent layer, the parameter's own. */
export function factorName(weight: string, { op }: Pick<Step, "op">, index: number): string {
  const parameter = op === "recurrent" ? inputWeight(weight)?.parameter : undefined;
  return `${moduleOf(weight)}.${index}.${parameter ?? "weight"}`;
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
