import { exactSolver } from "../linalg/exactSolver";
import { FastSolver } from "../linalg/fast/fastSolver";
import type { RowLeadingSolver } from "../linalg/leadingSingularValue";
import { elementTypeOf, type ElementType } from "../linalg/matrix";
import type { RowSolver } from "../linalg/singularValues";

/**
 * Float32 matrices of a shorter side are computed in float64, which costs them milliseconds: their measures agree with
 * LAPACK's in float64 to the last digit shown, condition numbers too.
 */
const FLOAT32_FROM = 512;
/** Bounds of |Δσ|/σ₁, held by the tests of the fast solver. */
const FLOAT32_ACCURACY = 1e-6;
const FLOAT64_ACCURACY = 1e-12;

export type Solver = RowSolver & RowLeadingSolver;

/**
 * The solver of a compute process, for so many threads.
 * @param tell hears once why spectra take longer here than elsewhere
 */
export function spectrumSolver(threads: number, tell: (sentence: string) => void): Solver {
  const fast = new FastSolver({ threads, fallback: exactSolver, tell });
  return {
    singularValues: (matrix) => fast.singularValues(inFloat32({ ...matrix, type: elementTypeOf(matrix) }) ? matrix : { ...matrix, data: Float64Array.from(matrix.data) }),
    singularValuesOf: (source) => fast.singularValuesOf(source, !inFloat32(source)),
    leadingSingularValue: (matrix) => fast.leadingSingularValue(matrix),
    leadingSingularValueOf: (source) => fast.leadingSingularValueOf(source),
    accuracyFor: (matrix) => (inFloat32(matrix) ? FLOAT32_ACCURACY : FLOAT64_ACCURACY),
  };
}

function inFloat32({ rows, columns, type }: { readonly rows: number; readonly columns: number; readonly type: ElementType }): boolean {
  return type === "float32" && Math.min(rows, columns) >= FLOAT32_FROM;
}
