/** Two values within this share of each other may come out in either order: float32 inputs and another order of sums differ by less. */
export const TIE = 1e-6;

export interface Count {
  readonly count: number;
  /** A value meets the threshold, so that rounding could tip the count. */
  readonly tie: boolean;
}

/**
 * Number of relative singular values above a threshold.
 * @param s σ/σ₁, largest first
 * @param accuracy how far the solver's values may be off: it matters to thresholds near the rounding unit
 */
export function countAbove(s: Float64Array, threshold: number, accuracy = s.length * (Number.EPSILON / 2)): Count {
  let count = 0;
  let tie = false;
  const margin = Math.max(TIE * threshold, accuracy);
  for (const value of s) {
    if (value > threshold) count++;
    if (Math.abs(value - threshold) <= margin) tie = true;
  }
  return { count, tie };
}
