import type * as Ort from "onnxruntime-node";
import { Fault } from "../shared/fault";
import { encodeValues } from "../factorize/store";
import { decode } from "../models/dtypes";

export type Feeds = Record<string, Ort.Tensor>;

/** Inputs of one model: what the graph says of each. */
export interface InputMeta {
  readonly name: string;
  readonly type: Ort.Tensor.Type;
  /** Sizes; a name, or an empty one, for an axis that is open. */
  readonly shape: readonly (number | string)[];
}

const INTEGERS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array } as const;

export function isFloat(type: Ort.Tensor.Type): boolean {
  return type.startsWith("float");
}

/** Samples in a batch: of the first input that has an axis for them. */
export function samplesOf(feeds: Feeds): number {
  return Object.values(feeds).find(({ dims }) => dims.length > 0)?.dims[0] ?? 1;
}

/** @throws Fault unsupported for a type that inputs are not made of, malformed for a number that the type has not */
export function tensorOf(ort: typeof Ort, { name, type }: InputMeta, shape: readonly number[], values: readonly (number | string)[]): Ort.Tensor {
  const dims = [...shape];
  if (type === "string") return new ort.Tensor("string", values.map(String), dims);
  if (values.some((value) => typeof value === "string")) throw new Fault("malformed", `The data of input ${name} is text, where the model takes ${type}.`, "Give numbers.");
  const numbers = values as readonly number[];
  switch (type) {
    case "float32": return new ort.Tensor("float32", Float32Array.from(numbers), dims);
    case "float64": return new ort.Tensor("float64", Float64Array.from(numbers), dims);
    case "float16": return new ort.Tensor("float16", new Uint16Array(encodeValues("float16", Float64Array.from(numbers)).buffer), dims);
    case "bool": return new ort.Tensor("bool", numbers.map((value) => value !== 0), dims);
    default:
  }
  if (!numbers.every(Number.isInteger)) throw new Fault("malformed", `The data of input ${name} holds numbers that are not whole, where the model takes ${type}.`, "Give whole numbers.");
  if (type === "int64" || type === "uint64") return type === "int64" ? new ort.Tensor(type, BigInt64Array.from(numbers, BigInt), dims) : new ort.Tensor(type, BigUint64Array.from(numbers, BigInt), dims);
  if (!Object.hasOwn(INTEGERS, type)) throw new Fault("unsupported", `The model's input ${name} is of the type ${type}, which cannot be given.`, "Export it with inputs of float32 or of integers.");
  return new ort.Tensor(type, INTEGERS[type as keyof typeof INTEGERS].from(numbers), dims);
}

/** An output's values as numbers; null for texts. */
export function numbersOf({ type, data, size }: Ort.Tensor): ArrayLike<number> | null {
  if (type === "string") return null;
  // Where JavaScript has no float16 the bits are told.
  if (type === "float16" && data instanceof Uint16Array) return decode("float16", new Uint8Array(data.buffer, data.byteOffset, data.byteLength), size);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  return data as ArrayLike<number>;
}
