/** Types with ε from here on (16 bits and fewer) are coarse: max(m, n) · ε comes near 1 for layers of common size. */
const COARSE_EPSILON = 2 ** -11;

/**
 * Relative singular values at or below it are zero as far as the file's digits can tell, with ε of the type that the
 * file stores and not of the float64 that they were computed in: max(m, n) · ε (LAPACK's convention).
 *
 * For types of 16 bits and fewer that exceeds σ₁ from 128 (bfloat16) or 1,024 rows (float16) on and calls every layer
 * zero. There it is what rounding can do at most: each weight moves by ε/2 of itself, hence no singular value by more
 * than ε/2 · ‖W‖_F (Weyl's inequality; Golub & Van Loan, 4th ed., Corollary 8.6.2).
 * @param s σ/σ₁, largest first
 */
export function numericalTolerance(s: Float64Array, rows: number, columns: number, epsilon: number): number {
  if (epsilon < COARSE_EPSILON) return Math.max(rows, columns) * epsilon;
  return (epsilon / 2) * Math.sqrt(s.reduce((sum, value) => sum + value * value, 0));
}

/**
 * σ₁/σ_K; null (infinite) when σ_K does not exceed the tolerance.
 * @param s σ/σ₁, largest first
 */
export function conditionNumber(s: Float64Array, tolerance: number): number | null {
  const last = s.at(-1) ?? 0;
  return last > tolerance ? 1 / last : null;
}
