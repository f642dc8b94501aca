/** Cholesky factorization of one diagonal block in float64. Golub & Van Loan, Matrix Computations, 4.2. */
import { sumLanes } from "./lanes";

// @ts-ignore: decorator
@inline
function at(matrix: usize, n: i32, i: i32, j: i32): usize {
  return matrix + (<usize>(i * n + j) << 3);
}

/**
 * The lower triangle of the n × n matrix at `a` ← its Cholesky factor L, and `inverse` (n × n of zeros) ← L⁻¹. A pivot of
 * `smallest` or less becomes zero, as does what lies below it in L and its row of the inverse.
 */
export function choleskyBlock(a: usize, n: i32, smallest: f64, inverse: usize): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const pivot = load<f64>(at(a, n, j, j));
      const entry = at(a, n, i, j);
      store<f64>(entry, pivot == 0 ? 0 : (load<f64>(entry) - dot(at(a, n, i, 0), at(a, n, j, 0), j)) / pivot);
    }
    const corner = at(a, n, i, i);
    const rest = load<f64>(corner) - dot(at(a, n, i, 0), at(a, n, i, 0), i);
    const pivot = rest > smallest ? sqrt(rest) : 0;
    store<f64>(corner, pivot);
    if (pivot == 0) continue;
    // L⁻¹[i, :] = (eᵢ − Σ L[i, k] L⁻¹[k, :]) / L[i, i].
    const row = at(inverse, n, i, 0);
    for (let k = 0; k < i; k++) subtractScaled(row, at(inverse, n, k, 0), load<f64>(at(a, n, i, k)), k + 1);
    store<f64>(row + (<usize>i << 3), 1);
    for (let o: usize = 0; o <= <usize>i << 3; o += 8) store<f64>(row + o, load<f64>(row + o) / pivot);
  }
}

function dot(p: usize, q: usize, length: i32): f64 {
  let s = f64x2.splat(0);
  let t = s;
  const whole = p + (<usize>(length & ~3) << 3);
  const end = p + (<usize>length << 3);
  for (; p < whole; p += 32, q += 32) {
    s = f64x2.add(s, f64x2.mul(v128.load(p), v128.load(q)));
    t = f64x2.add(t, f64x2.mul(v128.load(p, 16), v128.load(q, 16)));
  }
  let sum = sumLanes<f64>(f64x2.add(s, t));
  for (; p < end; p += 8, q += 8) sum += load<f64>(p) * load<f64>(q);
  return sum;
}

/** row ← row − weight · other. */
function subtractScaled(row: usize, other: usize, weight: f64, length: i32): void {
  const w = f64x2.splat(weight);
  const whole = row + (<usize>(length & ~1) << 3);
  for (; row < whole; row += 16, other += 16) v128.store(row, f64x2.sub(v128.load(row), f64x2.mul(w, v128.load(other))));
  if (length & 1) store<f64>(row, load<f64>(row) - weight * load<f64>(other));
}
