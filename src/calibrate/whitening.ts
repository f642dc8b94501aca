import { choleskyFactor } from "../linalg/cholesky";
import type { Block, Gemm } from "../linalg/fast/gemm";
import type { Matrix } from "../linalg/matrix";
import type { TruncatedSvd } from "../linalg/svd";
import { transposed } from "../linalg/transposed";
import type { Moment } from "./moment";

/**
 * Directions of which the inputs have less than this part of the energy of the strongest: data says nothing of them, and they
 * count as much as this, so that a layer at full rank is what it was and one cut below it keeps of them what costs nothing.
 */
const FLOOR = 1e-8;

/** Which side of a matrix inputs multiply: (out, in) has them as columns, (in, out) as rows. */
export type InputSide = "rows" | "columns";

/**
 * S of n × n with S Sᵀ = the mean of x xᵀ, so that ‖(W − Ŵ)S‖_F² is the mean of ‖(W − Ŵ)x‖² (SVD-LLM: Wang et al., 2024): by
 * Cholesky's factorization, and where some combination of inputs is all but zero by eigenvectors, Q √Λ, with small Λ raised.
 */
export async function whiteningOf({ inputs: n, mean }: Moment, svd: TruncatedSvd): Promise<Float64Array> {
  const factor = mean.slice();
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, mean[i * n + i]!);
  if (choleskyFactor(factor, n, 0, FLOOR * largest)) {
    for (let i = 0; i < n; i++) factor.fill(0, i * n + i + 1, (i + 1) * n);
    return factor;
  }
  // Symmetric and positive semidefinite: its singular vectors are its eigenvectors.
  const { values, left } = await svd.truncate({ rows: n, columns: n, data: mean }, n);
  const roots = values.map((value) => Math.sqrt(Math.max(value, FLOOR * values[0]!)));
  for (let at = 0; at < left.length;) for (let k = 0; k < n; k++) left[at++]! *= roots[k]!;
  return left;
}

/** A weight as (out, in). */
export function outputsFirst({ rows, columns, data }: Matrix, side: InputSide): Block {
  if (side === "rows") return { rows: columns, columns: rows, data: transposed(data, rows, columns) };
  return { rows, columns, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

/** W S. @param weight (out, in) */
export function whitened(weight: Block, whitening: Float64Array, gemm: Gemm): Block {
  const { rows, columns } = weight;
  const result = { rows, columns, data: new Float64Array(rows * columns) };
  gemm.multiply(weight, { rows: columns, columns, data: whitening }, result);
  return result;
}
