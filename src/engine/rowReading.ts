import type { RowSource } from "../linalg/rowSource";
import { decodesToFloat64 } from "../models/dtypes";
import { isContiguous, matrixSize } from "../models/gather";
import type { Layer, MatrixView, Model } from "../models/model";
import { assertFinite } from "./finite";
import { titleOf } from "./title";

/** Values of a tensor that is read whole and of a matrix that is held twice: 192 MB in float32. */
export const LARGE_VALUES = 48 * 2 ** 20;

/** Whether a layer's tensor is so large that its matrices are read one by one and by their rows, and the file lets them be. */
export function isReadByRows(model: Pick<Model, "ranges">, layer: Layer): boolean {
  const { shape, dtype } = layer.tensor;
  if (layer.factored !== undefined || shape.reduce((product, size) => product * size, 1) <= LARGE_VALUES) return false;
  if (decodesToFloat64(dtype) || layer.views.some((view) => view.recurrent || !isContiguous(view))) return false;
  return (model.ranges?.(layer.tensor) ?? null) !== null;
}

/**
 * The rows of a view of a layer that is read by rows. What reads them throws Fault not-finite, and those of `Model.read`.
 * @param onRead hears how long each read took, milliseconds
 */
export function rowSourceOf(model: Model, layer: Layer, view: MatrixView, onRead: (ms: number) => void): RowSource {
  const range = model.ranges?.(layer.tensor);
  if (range === undefined || range === null) throw new Error(`${layer.tensor.name} cannot be read by rows`);
  const { rows, columns } = matrixSize(view);
  const title = titleOf({ name: layer.tensor.name, ...view });
  const read: RowSource["read"] = async (first, count) => {
    const start = performance.now();
    const data = await range(view.offset + first * columns, count * columns);
    assertFinite(data, count === rows ? title : `${title}, rows ${first} to ${first + count - 1},`);
    onRead(performance.now() - start);
    return { rows: count, columns, data };
  };
  return { rows, columns, type: "float32", read };
}
