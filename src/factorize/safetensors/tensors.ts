import type { Header, StoredTensor } from "../../models/safetensors/header";
import { DATA_TYPES } from "../../models/safetensors/schema";
import type { Factor } from "../scheme";
import type { Output } from "../source";
import { encodeValues } from "../store";

/** A tensor of the new file: its bytes, or where the old file has them. */
export interface Written {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array | { readonly begin: number; readonly end: number };
}

/** All tensors of the new file: in the old order, factors in the place of their weight, a bias with the last factor. */
export function writtenTensors(header: Header, factors: ReadonlyMap<string, readonly Factor[]>, output: Output): Written[] {
  const codes = new Map([...DATA_TYPES].map(([code, type]) => [type, code]));
  const biases = new Map([...factors].map(([name, parts]) => [name.replace(/weight$/, "bias"), name.replace(/weight$/, `${parts.length - 1}.bias`)]));
  return [...header.tensors].sort((a, b) => a.begin - b.begin).flatMap((tensor): Written[] => {
    const dtype = codes.get(tensor.type) ?? tensor.type.name.toUpperCase();
    const parts = factors.get(tensor.name);
    if (parts === undefined) return [{ name: (output === "factored" ? biases.get(tensor.name) : undefined) ?? tensor.name, dtype, shape: tensor.shape, data: tensor }];
    return parts.map((part, index) => factorTensor(tensor, dtype, isTurned(parts, index) ? turned(part) : part, output === "factored" ? index : null));
  });
}

function factorTensor(tensor: StoredTensor, dtype: string, { shape, values }: Factor, index: number | null): Written {
  const name = index === null ? tensor.name : tensor.name.replace(/weight$/, `${index}.weight`);
  return { name, dtype, shape, data: encodeValues(tensor.type.name, values) };
}

function turned(factor: Factor): Factor {
  const [rows = 1, columns = 1] = factor.shape;
  const values = new Float64Array(factor.values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) values[j * rows + i] = factor.values[i * columns + j]!;
  return { ...factor, shape: [columns, rows], values };
}

/** After an embedding the values are rows: PyTorch's Linear stores them the other way round. */
export function isTurned(parts: readonly Pick<Factor, "op">[], index: number): boolean {
  return parts[0]?.op === "embedding" && index === 1;
}

/** Whether a tensor is another name for the data of the one before it. */
export function isAlias(tensors: readonly Written[], index: number): boolean {
  const [own, before] = [tensors[index]?.data, tensors[index - 1]?.data];
  if (own === undefined || before === undefined || own instanceof Uint8Array || before instanceof Uint8Array) return false;
  return own.begin === before.begin && own.end === before.end && own.end > own.begin;
}
