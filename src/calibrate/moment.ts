import type { Block, Gemm } from "../linalg/fast/gemm";
import { GramMatrix } from "../linalg/fast/gram";
import { sumOfSquares } from "../linalg/sumOfSquares";

/** The second moment of what a matrix is applied to: the mean of x xᵀ over all inputs x. */
export interface Moment {
  /** Length n of an input. */
  readonly inputs: number;
  /** Inputs that were seen. */
  readonly count: number;
  /** n × n, symmetric. */
  readonly mean: Float64Array;
  /** The mean of ‖x‖⁴: how much x xᵀ varies. */
  readonly fourth: number;
}

/** A second moment as it is added up, in float64, block after block of inputs. */
export class MomentSum {
  private readonly gram: GramMatrix;
  private count = 0;
  private fourth = 0;

  constructor(readonly inputs: number, gemm: Gemm) {
    this.gram = new GramMatrix(inputs, gemm);
  }

  /** @param rows an input each */
  add(rows: Block): void {
    this.gram.addRows(rows);
    this.count += rows.rows;
    for (let at = 0; at < rows.rows * rows.columns; at += rows.columns) this.fourth += sumOfSquares(rows.data.subarray(at, at + rows.columns)) ** 2;
  }

  get moment(): Moment {
    const { inputs: n, count } = this;
    const mean = this.gram.toDense();
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) mean[j * n + i] = mean[i * n + j]! /= Math.max(1, count);
    }
    return { inputs: n, count, mean, fourth: this.fourth / Math.max(1, count) };
  }
}

/** Why no factors can follow these moments: null where they can. */
export function refusalOf(moments: readonly Moment[]): string | null {
  if (moments.some(({ mean }) => !mean.every(Number.isFinite))) return "what it is applied to is not finite on this data";
  return moments.every(({ mean }) => mean.every((value) => value === 0)) ? "what it is applied to is zero on all of this data" : null;
}

/** Bytes that the moments of a layer take. */
export function momentBytes(inputs: number, groups: number): number {
  return groups * inputs * inputs * Float64Array.BYTES_PER_ELEMENT;
}
