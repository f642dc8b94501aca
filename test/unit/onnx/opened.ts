import { DEFAULT_OPEN_OPTIONS, type Layer, type Model, type OpenOptions } from "../../../src/models/model";
import { onnx } from "../../../src/models/onnx/format";
import { file } from "./onnxFile";

/** Opens a model that is written for one test; `body` also reads from it before it is closed. */
export async function withModel<T>(content: Uint8Array | string, body: (model: Model) => T | Promise<T>, options: Partial<OpenOptions> = {}): Promise<T> {
  const model = await onnx.open(typeof content === "string" ? content : file(content), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1, ...options });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}

export function layer(model: Model, name: string): Layer {
  const found = model.layers.find((candidate) => candidate.tensor.name === name);
  if (found === undefined) {
    const skipped = model.skipped.find((candidate) => candidate.name === name);
    throw new Error(skipped === undefined ? `no tensor ${name}` : `${name} is skipped: ${skipped.reason}`);
  }
  return found;
}

export function reason(model: Model, name: string): string {
  const found = model.skipped.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`${name} is not skipped`);
  return found.reason;
}

/** The matrix that a layer's view number `index` lays over the values, as rows. */
export async function matrix(model: Model, name: string, index = 0): Promise<number[][]> {
  const { tensor, views } = layer(model, name);
  const values = await model.read(tensor);
  const view = views[index]!;
  const offsets = (axes: readonly { size: number; stride: number }[]) =>
    axes.reduce<number[]>((all, axis) => all.flatMap((base) => Array.from({ length: axis.size }, (_, i) => base + i * axis.stride)), [0]);
  const columns = offsets(view.columns);
  return offsets(view.rows).map((row) => columns.map((column) => values[view.offset + row + column]!));
}
