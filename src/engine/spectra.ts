import { exactSolver } from "../linalg/exactSolver";
import { FastSolver } from "../linalg/fast/fastSolver";
import type { Matrix } from "../linalg/matrix";
import type { LeadingSolver } from "../linalg/leadingSingularValue";
import type { RatedSolver } from "../linalg/singularValues";

/**
 * Float32 matrices of a shorter side are computed in float64, which costs them milliseconds: their measures agree with
 * LAPACK's in float64 to the last digit shown, condition numbers too.
 */
const FLOAT32_FROM = 512;
/** Bounds of |Δσ|/σ₁, held by the tests of the fast solver. */
const FLOAT32_ACCURACY = 1e-6;
const FLOAT64_ACCURACY = 1e-12;

/**
 * The solver of a compute process, for so many threads.
 * @param tell hears once why spectra take longer here than elsewhere
 */
export function spectrumSolver(threads: number, tell: (sentence: string) => void): RatedSolver & LeadingSolver {
  const fast = new FastSolver({ threads, fallback: exactSolver, tell });
  return {
    singularValues: (matrix) => fast.singularValues(inFloat32(matrix) ? matrix : { ...matrix, data: Float64Array.from(matrix.data) }),
    leadingSingularValue: (matrix) => fast.leadingSingularValue(matrix),
    accuracyFor: (matrix) => (inFloat32(matrix) ? FLOAT32_ACCURACY : FLOAT64_ACCURACY),
  };
}

function inFloat32({ rows, columns, data }: Matrix): boolean {
  return data instanceof Float32Array && Math.min(rows, columns) >= FLOAT32_FROM;
}
