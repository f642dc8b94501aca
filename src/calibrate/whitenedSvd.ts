import type { Gemm } from "../linalg/fast/gemm";
import type { Matrix } from "../linalg/matrix";
import type { Triplets, TruncatedSvd } from "../linalg/svd";
import { sumOfSquares } from "../linalg/sumOfSquares";
import { transposed } from "../linalg/transposed";
import type { Moment } from "./moment";
import { outputsFirst, whitened, whiteningOf, type InputSide } from "./whitening";

/**
 * The matrix of a rank whose outputs are nearest to the original's on some inputs: Ŵ = U Uᵀ W for the leading left singular
 * vectors U of W S. That is unwhitened, as U Σ Vᵀ S⁻¹ = U Uᵀ W, and the same as the principal components of the outputs
 * (AFM: Yu & Wu, 2023) and EoRA's projection on the inputs' eigenspace.
 */
export class WhitenedSvd implements TruncatedSvd {
  private readonly whitenings = new Map<number, Promise<Float64Array>>();

  /** @param moments one for each of the layer's matrices */
  constructor(private readonly svd: TruncatedSvd, private readonly gemm: Gemm, private readonly moments: readonly Moment[], private readonly side: InputSide) {}

  /** @returns vectors of the outputs' side are orthonormal, those of the inputs' of length 1; the output's energy falls from one to the next, values need not */
  async truncate(matrix: Matrix, rank: number, group = 0): Promise<Triplets> {
    const weight = outputsFirst(matrix, this.side);
    const { rows: outputs, columns: inputs } = weight;
    const { left } = await this.svd.truncate(whitened(weight, await this.whitening(group), this.gemm), rank);
    const basis = transposed(left, outputs, rank);
    const images = new Float64Array(rank * inputs);
    this.gemm.multiply({ rows: rank, columns: outputs, data: basis }, weight, { rows: rank, columns: inputs, data: images });
    const values = normalizedRows(images, rank);
    return this.side === "columns" ? { rank, values, left, right: images } : { rank, values, left: transposed(images, rank, inputs), right: basis };
  }

  private whitening(group: number): Promise<Float64Array> {
    const moment = this.moments[group];
    if (moment === undefined) throw new Error(`no moment of group ${group}`);
    const known = this.whitenings.get(group) ?? whiteningOf(moment, this.svd);
    this.whitenings.set(group, known);
    return known;
  }
}

/** Divides each row by its length. @returns the lengths */
function normalizedRows(data: Float64Array, rows: number): Float64Array {
  const columns = data.length / rows;
  return Float64Array.from({ length: rows }, (_, row) => {
    const own = data.subarray(row * columns, (row + 1) * columns);
    const length = Math.sqrt(sumOfSquares(own));
    if (length > 0) for (let at = 0; at < columns; at++) own[at]! /= length;
    return length;
  });
}
