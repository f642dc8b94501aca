import type { Matrix } from "../matrix";
import type { Gemm } from "./gemm";
import { GramMatrix } from "./gram";
import type { KernelModule } from "./kernels";
import { scaleToModerate } from "./scaling";
import { twoStageSingularValues } from "./twoStage";

/**
 * The spectrum of a matrix that is too tall for memory, from its rows in blocks of any size: a 250,000 × 4096 embedding
 * takes about 250 MB beside the blocks. Values below 1e-8·σ₁ are lost in the squares; entries must be within 1e±150.
 */
export class StreamedSpectrum {
  private readonly gram: GramMatrix;
  private rows = 0;

  constructor(private readonly columns: number, private readonly gemm: Gemm, private readonly module: KernelModule) {
    this.gram = new GramMatrix(columns, gemm);
  }

  /** The next rows. */
  add(block: Matrix): void {
    if (block.columns !== this.columns) throw new Error(`a block of ${block.columns} columns instead of ${this.columns}`);
    this.gram.addRows(block);
    this.rows += block.rows;
  }

  /** All min(m, n) values, largest first. The object is spent. */
  singularValues(): Float64Array {
    const { factor, unit } = this.gram.cholesky();
    const { frobenius, unscale } = scaleToModerate(factor.data);
    const count = Math.min(this.rows, this.columns);
    if (frobenius === 0) return new Float64Array(count);
    const values = twoStageSingularValues(factor, factor.data, frobenius, this.gemm, this.module);
    return values.slice(0, count).map((value) => value * unscale * unit);
  }
}
