/** The fast way to a spectrum: chooses by shape and type, and falls back where ONNX Runtime has no binary. */
import type { Matrix } from "../matrix";
import type { SpectrumSolver } from "../singularValues";
import { float32Blurs } from "./blur";
import { DIRECT_SIDE, directSingularValues } from "./direct";
import { Gemm, type Block, type Floats } from "./gemm";
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

/** Float32 matrices up to this size are kept until their values are known to be sharp; larger ones would not fit twice. */
const KEPT_BYTES = 192 * 2 ** 20;

/**
 * Accuracy against float64 LAPACK: float64 matrices 1e-13·σ₁; float32 ones 1e-6·σ₁ (1e-7 is usual), where float32 does not
 * reach that they are computed again in float64. Float32 matrices of more than 192 MB are not: clusters of many
 * equal values may be off by 5e-6·σ₁ there. Entries must be finite.
 */
export class FastSolver implements SpectrumSolver {
  private readonly gemm: Gemm | undefined;
  private module: KernelModule | undefined;
  private work: Float32Array | undefined;
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
    if (data instanceof Float64Array) return twoStageSingularValues(block, data, frobenius, gemm, module);
    const kept = data.byteLength <= KEPT_BYTES;
    const { values, lost } =
      long > GRAM_ASPECT * short
        ? gramSingularValues(block, frobenius, gemm, module)
        : { values: twoStageSingularValues(block, kept ? this.workFor(data.length) : data, frobenius, gemm, module), lost: 0 };
    if (!kept || !float32Blurs(values, lost)) return values;
    const exact = { rows, columns, data: Float64Array.from(data) };
    return twoStageSingularValues(exact, exact.data, frobenius, gemm, module);
  }

  /** Stays from matrix to matrix, as fresh memory would cost more than its use. */
  private workFor(length: number): Floats {
    if (!this.work || this.work.length < length) this.work = new Float32Array(length);
    return this.work;
  }
}

function gramSingularValues(block: Block, frobenius: number, gemm: Gemm, module: KernelModule): { values: Float64Array; lost: number } {
  const gram = new GramMatrix(Math.min(block.rows, block.columns), gemm);
  if (block.rows > block.columns) gram.addRows(block);
  else gram.addColumns(block);
  const { factor, dependent } = gram.cholesky();
  return { values: twoStageSingularValues(factor, factor.data, frobenius, gemm, module), lost: dependent };
}
