import type { Measures } from "../shared/report";
import type { Matrix } from "../linalg/matrix";

/** What the measures of one matrix need to know of it besides its values. */
export interface MatrixFacts {
  readonly rows: number;
  readonly columns: number;
  /** Relative rounding unit ε of the type that the file stores. */
  readonly epsilon: number;
  /** Measure the spectral radius too (square recurrent matrices). */
  readonly recurrent: boolean;
  /** The scheme's own break-even rank; null: ⌊mn/(m+n)⌋. */
  readonly breakEvenRank: number | null;
}

export interface Measured {
  readonly measures: Measures;
  /** Largest first, K = min(m, n) of them. */
  readonly singularValues: Float64Array;
}

export type MeasureMatrix = (matrix: Matrix, facts: MatrixFacts) => Promise<Measured>;
