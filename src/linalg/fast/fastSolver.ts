/** The fast way to a spectrum: chooses by shape and type, and falls back where ONNX Runtime has no binary. */
import type { LeadingSolver } from "../leadingSingularValue";
import type { Matrix } from "../matrix";
import type { SpectrumSolver } from "../singularValues";
import { float32Blurs } from "./blur";
import { DIRECT_SIDE, DIRECT_WORK, directSingularValues } from "./direct";
import type { Block, Floats, Gemm } from "./gemm";
import { GramMatrix } from "./gram";
import { KernelModule } from "./kernels";
import { OnnxGemm } from "./onnxGemm";
import { plainGemm } from "./plainGemm";
import { scaleToModerate, type Scaled } from "./scaling";
import { shortFactor } from "./shortFactor";
import { StreamedSpectrum } from "./streamedSpectrum";
import { allTriplets } from "./svd";
import { isWorthKrylov, leadingTriplets, type BoundedTriplets } from "./topK";
import type { Triplets } from "./triplets";
import { negligibleSquare, twoStageSingularValues } from "./twoStage";

export interface FastSolverOptions {
  /**
   * Threads of ONNX Runtime: 1 where several processes work side by side, as many as cores for a lone large matrix.
   * Results of different thread counts differ by rounding alone (1e-7·σ₁ for float32), as sums are split differently.
   */
  readonly threads: number;
  /** Takes over where ONNX Runtime cannot be used. */
  readonly fallback: SpectrumSolver;
  /** The same for σ₁ alone; without it, plain TypeScript does what ONNX Runtime would. */
  readonly leadingFallback?: LeadingSolver;
  /** Hears once, in one sentence, why the fallback is used. */
  readonly tell?: (sentence: string) => void;
}

/** From this aspect on, a factor of the short side comes first. */
const SHORT_SIDE_ASPECT = 1.6;

/** Float32 matrices up to this size are kept until their values are known to be sharp; larger ones would not fit twice. */
const KEPT_BYTES = 192 * 2 ** 20;

/** Promised errors of values, as parts of σ₁. */
const SINGLE_ERROR = 1e-6;
const DOUBLE_ERROR = 1e-13;

/**
 * Accuracy against float64 LAPACK: float64 matrices 1e-13·σ₁; float32 ones 1e-6·σ₁ (1e-7 is usual), where float32 does not
 * reach that they are computed again in float64. Float32 matrices of more than 192 MB are not: clusters of many
 * equal values may be off by 5e-6·σ₁ there. Entries must be finite.
 */
export class FastSolver implements SpectrumSolver, LeadingSolver {
  private readonly gemm: Gemm;
  private readonly native: boolean;
  private kernels: KernelModule | undefined;
  private work: Float32Array | undefined;

  constructor(private readonly options: FastSolverOptions) {
    const created = OnnxGemm.create(options.threads);
    this.native = "gemm" in created;
    this.gemm = "gemm" in created ? created.gemm : plainGemm;
    if ("reason" in created) options.tell?.(`${created.reason} Spectra take longer without it; their values are the same.`);
  }

  /** What multiplies, for logs and reports. */
  get description(): string {
    return this.gemm.description;
  }

  async singularValues(matrix: Matrix): Promise<Float64Array> {
    const { rows, columns, data } = matrix;
    const short = Math.min(rows, columns);
    if (short === 0) return new Float64Array(0);
    if (!this.native) return this.options.fallback.singularValues(matrix);
    const scaled = scaleToModerate(data);
    if (scaled.frobenius === 0) return new Float64Array(short);
    const values = short === 1 ? Float64Array.of(scaled.frobenius) : this.scaledSingularValues(matrix, scaled);
    return values.map((value) => value * scaled.unscale);
  }

  /**
   * σ₁ of a matrix, and how far from a singular value it may lie at most. Computed values are not above σ₁ but by rounding.
   * The storage may be overwritten.
   */
  async leadingSingularValue(matrix: Matrix): Promise<{ readonly value: number; readonly error: number }> {
    if (!this.native && this.options.leadingFallback) return this.options.leadingFallback.leadingSingularValue(matrix);
    if (isWorthKrylov(matrix, 1)) {
      const { values, bounds } = this.leadingTriplets(matrix, 1);
      return { value: values[0]!, error: bounds[0]! };
    }
    const value = (await this.singularValues(matrix))[0] ?? 0;
    return { value, error: value * (matrix.data instanceof Float32Array ? SINGLE_ERROR : DOUBLE_ERROR) };
  }

  /** The k leading triplets, each with its bound. The storage may be scaled. */
  leadingTriplets(matrix: Matrix, k: number): BoundedTriplets {
    return leadingTriplets(matrix, Math.min(k, matrix.rows, matrix.columns), this.gemm, this.module);
  }

  /** All triplets, exact to 1e-14·σ₁; for n × n at least five times the time of the values alone. */
  allTriplets(matrix: Matrix): Triplets {
    return allTriplets(matrix, this.gemm, this.module);
  }

  /** For a matrix of that many columns whose rows come in blocks. */
  streamed(columns: number): StreamedSpectrum {
    return new StreamedSpectrum(columns, this.gemm, this.module);
  }

  private get module(): KernelModule {
    return (this.kernels ??= new KernelModule());
  }

  private scaledSingularValues(block: Block, { frobenius }: Scaled): Float64Array {
    const { gemm, module } = this;
    const { rows, columns, data } = block;
    const short = Math.min(rows, columns);
    const long = Math.max(rows, columns);
    if (short <= DIRECT_SIDE && long * short * short <= DIRECT_WORK) return directSingularValues(block, module);
    if (data instanceof Float64Array) return doubleSingularValues(block, frobenius, gemm, module);
    const kept = data.byteLength <= KEPT_BYTES;
    const { values, lost } =
      long > SHORT_SIDE_ASPECT * short
        ? gramSingularValues(block, frobenius, gemm, module)
        : { values: twoStageSingularValues(block, kept ? this.workFor(data.length) : data, frobenius, gemm, module), lost: 0 };
    if (!kept || !float32Blurs(values, lost)) return values;
    return doubleSingularValues(block, frobenius, gemm, module);
  }

  /** Stays from matrix to matrix, as fresh memory would cost more than its use. */
  private workFor(length: number): Floats {
    if (!this.work || this.work.length < length) this.work = new Float32Array(length);
    return this.work;
  }
}

/** In float64 all the way. The storage of a float64 matrix is overwritten. */
function doubleSingularValues({ rows, columns, data }: Block, frobenius: number, gemm: Gemm, module: KernelModule): Float64Array {
  const aspect = Math.max(rows, columns) / Math.min(rows, columns);
  const square =
    aspect > SHORT_SIDE_ASPECT
      ? shortFactor({ rows, columns, data }, gemm, module, negligibleSquare("float64", frobenius))
      : { rows, columns, data: data instanceof Float64Array ? data : new Float64Array(data) };
  return twoStageSingularValues(square, square.data, frobenius, gemm, module);
}

function gramSingularValues(block: Block, frobenius: number, gemm: Gemm, module: KernelModule): { values: Float64Array; lost: number } {
  const gram = new GramMatrix(Math.min(block.rows, block.columns), gemm);
  if (block.rows > block.columns) gram.addRows(block);
  else gram.addColumns(block);
  const { factor, unit, dependent } = gram.cholesky();
  const values = twoStageSingularValues(factor, factor.data, frobenius / unit, gemm, module);
  return { values: values.map((value) => value * unit), lost: dependent };
}
