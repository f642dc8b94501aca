/**
 * Eigenvalues and vectors of a symmetric tridiagonal matrix by divide and conquer. Cuppen 1981; deflation and the
 * vectors that stay orthogonal: Gu & Eisenstat 1995 (LAPACK's dlaed2, dlaed3). Nearly all work is matrix products.
 */
import type { Gemm } from "./gemm";
import { smallTridiagonal } from "./smallTridiagonal";
import { secularRoot } from "./secular";

export interface Eigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** Row-major, of length n; row i is the vector of value i. */
  readonly vectors: Float64Array;
}

/** Up to this order the QL iteration is faster. */
const LEAF = 32;

/**
 * @param diagonal n
 * @param offDiagonal n − 1
 * @param count vectors wanted, those of the largest values: the last product, which takes most of the time, is that much smaller
 * @throws Error for entries that are not finite: their eigenvalues would look like some
 */
export function tridiagonalEigen(diagonal: Float64Array, offDiagonal: Float64Array, gemm: Gemm, count = diagonal.length): Eigen {
  if (!diagonal.every(Number.isFinite) || !offDiagonal.every(Number.isFinite)) throw new Error("A tridiagonal matrix has entries that are not finite.");
  return conquer(diagonal, offDiagonal, gemm, count);
}

function conquer(diagonal: Float64Array, offDiagonal: Float64Array, gemm: Gemm, count = diagonal.length): Eigen {
  const n = diagonal.length;
  if (n <= LEAF) {
    const { values, vectors } = smallTridiagonal(diagonal, offDiagonal);
    return { values: values.slice(n - count), vectors: vectors.slice((n - count) * n) };
  }
  const m = n >> 1;
  const coupling = offDiagonal[m - 1]!;
  // T = T₁ ⊕ T₂ + |β| u uᵀ with u = e_m ± e_{m+1}.
  const top = diagonal.slice(0, m);
  const bottom = diagonal.slice(m);
  top[m - 1]! -= Math.abs(coupling);
  bottom[0]! -= Math.abs(coupling);
  const first = conquer(top, offDiagonal.slice(0, m - 1), gemm);
  const second = conquer(bottom, offDiagonal.slice(m), gemm);
  return merge(first, second, coupling, gemm, count);
}

function merge(first: Eigen, second: Eigen, coupling: number, gemm: Gemm, count: number): Eigen {
  const [m, k] = [first.values.length, second.values.length];
  const n = m + k;
  const d = new Float64Array(n);
  const z = new Float64Array(n);
  const rows = new Float64Array(n * n);
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => valueOf(i) - valueOf(j));
  order.forEach((source, i) => {
    d[i] = valueOf(source);
    if (source < m) {
      z[i] = first.vectors[source * m + m - 1]!;
      rows.set(first.vectors.subarray(source * m, (source + 1) * m), i * n);
    } else {
      z[i] = Math.sign(coupling) * second.vectors[(source - m) * k]!;
      rows.set(second.vectors.subarray((source - m) * k, (source - m + 1) * k), i * n + m);
    }
  });
  const kept = deflate(d, z, rows, Math.abs(coupling));
  const updated = kept.length > 0 ? updatedVectors(d, z, rows, kept, Math.abs(coupling), gemm, count) : undefined;
  return sorted(d, rows, kept, updated, count);

  function valueOf(i: number): number {
    return i < m ? first.values[i]! : second.values[i - m]!;
  }
}

/**
 * Indices whose pair changes by the coupling. Where zᵢ is negligible it does not; where two values are close, a rotation
 * of their vectors makes one zᵢ zero.
 */
