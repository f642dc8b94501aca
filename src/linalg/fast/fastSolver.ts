/** The fast way to a spectrum: chooses by shape and type, and falls back where ONNX Runtime has no binary. */
import type { Matrix } from "../matrix";
import type { SpectrumSolver } from "../singularValues";
import { DIRECT_SIDE, directSingularValues } from "./direct";
import { Gemm, type Block } from "./gemm";
import { GramMatrix } from "./gram";
import { KernelModule } from "./kernels";
import { scaleToModerate, type Scaled } from "./scaling";
import { twoStageSingularValues } from "./twoStage";

export interface FastSolverOptions {
  /**
   * Threads of ONNX Runtime: 1 where several processes work side by side, as many as cores for a lone large matrix.
   * Results of different thread counts differ by rounding alone (1e-7·σ₁ for float32), as sums are split differently.
   */
  readonly threads: number;
  /** Takes over where ONNX Runtime cannot be used. */
  readonly fallback: SpectrumSolver;
  /** Hears once, in one sentence, why the fallback is used. */
  readonly tell?: (sentence: string) => void;
}

/** From this aspect on, the Gram matrix of the short side comes first. */
const GRAM_ASPECT = 1.6;
/** Bytes that `directSingularValues` may take; longer matrices go by their Gram matrix. */
const DIRECT_BYTES = 32 * 2 ** 20;

/**
 * Accuracy: float32 matrices within 1e-6·σ₁ of float64 LAPACK (about 3e-7 is usual), float64 ones within 1e-13·σ₁.
 * Entries must be finite.
 */
export class FastSolver implements SpectrumSolver {
  private readonly gemm: Gemm | undefined;
  private module: KernelModule | undefined;
  /** One sentence on what computes, for logs and reports. */
  readonly description: string;

  constructor(private readonly options: FastSolverOptions) {
    const created = Gemm.create(options.threads);
    if ("gemm" in created) {
      this.gemm = created.gemm;
      this.description = created.gemm.description;
    } else {
      this.description = created.reason;
      options.tell?.(`${created.reason} Spectra take longer without it; their values are the same.`);
    }
  }

  async singularValues(matrix: Matrix): Promise<Float64Array> {
    const { rows, columns, data } = matrix;
    const short = Math.min(rows, columns);
    if (short === 0) return new Float64Array(0);
    if (!this.gemm) return this.options.fallback.singularValues(matrix);
    const scaled = scaleToModerate(data);
    if (scaled.frobenius === 0) return new Float64Array(short);
    const values = short === 1 ? Float64Array.of(scaled.frobenius) : this.scaledSingularValues(matrix, scaled, this.gemm);
    return values.map((value) => value * scaled.unscale);
  }

  private scaledSingularValues(block: Block, { frobenius }: Scaled, gemm: Gemm): Float64Array {
    const { rows, columns, data } = block;
    const module = (this.module ??= new KernelModule());
    const short = Math.min(rows, columns);
    const long = Math.max(rows, columns);
    if (short <= DIRECT_SIDE && short * long * Float64Array.BYTES_PER_ELEMENT <= DIRECT_BYTES) return directSingularValues(block, module);
    // The floor of a Gram matrix is harmless to float32 values only.
    if (data instanceof Float32Array && long > GRAM_ASPECT * short) {
      const gram = new GramMatrix(short, gemm);
      if (rows > columns) gram.addRows(block);
      else gram.addColumns(block);
      const factor = gram.cholesky();
      return twoStageSingularValues(factor, frobenius, gemm, module);
    }
    return twoStageSingularValues(block, frobenius, gemm, module);
  }
}
