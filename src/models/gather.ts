import type { Matrix } from "../linalg/matrix";
import type { Axis, MatrixView, Values } from "./model";

/** From this length on, copying a run by `set` is faster than element by element. */
const SHORTEST_RUN = 24;
/** Columns that are copied together where neighbours in memory lie along the rows: their cache lines stay in use. */
const COLUMN_TILE = 64;

/** Rows and columns of a view's matrix. */
export function matrixSize(view: MatrixView): { rows: number; columns: number } {
  return { rows: sizeOf(view.rows), columns: sizeOf(view.columns) };
}

/** Whether a view is its tensor as it is stored, all of it: then the tensor's values are the matrix. */
export function isWhole(view: MatrixView, length: number): boolean {
  const { rows, columns } = matrixSize(view);
  return view.offset === 0 && rows * columns === length && isContiguous(view);
}

/** Whether a view's matrix lies in its tensor in one piece, row after row, from `view.offset` on. */
export function isContiguous(view: MatrixView): boolean {
  const axes = merged([...view.rows, ...view.columns]);
  return axes.length === 0 || (axes.length === 1 && axes[0]?.stride === 1);
}

/**
 * Copies a view's matrix out of its tensor, row-major; float32 values stay float32.
 * @param values the whole tensor's; read only, and never shared with the result
 * @throws Error when the view reaches outside of the tensor: a defect of whoever made it
 */
export function gather(view: MatrixView, values: Values): Matrix {
  const { rows, columns } = matrixSize(view);
  const last = [...view.rows, ...view.columns].reduce((at, { size, stride }) => at + (size - 1) * stride, view.offset);
  if (rows * columns > 0 && (view.offset < 0 || last >= values.length)) throw new Error(`a view ends at ${last} of ${values.length} values`);
  const data = values instanceof Float32Array ? new Float32Array(rows * columns) : new Float64Array(rows * columns);
  const rowAxes = merged(view.rows), columnAxes = merged(view.columns);
  const inner = columnAxes.at(-1) ?? { size: 1, stride: 1 };
  if (inner.stride === 1 && inner.size >= SHORTEST_RUN) copyRuns(view.offset, offsets(rowAxes), offsets(columnAxes.slice(0, -1)), inner.size, values, data);
  else copyElements(view.offset, offsets(rowAxes), offsets(columnAxes), values, data);
  return { rows, columns, data };
}

function copyRuns(start: number, rows: Float64Array, runs: Float64Array, length: number, values: Values, data: Values): void {
  let at = 0;
  for (const row of rows) {
    for (const run of runs) {
      const from = start + row + run;
      data.set(values.subarray(from, from + length), at);
      at += length;
    }
  }
}

function copyElements(start: number, rows: Float64Array, columns: Float64Array, values: Values, data: Values): void {
  for (let first = 0; first < columns.length; first += COLUMN_TILE) {
    const end = Math.min(columns.length, first + COLUMN_TILE);
    for (let i = 0; i < rows.length; i++) {
      const from = start + rows[i]!, to = i * columns.length;
      for (let j = first; j < end; j++) data[to + j] = values[from + columns[j]!]!;
    }
  }
}

function sizeOf(axes: readonly Axis[]): number {
  return axes.reduce((product, axis) => product * axis.size, 1);
}

/** The same steps in fewer axes: those that continue each other become one. */
function merged(axes: readonly Axis[]): Axis[] {
  const out: Axis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const outer = out.at(-1);
    if (outer?.stride === axis.stride * axis.size) out[out.length - 1] = { size: outer.size * axis.size, stride: axis.stride };
    else out.push(axis);
  }
  return out;
}

/** Positions of all combinations of steps, the last axis fastest. */
function offsets(axes: readonly Axis[]): Float64Array {
  let out = Float64Array.of(0);
  for (const { size, stride } of axes) {
    const next = new Float64Array(out.length * size);
    for (let i = 0; i < out.length; i++) for (let step = 0; step < size; step++) next[i * size + step] = out[i]! + step * stride;
    out = next;
  }
  return out;
}
