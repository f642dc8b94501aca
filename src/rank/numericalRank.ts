/**
 * Relative singular values at or below it are zero as far as the file's digits can tell: max(m, n) · ε, with ε of the
 * type that the file stores and not of the float64 that they were computed in (LAPACK's convention).
 */
export function numericalTolerance(rows: number, columns: number, epsilon: number): number {
  return Math.max(rows, columns) * epsilon;
}

/**
 * σ₁/σ_K; null (infinite) when σ_K does not exceed the tolerance.
 * @param s σ/σ₁, largest first
 */
export function conditionNumber(s: Float64Array, tolerance: number): number | null {
  const last = s.at(-1) ?? 0;
  return last > tolerance ? 1 / last : null;
}
