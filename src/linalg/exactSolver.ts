import { bidiagonalize } from "./bidiagonalize";
import { bidiagonalSingularValues } from "./bidiagonalSingularValues";
import type { Matrix } from "./matrix";
import type { RatedSolver } from "./singularValues";
import { tallView } from "./tallView";
import { triangularFactor } from "./triangularFactor";

/**
 * From this ratio of sides on, a QR factorization comes first (Chan, An improved algorithm for computing the singular
 * value decomposition, 1982). Chan's 5/3 is for a factorization that starts on the whole matrix; block by block
 * the operations break even at 2.
 */
const QR_FIRST_ASPECT = 2;

/**
 * All singular values in float64, by Householder reflectors and the QR iteration: backward stable, with an error of
 * about K · 1e-16 · σ₁ in each value, whatever the shape and the scale. Plain TypeScript, on the calling thread.
 *
 * Memory: one float64 copy of the matrix, or of its triangular factor alone when one side is twice the other or more.
 */
export const exactSolver: RatedSolver = {
  singularValues: async (matrix) => singularValues(matrix),
  accuracyFor: ({ rows, columns }) => Math.min(rows, columns) * (Number.EPSILON / 2),
};

function singularValues(matrix: Matrix): Float64Array {
  const shorter = Math.min(matrix.rows, matrix.columns);
  if (shorter === 0) return new Float64Array(0);
  const view = tallView(matrix);
  const { rows, columns, unit } = view;
  if (unit === 0) return new Float64Array(shorter);
  if (rows >= QR_FIRST_ASPECT * columns) return scaled(bidiagonalSingularValues(bidiagonalize(triangularFactor(view), columns, columns)), unit);
  const copy = new Float64Array(rows * columns);
  view.copyRows(0, rows, copy);
  return scaled(bidiagonalSingularValues(bidiagonalize(copy, rows, columns)), unit);
}

function scaled(values: Float64Array, unit: number): Float64Array {
  for (let i = 0; i < values.length; i++) values[i]! *= unit;
  return values;
}

/** Operations for each entry (reading, converting, scaling) and for each pair of singular values (QR iteration), as measured against the others. */
const COST_OF_ENTRY = 40;
const COST_OF_ITERATION = 200;

/**
 * Relative time of one spectrum of an m × n matrix, in floating-point operations: for scheduling, and for the
 * estimate of what is left.
 */
export function estimateCost(rows: number, columns: number): number {
  const [n, m] = rows < columns ? [rows, columns] : [columns, rows];
  const reduction = m >= QR_FIRST_ASPECT * n ? 2 * m * n * n + (8 / 3) * n ** 3 : 4 * m * n * n - (4 / 3) * n ** 3;
  return reduction + COST_OF_ENTRY * m * n + COST_OF_ITERATION * n * n;
}
