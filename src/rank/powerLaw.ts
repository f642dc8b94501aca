import { TIE } from "./thresholdCount";

/** Fewer eigenvalues have no tail to speak of (WeightWatcher's limit). */
const FEWEST_EIGENVALUES = 10;
/** Tails that span less than this in ln λ follow no law: equal singular values, apart from rounding. */
const NARROWEST_SPAN = 1e-3;

export interface PowerLaw {
  readonly alpha: number;
  /** Another tail fits equally well with another exponent: rounding could tip the choice. */
  readonly tie: boolean;
}

/**
 * Exponent of the power law that fits the tail of the eigenvalues λ = σ²: α = 1 + n / Σ ln(λᵢ/λ_min) over the n
 * eigenvalues from λ_min on, with the λ_min of the smallest Kolmogorov–Smirnov distance (Clauset, Shalizi & Newman,
 * Power-law distributions in empirical data, SIAM Review 51, 2009, §3; the distance as in the authors' plfit and in
 * WeightWatcher, with the share of values below each value). O(K²) at worst.
 * @param s σ/σ₁, largest first
 * @param noise relative size of rounding; values at or below it are left out
 * @returns null where fewer than ten eigenvalues exceed rounding, or all are equal
 */
export function powerLaw(s: Float64Array, noise: number): PowerLaw | null {
  const logs = s.filter((value) => value > noise).map((value) => 2 * Math.log(value)).reverse();
  const n = logs.length;
  if (n < FEWEST_EIGENVALUES) return null;
  let best: Candidate | null = null;
  let second: Candidate | null = null;
  let sum = 0;
  for (let i = n - 1; i >= 0; i--) {
    sum += logs[i]!;
    // Values that rounding could exchange are one repeated value, and λ_min is the first of them.
    const repeated = i > 0 && logs[i]! - logs[i - 1]! < TIE;
    if (repeated || logs[n - 1]! - logs[i]! < NARROWEST_SPAN) continue;
    const exponent = (n - i) / (sum - (n - i) * logs[i]!);
    const limit: number = best === null ? Infinity : best.distance * (1 + TIE);
    const distance = tailDistance(logs, i, exponent, limit);
    if (distance > limit) continue;
    [best, second] = best === null || distance < best.distance ? [{ exponent, distance }, best] : [best, { exponent, distance }];
  }
  if (best === null) return null;
  const tie = second !== null && second.distance <= best.distance * (1 + TIE);
  return { alpha: 1 + best.exponent, tie };
}

interface Candidate {
  /** α − 1. */
  readonly exponent: number;
  readonly distance: number;
}

/** Kolmogorov–Smirnov distance of the tail from index `first` on, or some value above `limit` once it is known to be larger. */
function tailDistance(logs: Float64Array, first: number, exponent: number, limit: number): number {
  const n = logs.length - first;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    const share = -Math.expm1(-exponent * (logs[first + i]! - logs[first]!));
    distance = Math.max(distance, Math.abs(share - i / n));
    if (distance > limit) break;
  }
  return distance;
}