function deflate(d: Float64Array, z: Float64Array, rows: Float64Array, rho: number): number[] {
  const n = d.length;
  const scale = d.reduce((most, value) => Math.max(most, Math.abs(value)), rho);
  const tolerance = 8 * Number.EPSILON * scale;
  const kept: number[] = [];
  if (rho <= Number.EPSILON * Number.EPSILON * scale) return kept;
  let previous = -1;
  for (let i = 0; i < n; i++) {
    if (rho * Math.abs(z[i]!) <= tolerance) continue;
    if (previous >= 0) {
      const norm = Math.hypot(z[previous]!, z[i]!);
      const [c, s] = [z[i]! / norm, -z[previous]! / norm];
      const gap = d[i]! - d[previous]!;
      if (Math.abs(gap * c * s) <= tolerance) {
        z[i] = norm;
        rotateRows(rows, n, previous, i, c, s);
        const [a, b] = [d[previous]!, d[i]!];
        d[previous] = a * c * c + b * s * s;
        d[i] = a * s * s + b * c * c;
        kept.pop();
      }
    }
    kept.push(i);
    previous = i;
  }
  return kept;
}

function rotateRows(rows: Float64Array, n: number, p: number, q: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const [x, y] = [rows[p * n + k]!, rows[q * n + k]!];
    rows[p * n + k] = c * x + s * y;
    rows[q * n + k] = c * y - s * x;
  }
}

/** The largest `count` of the new values of the kept indices, ascending, and their vectors. */
function updatedVectors(d: Float64Array, z: Float64Array, rows: Float64Array, kept: readonly number[], rho: number, gemm: Gemm, count: number): { values: Float64Array; vectors: Float64Array } {
  const n = d.length;
  const size = kept.length;
  const poles = Float64Array.from(kept, (i) => d[i]!);
  const weights = Float64Array.from(kept, (i) => rho * z[i]! * z[i]!);
  const values = new Float64Array(size);
  // differences[j, i] = dᵢ − λⱼ, without cancellation.
  const differences = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    const { pole, offset } = secularRoot(poles, weights, j);
    values[j] = poles[pole]! + offset;
    for (let i = 0; i < size; i++) differences[j * size + i] = poles[i]! - poles[pole]! - offset;
  }
  // Gu & Eisenstat: the z of which the computed λ are the exact eigenvalues; its sign is that of the old one.
  const exact = new Float64Array(size).fill(1);
  for (let j = 0; j < size; j++) {
    for (let i = 0; i < size; i++) exact[i]! *= i === j ? -differences[j * size + i]! : differences[j * size + i]! / (poles[i]! - poles[j]!);
  }
  for (let i = 0; i < size; i++) exact[i] = Math.sqrt(Math.abs(exact[i]!)) * Math.sign(z[kept[i]!]!);
  const first = Math.max(0, size - count);
  for (let j = first; j < size; j++) {
    let norm = 0;
    for (let i = 0; i < size; i++) {
      const entry = exact[i]! / differences[j * size + i]!;
      differences[j * size + i] = entry;
      norm += entry * entry;
    }
    norm = Math.sqrt(norm);
    for (let i = 0; i < size; i++) differences[j * size + i]! /= norm;
  }
  const old = new Float64Array(size * n);
  kept.forEach((source, i) => old.set(rows.subarray(source * n, (source + 1) * n), i * n));
  const wanted = size - first;
  const vectors = new Float64Array(wanted * n);
  gemm.multiply({ rows: wanted, columns: size, data: differences.subarray(first * size) }, { rows: size, columns: n, data: old }, { rows: wanted, columns: n, data: vectors });
  return { values: values.subarray(first), vectors };
}

function sorted(d: Float64Array, rows: Float64Array, kept: readonly number[], updated: { values: Float64Array; vectors: Float64Array } | undefined, count: number): Eigen {
  const n = d.length;
  const isKept = new Uint8Array(n);
  for (const i of kept) isKept[i] = 1;
  const all: { value: number; vector: Float64Array }[] = [];
  for (let i = 0; i < n; i++) if (isKept[i] === 0) all.push({ value: d[i]!, vector: rows.subarray(i * n, (i + 1) * n) });
  updated?.values.forEach((value, i) => all.push({ value, vector: updated.vectors.subarray(i * n, (i + 1) * n) }));
  const largest = all.sort((left, right) => left.value - right.value).slice(-count);
  const vectors = new Float64Array(largest.length * n);
  largest.forEach(({ vector }, i) => vectors.set(vector, i * n));
  return { values: Float64Array.from(largest, ({ value }) => value), vectors };
}
