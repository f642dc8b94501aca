/**
 * Eigenvalues of D + ρ z zᵀ: roots of the secular equation 1 + ρ Σ zᵢ²/(dᵢ − λ) = 0, one between any two poles.
 * Bunch, Nielsen & Sorensen 1978; R.-C. Li, LAPACK Working Note 89.
 */

/** A root as its distance to the nearest pole, which keeps the differences to all poles accurate. */
export interface Root {
  readonly pole: number;
  readonly offset: number;
}

/** Each step gains digits quadratically; bisection alone would need 60. */
const MOST_STEPS = 80;

/** @param poles ascending and distinct @param weights ρ zᵢ², positive @param j which root: between poles j and j + 1 (the last: above pole j) */
export function secularRoot(poles: Float64Array, weights: Float64Array, j: number): Root {
  const n = poles.length;
  const last = j === n - 1;
  const gap = last ? weights.reduce((sum, value) => sum + value, 0) : poles[j + 1]! - poles[j]!;
  // Below zero at the middle: the root lies right of it, where the next pole is nearer.
  const right = !last && valueAt(poles, weights, poles[j]!, gap / 2) < 0;
  const pole = right ? j + 1 : j;
  const origin = poles[pole]!;
  let [low, high] = right ? [-gap / 2, 0] : [0, last ? gap : gap / 2];
  let offset = right ? -gap / 4 : last ? gap / 2 : gap / 4;
  for (let step = 0; step < MOST_STEPS; step++) {
    let [psi, psiSlope, phi, phiSlope] = [0, 0, 0, 0];
    for (let i = 0; i <= j; i++) {
      const t = 1 / (poles[i]! - origin - offset);
      psi += weights[i]! * t;
      psiSlope += weights[i]! * t * t;
    }
    for (let i = j + 1; i < n; i++) {
      const t = 1 / (poles[i]! - origin - offset);
      phi += weights[i]! * t;
      phiSlope += weights[i]! * t * t;
    }
    const value = 1 + psi + phi;
    if (Math.abs(value) <= Number.EPSILON * n * (1 + Math.abs(psi) + Math.abs(phi))) break;
    if (value > 0) high = offset;
    else low = offset;
    if (high - low <= Number.EPSILON * Math.max(Math.abs(low), Math.abs(high))) break;
    const a = poles[j]! - origin - offset;
    const b = last ? Infinity : poles[j + 1]! - origin - offset;
    const next = offset + stepOf(value, psiSlope, phiSlope, a, b, last);
    // The logarithmic middle, where the bracket spans magnitudes.
    offset = next > low && next < high ? next : middle(low, high);
  }
  return { pole, offset };
}

/** Root of the interpolant c + s/(a − x) + t/(b − x) that has the value and the slopes of both sums at x = 0. */
function stepOf(value: number, psiSlope: number, phiSlope: number, a: number, b: number, last: boolean): number {
  const s = psiSlope * a * a;
  if (last) {
    // c + s/(a − x) = 0
    const c = value - psiSlope * a;
    return a + s / c;
  }
  const t = phiSlope * b * b;
  const c = value - psiSlope * a - phiSlope * b;
  // c x² − (c(a + b) + s + t) x + (c a b + s b + t a) = 0, and c a b + s b + t a = value · a b.
  const linear = c * (a + b) + s + t;
  const constant = value * a * b;
  const root = Math.sqrt(Math.max(0, linear * linear - 4 * c * constant));
  return linear >= 0 ? (2 * constant) / (linear + root) : (linear - root) / (2 * c);
}

function middle(low: number, high: number): number {
  if (low > 0 && high > 4 * low) return Math.sqrt(low) * Math.sqrt(high);
  if (high < 0 && low < 4 * high) return -Math.sqrt(-low) * Math.sqrt(-high);
  if (low === 0 && high > 0) return high / 64;
  if (high === 0 && low < 0) return low / 64;
  return 0.5 * (low + high);
}

function valueAt(poles: Float64Array, weights: Float64Array, origin: number, offset: number): number {
  let value = 1;
  for (let i = 0; i < poles.length; i++) value += weights[i]! / (poles[i]! - origin - offset);
  return value;
}
