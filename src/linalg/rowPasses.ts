/**
 * The inner loops of the reductions: passes over rows of a row-major matrix, four rows at a time. All time is spent
 * here. Each pass reads a row once for everything that is wanted of it (the BLAS 2.5 operators of Howell, Demmel,
 * Fulton, Hammarling & Marmol, Cache efficient bidiagonalization, 2008), and the four rows share the loads of the
 * vectors, which in plain JavaScript is what decides the speed.
 */

/** Rows [firstRow, endRow) and columns [firstColumn, width) of a row-major matrix of that width. */
export interface Window {
  readonly a: Float64Array;
  readonly width: number;
  readonly firstRow: number;
  readonly endRow: number;
  readonly firstColumn: number;
}

/** A ← A − u yᵀ − x vᵀ, then sum ← sum + Aᵀ w. */
export function updateTwiceAndProject(
  { a, width, firstRow, endRow, firstColumn }: Window,
  u: Float64Array, y: Float64Array, x: Float64Array, v: Float64Array, w: Float64Array, sum: Float64Array,
): void {
  let i = firstRow;
  for (; i + 3 < endRow; i += 4) {
    const [u0, u1, u2, u3] = [u[i]!, u[i + 1]!, u[i + 2]!, u[i + 3]!];
    const [x0, x1, x2, x3] = [x[i]!, x[i + 1]!, x[i + 2]!, x[i + 3]!];
    const [w0, w1, w2, w3] = [w[i]!, w[i + 1]!, w[i + 2]!, w[i + 3]!];
    let p0 = i * width + firstColumn;
    let [p1, p2, p3] = [p0 + width, p0 + 2 * width, p0 + 3 * width];
    for (let j = firstColumn; j < width; j++) {
      const yj = y[j]!;
      const vj = v[j]!;
      const a0 = a[p0]! - u0 * yj - x0 * vj;
      const a1 = a[p1]! - u1 * yj - x1 * vj;
      const a2 = a[p2]! - u2 * yj - x2 * vj;
      const a3 = a[p3]! - u3 * yj - x3 * vj;
      a[p0++] = a0;
      a[p1++] = a1;
      a[p2++] = a2;
      a[p3++] = a3;
      sum[j]! += w0 * a0 + w1 * a1 + w2 * a2 + w3 * a3;
    }
  }
  for (; i < endRow; i++) {
    const [u0, x0, w0] = [u[i]!, x[i]!, w[i]!];
    let p = i * width + firstColumn;
    for (let j = firstColumn; j < width; j++) {
      const a0 = a[p]! - u0 * y[j]! - x0 * v[j]!;
      a[p++] = a0;
      sum[j]! += w0 * a0;
    }
  }
}

/** A ← A − u yᵀ, then sum ← sum + Aᵀ w. */
export function updateAndProject(
  { a, width, firstRow, endRow, firstColumn }: Window,
  u: Float64Array, y: Float64Array, w: Float64Array, sum: Float64Array,
): void {
  let i = firstRow;
  for (; i + 3 < endRow; i += 4) {
    const [u0, u1, u2, u3] = [u[i]!, u[i + 1]!, u[i + 2]!, u[i + 3]!];
    const [w0, w1, w2, w3] = [w[i]!, w[i + 1]!, w[i + 2]!, w[i + 3]!];
    let p0 = i * width + firstColumn;
    let [p1, p2, p3] = [p0 + width, p0 + 2 * width, p0 + 3 * width];
    for (let j = firstColumn; j < width; j++) {
      const yj = y[j]!;
      const a0 = a[p0]! - u0 * yj;
      const a1 = a[p1]! - u1 * yj;
      const a2 = a[p2]! - u2 * yj;
      const a3 = a[p3]! - u3 * yj;
      a[p0++] = a0;
      a[p1++] = a1;
      a[p2++] = a2;
      a[p3++] = a3;
      sum[j]! += w0 * a0 + w1 * a1 + w2 * a2 + w3 * a3;
    }
  }
  for (; i < endRow; i++) {
    const [u0, w0] = [u[i]!, w[i]!];
    let p = i * width + firstColumn;
    for (let j = firstColumn; j < width; j++) {
      const a0 = a[p]! - u0 * y[j]!;
      a[p++] = a0;
      sum[j]! += w0 * a0;
    }
  }
}

/** out ← A v over the window's rows. */
export function multiply({ a, width, firstRow, endRow, firstColumn }: Window, v: Float64Array, out: Float64Array): void {
  let i = firstRow;
  for (; i + 3 < endRow; i += 4) {
    let p0 = i * width + firstColumn;
    let [p1, p2, p3] = [p0 + width, p0 + 2 * width, p0 + 3 * width];
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let j = firstColumn; j < width; j++) {
      const vj = v[j]!;
      s0 += a[p0++]! * vj;
      s1 += a[p1++]! * vj;
      s2 += a[p2++]! * vj;
      s3 += a[p3++]! * vj;
    }
    out[i] = s0;
    out[i + 1] = s1;
    out[i + 2] = s2;
    out[i + 3] = s3;
  }
  for (; i < endRow; i++) {
    let p = i * width + firstColumn;
    let s = 0;
    for (let j = firstColumn; j < width; j++) s += a[p++]! * v[j]!;
    out[i] = s;
  }
}
