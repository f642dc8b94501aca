/**
 * The leading singular triplets by eigenvectors of the Gram matrix of the short side, of which only those asked for are
 * made; the other side follows by one product with A. For a quarter of the triplets half the time of all of them or less.
 */
import type { Triplets } from "../svd";
import type { Block, Gemm } from "./gemm";
import { GramMatrix } from "./gram";
import type { KernelModule } from "./kernels";
import { scaleToModerate } from "./scaling";
import { symmetricEigen } from "./symmetricEigen";
import { transposed } from "../transposed";

/** Squaring leaves of smaller values, as parts of the largest, less than ten digits: vectors of this one are orthogonal to 1e-10. */
const SMALLEST = 1e-3;

/**
 * @param matrix m × n of finite values, which is left as it is
 * @param count at most min(m, n)
 * @returns null where the last triplet asked for is too small for its square to be told from rounding
 */
export function gramTriplets(matrix: Block, count: number, gemm: Gemm, module: KernelModule): Triplets | null {
  const { rows, columns } = matrix;
  const a = { rows, columns, data: new Float64Array(matrix.data) };
  const { unscale } = scaleToModerate(a.data);
  const isTall = rows > columns;
  const short = Math.min(rows, columns);
  const near = leadingEigenvectors(a, count, gemm, module);
  if (isTall) {
    const left = new Float64Array(rows * count);
    gemm.multiplyTransB(a, { rows: count, columns: short, data: near }, { rows, columns: count, data: left });
    const values = columnNorms(left, count);
    if (!isTrusted(values)) return null;
    for (let at = 0; at < left.length;) for (let k = 0; k < count; k++) left[at++]! /= values[k]!;
    return { rank: count, values: unscaled(values, unscale), left, right: near };
  }
  const right = new Float64Array(count * columns);
  gemm.multiply({ rows: count, columns: short, data: near }, a, { rows: count, columns, data: right });
  const values = rowNorms(right, count);
  if (!isTrusted(values)) return null;
  for (let k = 0, at = 0; k < count; k++) for (let j = 0; j < columns; j++) right[at++]! /= values[k]!;
  return { rank: count, values: unscaled(values, unscale), left: transposed(near, count, rows), right };
}

/** Vectors of the short side as rows, largest value first. */
function leadingEigenvectors(a: Block, count: number, gemm: Gemm, module: KernelModule): Float64Array {
  const short = Math.min(a.rows, a.columns);
  const gram = new GramMatrix(short, gemm);
  if (a.rows > a.columns) gram.addRows(a);
  else gram.addColumns(a);
  const { vectors } = symmetricEigen(gram.toDense(), short, gemm, module, count);
  const descending = new Float64Array(vectors.length);
  for (let i = 0; i < count; i++) descending.set(vectors.subarray((count - 1 - i) * short, (count - i) * short), i * short);
  return descending;
}

function isTrusted(values: Float64Array): boolean {
  return values.at(-1)! > SMALLEST * values[0]!;
}

function unscaled(values: Float64Array, unscale: number): Float64Array {
  return values.map((value) => value * unscale);
}

function rowNorms(data: Float64Array, rows: number): Float64Array {
  const columns = data.length / rows;
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let at = i * columns; at < (i + 1) * columns; at++) sum += data[at]! ** 2;
    return Math.sqrt(sum);
  });
}

function columnNorms(data: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let at = 0; at < data.length;) for (let k = 0; k < columns; k++, at++) sums[k]! += data[at]! ** 2;
  return sums.map(Math.sqrt);
}
