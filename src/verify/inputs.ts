import { basename } from "node:path";
import type * as Ort from "onnxruntime-node";
import { Fault } from "../shared/fault";
import { numberArrays, type NumberArray } from "../models/numpy/numberArrays";
import { isProtoData, protoInputs, type ProtoInput } from "./protoInputs";
import { tensorOf, type Feeds, type InputMeta } from "./tensors";

/**
 * Batches from data of a person's own: the arrays of a .npz or .npy, as many samples together as the graph's first axis wants,
 * or ONNX test data (.pb), each set a batch.
 * @param most samples together where the graph leaves their number open
 * @throws Fault
 */
export async function dataInputs(ort: typeof Ort, path: string, inputs: readonly InputMeta[], most = Infinity): Promise<Feeds[]> {
  if (await isProtoData(path)) return (await protoInputs(path)).map((tensors) => protoBatch(ort, basename(path), inputs, tensors));
  const arrays = await numberArrays(path, "Save the model's inputs under their names with numpy.savez.");
  const found = inputs.map((input) => ({ input, array: arrays.get(input.name) ?? (arrays.size === 1 && inputs.length === 1 ? [...arrays.values()][0] : undefined) }));
  for (const { input, array } of found) checkFit(input, array, basename(path), [...arrays.keys()]);
  // A number without axes, as a sampling rate, is the same for all samples.
  const sizes = found.flatMap(({ array }) => array!.shape.slice(0, 1));
  const samples = sizes.length === 0 ? 1 : Math.min(...sizes);
  const fixed = inputs.map(({ shape }) => shape[0]).find((size) => typeof size === "number" && size > 0);
  const each = typeof fixed === "number" ? fixed : Math.min(samples, most);
  if (samples < each) throw new Fault("malformed", `${basename(path)} holds ${samples} samples, where the model takes ${each} at once.`, "Give at least as many.");
  // Samples that are left over go along where the graph takes any number.
  const batches = typeof fixed === "number" ? Math.floor(samples / each) : Math.ceil(samples / each);
  return Array.from({ length: batches }, (_, batch) => Object.fromEntries(found.map(({ input, array }) => {
    const { shape, values } = array!;
    if (shape.length === 0) return [input.name, tensorOf(ort, input.type, [], Array.from(values, Number))];
    const width = shape.slice(1).reduce((all, size) => all * size, 1);
    const count = Math.min(each, samples - batch * each);
    const part = Array.from(values.subarray(batch * each * width, (batch * each + count) * width), Number);
    return [input.name, tensorOf(ort, input.type, [count, ...shape.slice(1)], part)];
  })));
}

/** Tensors by their names; those without one, and all where no name is an input's, in the graph's order. */
function protoBatch(ort: typeof Ort, file: string, inputs: readonly InputMeta[], tensors: readonly ProtoInput[]): Feeds {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const isNamed = inputs.every(({ name }) => byName.has(name));
  return Object.fromEntries(inputs.map((input, index) => {
    const tensor = isNamed ? byName.get(input.name) : tensors[index];
    if (tensor === undefined) throw new Fault("malformed", `${file} holds ${tensors.length} inputs, where the model has ${inputs.length}: there is none for ${input.name}.`, "Give the whole folder of the test data.");
    checkShape(input, tensor.shape, `Tensor ${tensor.name || `input_${index}`} of ${file}`, (axis, size) => shapeAllows(input, axis, size));
    return [input.name, tensorOf(ort, input.type, tensor.shape, Array.from(tensor.values, Number))];
  }));
}

function checkFit(input: InputMeta, array: NumberArray | undefined, file: string, names: readonly string[]): void {
  if (array === undefined) throw new Fault("malformed", `${file} has no array named ${input.name}, an input of the model; it has ${names.join(", ") || "one without a name"}.`, "Save the inputs under their names with numpy.savez.");
  checkShape(input, array.shape, `Array ${input.name} of ${file}`, (axis, size) => (axis === 0 ? size > 0 : shapeAllows(input, axis, size)));
}

/** @throws Fault malformed */
function checkShape({ shape }: InputMeta, own: readonly number[], what: string, allows: (axis: number, size: number) => boolean): void {
  if (own.length === shape.length && own.every((size, axis) => allows(axis, size))) return;
  throw new Fault("malformed", `${what} has the shape [${own.join(", ")}], where the model's input is [${shape.join(", ")}].`, "Give data of that shape; its first axis may hold any number of samples.");
}

function shapeAllows({ shape }: InputMeta, axis: number, size: number): boolean {
  const wanted = shape[axis];
  return typeof wanted !== "number" || wanted <= 0 || wanted === size;
}
