/** Small matrices directly: Golub–Kahan bidiagonalization in float64. Golub & Van Loan, Matrix Computations, 5.4.8. */
import { sumLanes } from "./lanes";

/**
 * Reduces the n × n row-major matrix at `a` (row stride in elements, a multiple of 2, with zeros beyond n) to upper
 * bidiagonal form; n diagonal entries go to d and n − 1 to e. `v` and `w` are scratch of one row each.
 */
export function bidiagonalize(a: usize, n: i32, stride: i32, d: usize, e: usize, v: usize, w: usize): void {
  const row = <usize>stride << 3;
  for (let k = 0; k < n; k++) {
    const from = <usize>(k & ~1) << 3;
    const pivot = a + <usize>k * row + (<usize>k << 3);
    for (let i = k; i < n; i++) store<f64>(v + (<usize>i << 3), load<f64>(a + <usize>i * row + (<usize>k << 3)));
    store<f64>(d + (<usize>k << 3), reflectLeft(a, k, n, row, from, v, w));
    if (k == n - 1) return;
    store<f64>(e + (<usize>k << 3), reflectRight(a, pivot, k, n, row, v));
  }
}

/** Clears column k below its diagonal; v holds the column. Returns the new diagonal entry. */
function reflectLeft(a: usize, k: i32, n: i32, row: usize, from: usize, v: usize, w: usize): f64 {
  const alpha = load<f64>(v + (<usize>k << 3));
  let tail: f64 = 0;
  for (let i = k + 1; i < n; i++) tail += load<f64>(v + (<usize>i << 3)) * load<f64>(v + (<usize>i << 3));
  if (tail == 0) return alpha;
  const norm = sqrt<f64>(alpha * alpha + tail);
  const beta = alpha > 0 ? -norm : norm;
  const tau = (beta - alpha) / beta;
  const scale = 1 / (alpha - beta);
  store<f64>(v + (<usize>k << 3), 1);
  for (let i = k + 1; i < n; i++) store<f64>(v + (<usize>i << 3), scale * load<f64>(v + (<usize>i << 3)));
  memory.fill(w, 0, row);
  for (let i = k; i < n; i++) {
    const x = f64x2.splat(load<f64>(v + (<usize>i << 3)));
    const p = a + <usize>i * row;
    for (let o = from; o < row; o += 16) v128.store(w + o, f64x2.add(v128.load(w + o), f64x2.mul(x, v128.load(p + o))));
  }
  for (let i = k; i < n; i++) {
    const x = f64x2.splat(tau * load<f64>(v + (<usize>i << 3)));
    const p = a + <usize>i * row;
    for (let o = from; o < row; o += 16) v128.store(p + o, f64x2.sub(v128.load(p + o), f64x2.mul(x, v128.load(w + o))));
  }
  return beta;
}

/** Clears row k right of its superdiagonal. Returns the new superdiagonal entry. */
function reflectRight(a: usize, pivot: usize, k: i32, n: i32, row: usize, v: usize): f64 {
  const alpha = load<f64>(pivot, 8);
  let tail: f64 = 0;
  for (let j = k + 2; j < n; j++) tail += load<f64>(a + <usize>k * row + (<usize>j << 3)) * load<f64>(a + <usize>k * row + (<usize>j << 3));
  if (tail == 0) return alpha;
  const norm = sqrt<f64>(alpha * alpha + tail);
  const beta = alpha > 0 ? -norm : norm;
  const tau = (beta - alpha) / beta;
  const scale = 1 / (alpha - beta);
  const from = <usize>((k + 1) & ~1) << 3;
  memory.fill(v, 0, row);
  store<f64>(v + (<usize>(k + 1) << 3), 1);
  for (let j = k + 2; j < n; j++) store<f64>(v + (<usize>j << 3), scale * load<f64>(a + <usize>k * row + (<usize>j << 3)));
  for (let i = k + 1; i < n; i++) {
    const p = a + <usize>i * row;
    let s = f64x2.splat(0);
    for (let o = from; o < row; o += 16) s = f64x2.add(s, f64x2.mul(v128.load(p + o), v128.load(v + o)));
    const x = f64x2.splat(tau * sumLanes<f64>(s));
    for (let o = from; o < row; o += 16) v128.store(p + o, f64x2.sub(v128.load(p + o), f64x2.mul(x, v128.load(v + o))));
  }
  return beta;
}
