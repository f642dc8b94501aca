import { choleskyFactor } from "../linalg/cholesky";
import type { Block, Gemm } from "../linalg/fast/gemm";
import type { Matrix } from "../linalg/matrix";
import { sumOfSquares } from "../linalg/sumOfSquares";
import type { TruncatedSvd } from "../linalg/svd";
import { transposed } from "../linalg/transposed";
import type { Moment } from "./moment";

/**
 * Directions of which the inputs have less than this part of the energy of the strongest: data says nothing of them, and they
 * count as much as this, so that a layer at full rank is what it was and one cut below it keeps of them what costs nothing.
 */
const FLOOR = 1e-8;

/** Samples for each input from which on a moment is taken as it is. */
const ENOUGH = 10;

/** Which side of a matrix inputs multiply: (out, in) has them as columns, (in, out) as rows. */
export type InputSide = "rows" | "columns";

/**
 * S of n × n with S Sᵀ = the mean of x xᵀ, so that ‖(W − Ŵ)S‖_F² is the mean of ‖(W − Ŵ)x‖² (SVD-LLM: Wang et al., 2024): by
 * Cholesky's factorization, and where some combination of inputs is all but zero by eigenvectors, Q √Λ, with small Λ raised.
 */
export async function whiteningOf(moment: Moment, svd: TruncatedSvd): Promise<Float64Array> {
  const { inputs: n } = moment;
  const mean = shrunk(moment);
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

/**
 * Few samples leave out directions that other inputs have, and a cut that follows them alone loses those: the moment is drawn
 * towards that of inputs without a direction, as far as its samples vary (Ledoit & Wolf, A well-conditioned estimator for
 * large-dimensional covariance matrices, 2004).
 */
function shrunk({ inputs: n, count, mean, fourth }: Moment): Float64Array {
  if (count >= ENOUGH * n) return mean;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += mean[i * n + i]!;
  const squares = sumOfSquares(mean), level = trace / n;
  // ‖M − μI‖² = ‖M‖² − nμ², and the mean of ‖x xᵀ − M‖² is that of ‖x‖⁴ less ‖M‖². One sample says nothing of how they vary.
  const away = squares - n * level * level, noise = count > 1 ? (fourth - squares) / (count - 1) : away;
  const share = away <= 0 ? 1 : Math.min(1, Math.max(0, noise / away));
  const result = mean.map((value) => (1 - share) * value);
  for (let i = 0; i < n; i++) result[i * n + i]! += share * level;
  return result;
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
