/**
 * Relative singular values at or below it may be nothing but rounding, which no model of noise or tail should take for
 * more. Rounding each weight w to a type of unit ε adds errors of at most ε|w|/2 that have nothing to do with each other:
 * a random matrix of norm up to ε(√m + √n)‖W‖_F/√(12mn), here without the 12, as products that were rounded before
 * they were stored carry somewhat more. Computing in float64 adds max(m, n) · 2⁻⁵².
 *
 * It lies far below the tolerance of the numerical rank, which is a worst case.
 * @param s σ/σ₁, largest first
 */
export function roundingNoise(s: Float64Array, rows: number, columns: number, epsilon: number): number {
  const energy = s.reduce((sum, value) => sum + value * value, 0);
  const stored = epsilon * (Math.sqrt(rows) + Math.sqrt(columns)) * Math.sqrt(energy / (rows * columns));
  return Math.max(stored, Math.max(rows, columns) * Number.EPSILON);
}
