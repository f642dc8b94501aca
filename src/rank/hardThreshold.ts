import { countAbove, type Count } from "./thresholdCount";

/**
 * The number of singular values that optimal hard thresholding keeps when the noise level is unknown: those above
 * ω(β) · median σ (Gavish & Donoho, The optimal hard threshold for singular values is 4/√3, 2014).
 * @param s σ/σ₁, largest first
 * @param noise relative size of rounding
 * @returns null when the median is no more than rounding: there is no noise to place the threshold by, and thresholding
 *   at rounding errors would count them
 */
export function hardThresholdRank(s: Float64Array, rows: number, columns: number, noise: number): Count | null {
  const middle = median(s);
  if (!(middle > noise)) return null;
  const beta = Math.min(rows, columns) / Math.max(rows, columns);
  return countAbove(s, omega(beta) * middle);
}

/** The paper's cubic for λ*(β)/√μ_β; it is within 0.02 of the exact value for all β. */
function omega(beta: number): number {
  return 0.56 * beta ** 3 - 0.95 * beta ** 2 + 1.82 * beta + 1.43;
}

function median(s: Float64Array): number {
  const half = s.length / 2;
  return s.length === 0 ? 0 : ((s[Math.floor(half - 0.5)] ?? 0) + (s[Math.floor(half)] ?? 0)) / 2;
}
