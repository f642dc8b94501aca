import { basename } from "node:path";
import type * as Ort from "onnxruntime-node";
import { Fault } from "../shared/fault";
import type { Values } from "../models/model";
import { numberArrays } from "../models/numpy/numberArrays";
import { isProtoData, protoInputs, type ProtoInput } from "./protoInputs";
import { textArrays } from "./texts";
import { tensorOf, type Feeds, type InputMeta } from "./tensors";

/** Batches of a person's data, and how many of its samples fill none. */
export interface DataInputs {
  readonly batches: readonly Feeds[];
  readonly words: string;
}

/** What data may be in, beside a folder. */
const ENDINGS = /\.(?:npz|npy|pb)$/i;

/**
 * Batches from data of a person's own: the arrays of a .npz or .npy, as many samples together as the graph's first axes want,
 * or ONNX test data (.pb), each set a batch.
 * @param most samples together where the graph leaves their number open
 * @throws Fault
 */
export async function dataInputs(ort: typeof Ort, path: string, inputs: readonly InputMeta[], most = Infinity): Promise<DataInputs> {
  if (await isProtoData(path)) return { batches: (await protoInputs(path)).map((tensors) => protoBatch(ort, basename(path), inputs, tensors)), words: "" };
  if (!ENDINGS.test(path)) throw new Fault("usage", `${basename(path)} is no data that a model can be run on.`, "Give a .npz or .npy file, or ONNX test data (.pb, or a folder of it).");
  const arrays = await arraysFor(path, inputs);
  const found = inputs.map((input) => ({ input, array: arrays.get(input.name) ?? (arrays.size === 1 && inputs.length === 1 ? [...arrays.values()][0] : undefined) }));
  for (const { input, array } of found) checkFit(input, array, basename(path), [...arrays.keys()]);
  const divided = divisionOf(found.map(({ input: { shape }, array }) => ({ wanted: shape[0], own: array!.shape[0] })), most);
  const left = Math.max(...divided.left);
  return {
    batches: Array.from({ length: divided.count }, (_, batch) => Object.fromEntries(found.map(({ input, array }, index) => {
      const { shape, values } = array!;
      const each = divided.each[index];
      if (each === undefined) return [input.name, tensorOf(ort, input, shape, [...values])];
      const width = shape.slice(1).reduce((all, size) => all * size, 1);
      const rows = Math.min(each, shape[0]! - batch * each);
      return [input.name, tensorOf(ort, input, [rows, ...shape.slice(1)], [...values.slice(batch * each * width, (batch * each + rows) * width)])];
    }))),
    words: left === 0 ? "" : ` without the last ${left} ${left === 1 ? "sample, which fills" : "samples, which fill"} no batch`,
  };
}

/**
 * How arrays become batches by their first axes: where the graph fixes one, so many at once, and an array of just so many (a
 * state) goes with every batch; where it is open, an equal part for each batch.
 * @param most samples together where every first axis is open
 * @param axes what the graph wants of each input, and the array has; undefined for scalars
 * @returns `each`: samples of an input in a batch, undefined for all of them
 */
function divisionOf(axes: readonly { readonly wanted: number | string | undefined; readonly own: number | undefined }[], most: number): { readonly count: number; readonly each: readonly (number | undefined)[]; readonly left: readonly number[] } {
  const fixed = axes.map(({ wanted, own }) => (typeof wanted === "number" && wanted > 0 && own !== undefined && own > wanted ? wanted : undefined));
  const count = Math.min(...axes.flatMap(({ own }, index) => (fixed[index] === undefined ? [] : [Math.floor(own! / fixed[index])])));
  if (!Number.isFinite(count)) {
    const sizes = new Set(axes.flatMap(({ own }) => (own === undefined ? [] : [own])));
    const [samples = 0] = sizes, isOpen = axes.every(({ wanted }) => typeof wanted !== "number" || wanted <= 0);
    // Samples that are left over go along where the graph takes any number.
    if (sizes.size === 1 && isOpen && samples > most) return { count: Math.ceil(samples / most), each: axes.map(({ own }) => (own === undefined ? undefined : most)), left: [0] };
    return { count: 1, each: axes.map(() => undefined), left: [0] };
  }
  const each = axes.map(({ wanted, own }, index) => fixed[index] ?? (typeof wanted === "number" || own === undefined || own < count ? undefined : Math.floor(own / count)));
  return { count, each, left: axes.map(({ own = 0 }, index) => (each[index] === undefined ? 0 : own - each[index] * count)) };
}

/** Tensors by their names; those without one, and all where no name is an input's, in the graph's order. */
function protoBatch(ort: typeof Ort, file: string, inputs: readonly InputMeta[], tensors: readonly ProtoInput[]): Feeds {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const isNamed = inputs.every(({ name }) => byName.has(name));
  return Object.fromEntries(inputs.map((input, index) => {
    const tensor = isNamed ? byName.get(input.name) : tensors[index];
    if (tensor === undefined) throw new Fault("malformed", `${file} holds ${tensors.length} inputs, where the model has ${inputs.length}: there is none for ${input.name}.`, "Give the whole folder of the test data.");
    checkShape(input, tensor.shape, `Tensor ${tensor.name || `input_${index}`} of ${file}`, (axis, size) => shapeAllows(input, axis, size));
    return [input.name, tensorOf(ort, input, tensor.shape, [...tensor.values])];
  }));
}

interface DataArray {
  readonly shape: readonly number[];
  readonly values: Values | readonly string[];
}

/** Arrays of numbers, and of texts where an input is. @throws Fault of the file */
async function arraysFor(path: string, inputs: readonly InputMeta[]): Promise<ReadonlyMap<string, DataArray>> {
  const texts = inputs.some(({ type }) => type === "string") ? await textArrays(path) : new Map<string, DataArray>();
  const isEnough = inputs.every(({ type }) => type === "string") && texts.size > 0;
  return isEnough ? texts : new Map<string, DataArray>([...await numberArrays(path, "Save the model's inputs under their names with numpy.savez."), ...texts]);
}

function checkFit(input: InputMeta, array: DataArray | undefined, file: string, names: readonly string[]): void {
  if (array === undefined) throw new Fault("malformed", `${file} has no array named ${input.name}, an input of the model; it has ${names.join(", ") || "one without a name"}.`, "Save the inputs under their names with numpy.savez.");
  checkShape(input, array.shape, `Array ${input.name} of ${file}`, (axis, size) => (axis === 0 ? size >= leastOf(input) : shapeAllows(input, axis, size)));
}

/** Samples that a model takes at once. */
function leastOf({ shape: [first] }: InputMeta): number {
  return typeof first === "number" && first > 0 ? first : 1;
}

/** @throws Fault malformed */
function checkShape({ shape }: InputMeta, own: readonly number[], what: string, allows: (axis: number, size: number) => boolean): void {
  if (own.length === shape.length && own.every((size, axis) => allows(axis, size))) return;
  throw new Fault("malformed", `${what} has the shape [${own.join(", ")}], where the model's input is [${shape.join(", ")}].`, "Give data of that shape; its first axis may hold more samples.");
}

function shapeAllows({ shape }: InputMeta, axis: number, size: number): boolean {
  const wanted = shape[axis];
  return typeof wanted !== "number" || wanted <= 0 || wanted === size;
}
