import { basename } from "node:path";
import type * as Ort from "onnxruntime-node";
import { Fault } from "../shared/fault";
import type { Values } from "../models/model";
import { readArray, type StoredArray } from "../models/numpy/arrays";
import { openNumpy } from "../models/numpy/files";
import { gaussian, mulberry } from "./random";

export type Feeds = Record<string, Ort.Tensor>;

/** Inputs of one model: what the graph says of each. */
export interface InputMeta {
  readonly name: string;
  readonly type: Ort.Tensor.Type;
  readonly shape: readonly (number | string)[];
}

/** Axes that the graph leaves open: one sample, and this length of everything else. */
const OPEN_LENGTH = 16;
/** Random integers are small: they are indices of something. */
const SEEDED_INTEGERS = 100;
const SEEDED_BATCHES = 4;
const SEED = 1;

/** Random inputs that are the same for every call. */
export function seededInputs(ort: typeof Ort, inputs: readonly InputMeta[]): Feeds[] {
  const next = mulberry(SEED);
  return Array.from({ length: SEEDED_BATCHES }, () => Object.fromEntries(inputs.map(({ name, type, shape }) => {
    const sizes = shape.map((size, axis) => (typeof size === "number" && size > 0 ? size : axis === 0 ? 1 : OPEN_LENGTH));
    const count = sizes.reduce((all, size) => all * size, 1);
    return [name, tensorOf(ort, type, sizes, Array.from({ length: count }, () => (type.startsWith("float") ? gaussian(next) : Math.floor(next() * (type === "bool" ? 2 : SEEDED_INTEGERS)))))];
  })));
}

/** Batches from a data file; each is as long as the graph's first axis wants it. @throws Fault */
export async function dataInputs(ort: typeof Ort, path: string, inputs: readonly InputMeta[]): Promise<Feeds[]> {
  const arrays = await readableArrays(path);
  const found = inputs.map((input) => ({ input, array: arrays.get(input.name) ?? (arrays.size === 1 && inputs.length === 1 ? [...arrays.values()][0] : undefined) }));
  for (const { input, array } of found) checkFit(input, array, basename(path), [...arrays.keys()]);
  const samples = Math.min(...found.map(({ array }) => array?.shape[0] ?? 1));
  const fixed = inputs.map(({ shape }) => shape[0]).find((size) => typeof size === "number" && size > 0);
  const each = typeof fixed === "number" ? fixed : samples;
  return Array.from({ length: Math.floor(samples / each) }, (_, batch) => Object.fromEntries(found.map(({ input, array }) => {
    const { shape, values } = array!;
    const width = shape.slice(1).reduce((all, size) => all * size, 1);
    const part = Array.from(values.subarray(batch * each * width, (batch + 1) * each * width), Number);
    return [input.name, tensorOf(ort, input.type, shape.length === 0 ? [] : [each, ...shape.slice(1)], part)];
  })));
}

interface DataArray {
  readonly shape: readonly number[];
  readonly values: Values;
}

/** Arrays of numbers, by name. @throws Fault of the file */
async function readableArrays(path: string): Promise<Map<string, DataArray>> {
  const { file, arrays } = await openNumpy(path);
  const readable = new Map<string, DataArray>();
  await file.whileOpen(async () => {
    for (const array of arrays) if (holdsNumbers(array)) readable.set(array.name, { shape: array.shape, values: await readArray(array) });
  });
  if (readable.size > 0) return readable;
  throw new Fault("unsupported", `${basename(path)} holds no array of numbers (${arrays[0]?.name ?? ""}: ${arrays[0]?.reason ?? "empty"}).`, "Save the model's inputs under their names with numpy.savez.");
}

/** Inputs may be integers, which are no weights to the reader of models. */
function holdsNumbers({ itemSize, reason, dtype }: StoredArray): boolean {
  return itemSize > 0 && (reason === null || reason === `${dtype}: not a weight`);
}

function checkFit({ name, shape }: InputMeta, array: DataArray | undefined, file: string, names: readonly string[]): void {
  if (array === undefined) throw new Fault("malformed", `${file} has no array named ${name}, an input of the model; it has ${names.join(", ") || "one without a name"}.`, "Save the inputs under their names with numpy.savez.");
  const fits = array.shape.length === shape.length && array.shape.every((size, axis) => axis === 0 || typeof shape[axis] !== "number" || shape[axis] <= 0 || shape[axis] === size);
  if (fits && array.shape[0] !== 0) return;
  throw new Fault("malformed", `Array ${name} of ${file} has the shape [${array.shape.join(", ")}], where the model's input is [${shape.join(", ")}].`, "Give data of that shape; its first axis may hold any number of samples.");
}

function tensorOf(ort: typeof Ort, type: Ort.Tensor.Type, shape: readonly number[], values: readonly number[]): Ort.Tensor {
  switch (type) {
    case "float32": return new ort.Tensor("float32", Float32Array.from(values), [...shape]);
    case "float64": return new ort.Tensor("float64", Float64Array.from(values), [...shape]);
    case "int64": return new ort.Tensor("int64", BigInt64Array.from(values, (value) => BigInt(Math.trunc(value))), [...shape]);
    case "int32": return new ort.Tensor("int32", Int32Array.from(values), [...shape]);
    case "uint8": return new ort.Tensor("uint8", Uint8Array.from(values), [...shape]);
    case "bool": return new ort.Tensor("bool", values.map((value) => value !== 0), [...shape]);
    default: throw new Fault("unsupported", `Inputs of the type ${type} cannot be made.`);
  }
}
