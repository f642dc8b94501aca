/**
 * All singular values and vectors, in float64: eigenvectors of the Gram matrix of the short side, then the other
 * side as their products with A. Squaring hides what is below 1e-8·σ₁, so the part of A that belongs to small values is
 * taken apart again by itself: its Gram matrix has a smaller scale.
 *
 * Cost for n × n: about 12 n³ operations, two thirds of them products, and n³/3 entries read by matrix-vector products.
 */
import type { Block, Gemm } from "./gemm";
import { GramMatrix } from "./gram";
import type { KernelModule } from "./kernels";
import { scaleToModerate } from "./scaling";
import { symmetricEigen } from "./symmetricEigen";
import type { Triplets } from "./triplets";
import { transposed } from "../transposed";

/** Values below this part of the largest are taken apart again: what comes before is orthogonal to 1e-16/1e-5². */
const TRUSTED = 1e-3;
/** A rest of this part of A is its rounding: the values are zero, the vectors any that complete the basis. */
const ROUNDING = 1e-15;

/** All min(m, n) triplets of an m × n matrix of finite values, which is left as it is. Exact to about 1e-14·σ₁. */
export function allTriplets(matrix: Block, gemm: Gemm, module: KernelModule): Triplets {
  const { rows, columns } = matrix;
  const wide = rows <= columns ? new Float64Array(matrix.data) : transposed(matrix.data, rows, columns);
  const { unscale } = scaleToModerate(wide);
  const [short, long] = rows <= columns ? [rows, columns] : [columns, rows];
  const { values, near, far } = triplets({ rows: short, columns: long, data: wide }, gemm, module);
  const scaled = values.map((value) => value * unscale);
  return rows <= columns ? { values: scaled, left: near, right: far } : { values: scaled, left: far, right: near };
}

/** Vectors of the rows' side (near) and of the columns' side (far) of a wide matrix. */
interface Sides {
  readonly values: Float64Array;
  readonly near: Float64Array;
  readonly far: Float64Array;
}

function triplets(a: Block, gemm: Gemm, module: KernelModule): Sides {
  const { rows: short, columns: long } = a;
  const values = new Float64Array(short);
  const near = new Float64Array(short * short);
  const far = new Float64Array(short * long);
  for (let i = 0; i < short; i++) near[i * short + i] = 1;
  // Rows from `done` on hold what is left of A in the basis `near`.
  far.set(a.data.subarray(0, short * long));
  let floor = 0;
  for (let done = 0; done < short; ) {
    const rest: Block = { rows: short - done, columns: long, data: far.subarray(done * long) };
    const basis: Block = { rows: short - done, columns: short, data: near.subarray(done * short) };
    const norms = diagonalize(rest, basis, gemm, module);
    if (done === 0) floor = ROUNDING * norms[0]!;
    if (norms[0]! <= floor) {
      completeBasis(far, done, short, long);
      break;
    }
    let trusted = 1;
    while (trusted < norms.length && norms[trusted]! > TRUSTED * norms[0]!) trusted++;
    for (let i = 0; i < trusted; i++) {
      values[done + i] = norms[i]!;
      for (let k = 0; k < long; k++) rest.data[i * long + k]! /= norms[i]!;
    }
    const found: Block = { rows: done + trusted, columns: long, data: far.subarray(0, (done + trusted) * long) };
    orthogonalizeLast(found, trusted, gemm);
    done += trusted;
    if (done < short) project({ rows: short - done, columns: long, data: far.subarray(done * long) }, found, gemm);
  }
  return { values, near, far };
}

/** Rotates the rows so that they are orthogonal, longest first; the basis turns with them. Returns their norms. */
function diagonalize(rest: Block, basis: Block, gemm: Gemm, module: KernelModule): Float64Array {
  const { rows, columns } = rest;
  const gram = new GramMatrix(rows, gemm);
  gram.addColumns(rest);
  const { vectors } = symmetricEigen(gram.toDense(), rows, gemm, module);
  const descending = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) descending.set(vectors.subarray((rows - 1 - i) * rows, (rows - i) * rows), i * rows);
  for (const turned of [rest, basis]) {
    const result = new Float64Array(rows * turned.columns);
    gemm.multiply({ rows, columns: rows, data: descending }, turned, { rows, columns: turned.columns, data: result });
    turned.data.set(result);
  }
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let k = i * columns; k < (i + 1) * columns; k++) sum += rest.data[k]! * rest.data[k]!;
    return Math.sqrt(sum);
  });
}

/** rest ← rest − (rest·foundᵀ)·found */
function project(rest: Block, found: Block, gemm: Gemm): void {
  const parts: Block = { rows: rest.rows, columns: found.rows, data: new Float64Array(rest.rows * found.rows) };
  gemm.multiplyTransB(rest, found, parts);
  gemm.subtract(parts, found, rest);
}

/**
 * One Newton–Schulz step on the last rows, Q ← Q + ½(I − QQᵀ)Q: they are orthonormal to 1e-10 already, and to rounding
 * after it. The rows before are exact, and these were made orthogonal to them.
 */
function orthogonalizeLast(found: Block, count: number, gemm: Gemm): void {
  const { columns } = found;
  const last: Block = { rows: count, columns, data: found.data.subarray((found.rows - count) * columns) };
  const gram: Block = { rows: count, columns: count, data: new Float64Array(count * count) };
  gemm.multiplyTransB(last, last, gram);
  for (let i = 0; i < count; i++) for (let j = 0; j < count; j++) gram.data[i * count + j] = 0.5 * (gram.data[i * count + j]! - (i === j ? 1 : 0));
  const copy: Block = { rows: count, columns, data: last.data.slice() };
  gemm.subtract(gram, copy, last);
}

/** Rows from `done` on become orthonormal and orthogonal to those before: unit vectors, made so by Gram and Schmidt, twice. */
function completeBasis(far: Float64Array, done: number, short: number, long: number): void {
  let candidate = 0;
  for (let i = done; i < short; candidate++) {
    const row = far.subarray(i * long, (i + 1) * long);
    row.fill(0);
    row[candidate] = 1;
    let norm = 1;
    for (let pass = 0; pass < 2; pass++) {
      for (let p = 0; p < i; p++) {
        let inner = 0;
        for (let k = 0; k < long; k++) inner += row[k]! * far[p * long + k]!;
        for (let k = 0; k < long; k++) row[k]! -= inner * far[p * long + k]!;
      }
      norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
      // Mostly inside what is spanned already: another one is better.
      if (norm < 1e-2) break;
      for (let k = 0; k < long; k++) row[k]! /= norm;
    }
    if (norm >= 1e-2) i++;
  }
}
