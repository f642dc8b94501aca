import type { Eigen } from "./divideAndConquer";

/** The QL iteration converges in two or three steps for each value; EISPACK gives up after 30. */
const MOST_STEPS = 60;

/** Eigenvalues (ascending) and vectors (as rows) of a small symmetric tridiagonal matrix by implicit QL: EISPACK's tql2. */
export function smallTridiagonal(diagonal: Float64Array, offDiagonal: Float64Array): Eigen {
  const n = diagonal.length;
  const d = diagonal.slice();
  const e = new Float64Array(n);
  e.set(offDiagonal);
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) rows[i * n + i] = 1;
  for (let l = 0; l < n; l++) {
    for (let step = 0; step < MOST_STEPS; step++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!)) + Number.MIN_VALUE) m++;
      if (m === l) break;
      qlStep(d, e, rows, l, m);
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => d[i]! - d[j]!);
  const vectors = new Float64Array(n * n);
  order.forEach((source, i) => vectors.set(rows.subarray(source * n, (source + 1) * n), i * n));
  return { values: Float64Array.from(order, (i) => d[i]!), vectors };
}

/** One implicit QL step on rows l … m with Wilkinson's shift. */
function qlStep(d: Float64Array, e: Float64Array, rows: Float64Array, l: number, m: number): void {
  const n = d.length;
  let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  let r = Math.hypot(g, 1);
  g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1]! - p;
    r = (d[i]! - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    for (let k = 0; k < n; k++) {
      const [x, y] = [rows[(i + 1) * n + k]!, rows[i * n + k]!];
      rows[(i + 1) * n + k] = s * y + c * x;
      rows[i * n + k] = c * y - s * x;
    }
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
}
