/**
 * A symmetric matrix → tridiagonal form by Householder reflectors, with the trailing matrix updated by products of
 * blocks: LAPACK's dsytrd (Dongarra, Hammarling & Sorensen 1989). Half of the work is matrix-vector products, which
 * memory bounds: this serves singular vectors, not values.
 */
import type { Gemm } from "./gemm";
import type { KernelModule } from "./kernels";

/** Columns between two updates of the trailing matrix. */
const PANEL = 32;

export interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly offDiagonal: Float64Array;
  /** Row j is the reflector that cleared column j, with zeros up to j and one at j + 1. */
  readonly reflectors: Float64Array;
  readonly taus: Float64Array;
}

/** @param matrix n × n row-major; only the lower triangle is used */
export function tridiagonalize(matrix: Float64Array, n: number, gemm: Gemm, module: KernelModule): Tridiagonal {
  const width = 2 * PANEL;
  // Trailing matrix = A − V Wᵀ − W Vᵀ: rows of `left` hold (V, W), rows of `right` hold (W, V).
  const [a, x, w, column, left, right, sums] = module.allocate("float64", n * n, n, n, n, n * width, n * width, width) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  a.set(matrix);
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(Math.max(0, n - 1));
  const reflectors = new Float64Array(n * n);
  const taus = new Float64Array(n);
  for (let first = 0; first < n; first += PANEL) {
    const count = Math.min(PANEL, n - first);
    left.fill(0);
    right.fill(0);
    for (let k = 0; k < count; k++) {
      const j = first + k;
      const pending = k + (k & 1);
      module.pendingColumn(a.byteOffset, n, j, n, left.byteOffset, right.byteOffset, PANEL, pending, column.byteOffset);
      diagonal[j] = column[j]!;
      if (j === n - 1) break;
      const v = reflectors.subarray(j * n, (j + 1) * n);
      const { beta, tau } = reflectorOf(column, j + 1, v);
      offDiagonal[j] = beta;
      taus[j] = tau;
      if (tau === 0) continue;
      x.set(v);
      module.symmetricTimes(a.byteOffset, n, j + 1, n, x.byteOffset, w.byteOffset);
      module.subtractPending(w.byteOffset, x.byteOffset, j + 1, n, left.byteOffset, right.byteOffset, PANEL, pending, sums.byteOffset);
      let half = 0;
      for (let i = j + 1; i < n; i++) half += w[i]! * v[i]!;
      half *= 0.5 * tau * tau;
      for (let i = j + 1; i < n; i++) {
        const value = tau * w[i]! - half * v[i]!;
        left[i * width + k] = right[i * width + PANEL + k] = v[i]!;
        left[i * width + PANEL + k] = right[i * width + k] = value;
      }
    }
    const next = first + count;
    if (next < n) {
      const rows = { rows: n - next, columns: width, data: left.subarray(next * width) };
      gemm.subtractTransB(rows, { rows: n, columns: width, data: right }, { rows: n - next, columns: n, data: a.subarray(next * n) });
    }
  }
  return { diagonal, offDiagonal, reflectors, taus };
}

/** The reflector that makes all of x after `pivot` zero, written to v. */
function reflectorOf(x: Float64Array, pivot: number, v: Float64Array): { beta: number; tau: number } {
  const alpha = x[pivot]!;
  let tail = 0;
  for (let i = pivot + 1; i < x.length; i++) tail += x[i]! * x[i]!;
  v[pivot] = 1;
  if (tail === 0) return { beta: alpha, tau: 0 };
  const norm = Math.sqrt(alpha * alpha + tail);
  const beta = alpha > 0 ? -norm : norm;
  for (let i = pivot + 1; i < x.length; i++) v[i] = x[i]! / (alpha - beta);
  return { beta, tau: (beta - alpha) / beta };
}
