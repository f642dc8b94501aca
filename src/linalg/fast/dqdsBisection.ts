/**
 * Eigenvalues σ + λ, λ those of BᵀB for the bidiagonal B with the squares q[0 … last] and e[0 … last − 1], by bisection on the number
 * of negative pivots of BᵀB − x (Fernando & Parlett 1994, stationary qd): slow, and never fails. Ascending.
 */
export function bisectedEigenvalues(q: Float64Array, e: Float64Array, last: number, sigma: number): Float64Array {
  let top = 0;
  for (let i = 0; i <= last; i++) top = Math.max(top, q[i]! + 2 * Math.sqrt(q[i]! * e[i]!) + e[i]! + (i > 0 ? 2 * e[i - 1]! : 0));
  return Float64Array.from({ length: last + 1 }, (_, k) => {
    let [low, high] = [0, 4 * top];
    while (high - low > Number.EPSILON * (sigma + high)) {
      const middle = 0.5 * (low + high);
      if (middle === low || middle === high) break;
      if (countBelow(q, e, last, middle) > k) high = middle;
      else low = middle;
    }
    return sigma + 0.5 * (low + high);
  });
}

/** Eigenvalues below x: the differential stationary qd transformation, with LAPACK's way through infinite pivots (dlaneg). */
function countBelow(q: Float64Array, e: Float64Array, last: number, x: number): number {
  let count = 0;
  let s = -x;
  for (let i = 0; i <= last; i++) {
    const pivot = q[i]! + s;
    if (pivot < 0) count++;
    const ratio = s / pivot;
    s = e[i] === 0 ? -x : (Number.isNaN(ratio) ? 1 : ratio) * e[i]! - x;
  }
  return count;
}
