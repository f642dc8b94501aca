import { SHORT_SIDE_ASPECT } from "../linalg/fast/longSide";
import type { RowSource } from "../linalg/rowSource";
import { decodesToFloat64 } from "../models/dtypes";
import { isContiguous, matrixSize } from "../models/gather";
import { viewIn } from "../models/layout";
import type { Layer, MatrixView, Model, Ranges } from "../models/model";
import { assertFinite } from "./finite";
import { titleOf } from "./title";

/** Values of a tensor that is read whole and of a matrix that is held twice: 192 MB in float32. */
export const LARGE_VALUES = 48 * 2 ** 20;

/** How a layer's matrices are read: out of their whole tensor, or one by one by what lies in one piece, their rows or their columns. */
export type Reading = "whole" | "rows" | "columns";

/** By rows or columns where a layer's tensor is so large that it is not held in memory, and the file lets parts of it be read. */
export function readingOf(model: Pick<Model, "ranges">, layer: Layer): Reading {
  const { shape, dtype } = layer.tensor;
  if (layer.factored !== undefined || shape.reduce((product, size) => product * size, 1) <= LARGE_VALUES) return "whole";
  const ranges = model.ranges?.(layer.tensor) ?? null;
  if (ranges === null || layer.views.some((view) => view.recurrent)) return "whole";
  const stored = layer.views.map((view) => storedView(layer, view, ranges));
  for (const reading of ["rows", "columns"] as const) {
    if (stored.every((view) => view !== null && isContiguous(reading === "rows" ? view : turned(view)) && isWorthwhile(view, reading, dtype))) return reading;
  }
  return "whole";
}

/** Where a view's matrix lies in the tensor as it is stored. */
function storedView({ tensor: { shape } }: Layer, view: MatrixView, { strides }: Ranges): MatrixView | null {
  return viewIn({ shape, strides }, view);
}

function turned(view: MatrixView): MatrixView {
  return { ...view, rows: view.columns, columns: view.rows };
}

/** Of float64 values only what is tall as it is read: the solver holds others as a whole, which they are already when they are read. */
function isWorthwhile(view: MatrixView, reading: "rows" | "columns", dtype: string): boolean {
  if (!decodesToFloat64(dtype)) return true;
  const { rows, columns } = matrixSize(reading === "rows" ? view : turned(view));
  return dtype === "float64" && (rows * columns <= LARGE_VALUES || rows > SHORT_SIDE_ASPECT * columns);
}

/**
 * The rows of a view of a layer that is read by rows; the columns of one that is read by columns, as rows: those of the
 * transpose, whose singular values are the same. What reads them throws Fault not-finite, and those of `Model.read`.
 * @param onRead hears how long each read took, milliseconds
 */
export function rowSourceOf(model: Model, layer: Layer, view: MatrixView, onRead: (ms: number) => void): RowSource {
  const reading = readingOf(model, layer);
  const ranges = model.ranges?.(layer.tensor) ?? null;
  const stored = ranges === null ? null : storedView(layer, view, ranges);
  if (reading === "whole" || ranges === null || stored === null) throw new Error(`${layer.tensor.name} cannot be read by rows`);
  const { rows, columns } = matrixSize(reading === "rows" ? stored : turned(stored));
  const title = titleOf({ name: layer.tensor.name, ...view });
  const read: RowSource["read"] = async (first, count) => {
    const start = performance.now();
    const data = await ranges.read(stored.offset + first * columns, count * columns);
    assertFinite(data, count === rows ? title : `${title}, ${reading} ${first} to ${first + count - 1},`);
    onRead(performance.now() - start);
    return { rows: count, columns, data };
  };
  return { rows, columns, type: decodesToFloat64(layer.tensor.dtype) ? "float64" : "float32", read };
}
