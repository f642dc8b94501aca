/** The fast way to a spectrum: chooses by shape and type, and falls back where ONNX Runtime has no binary. */
import type { LeadingSolver, RowLeadingSolver } from "../leadingSingularValue";
import type { Matrix } from "../matrix";
import { blocksOf, wholeOf, type RowSource } from "../rowSource";
import type { SpectrumSolver } from "../singularValues";
import { sumOfSquares } from "../sumOfSquares";
import { bandwidth } from "./band";
import { BlockedFactor } from "./blockedFactor";
import { float32Blurs } from "./blur";
import { DIRECT_SIDE, DIRECT_WORK, directSingularValues } from "./direct";
import type { Block, Gemm } from "./gemm";
import { GramMatrix } from "./gram";
import { spectrumOfGram } from "./gramSpectrum";
import { KernelModule } from "./kernels";
import { leadingOfBlocks } from "./leadingOfBlocks";
import { KEPT_VALUES, SHORT_SIDE_ASPECT, isLong } from "./longSide";
import { OnnxGemm } from "./onnxGemm";
import { plainGemm } from "./plainGemm";
import { moderateSource, scaleToModerate } from "./scaling";
import { shortFactor } from "./shortFactor";
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

/** Up to this short side a float32 matrix's Gram matrix is quicker than an LQ factor, in whose panels little is a product. */
const GRAM_SIDE = 2560;

/** Promised errors of values, as parts of σ₁. */
const SINGLE_ERROR = 1e-6;
const DOUBLE_ERROR = 1e-13;

/**
 * Accuracy against float64 LAPACK: float64 matrices 1e-13·σ₁; float32 ones 1e-6·σ₁ (1e-7 is usual), where float32 does not
 * reach that they are computed again in float64. Entries must be finite.
 */
export class FastSolver implements SpectrumSolver, RowLeadingSolver {
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
    const gram = this.isForGram(matrix) ? spectrumOfGram(gramOf(matrix, this.gemm), this.gemm, this.module) : undefined;
    if (gram && !float32Blurs(gram.values, gram.lost)) return gram.values;
    const { frobenius, unscale } = scaleToModerate(data);
    if (frobenius === 0) return new Float64Array(short);
    const values = short === 1 ? Float64Array.of(frobenius) : gram ? doubleSingularValues(matrix, frobenius, this.gemm, this.module) : this.scaledSingularValues(matrix, frobenius);
    return values.map((value) => value * unscale);
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

  /**
   * As `singularValues`, for a matrix that is read in blocks. A tall one is never in memory whole: beside a block it takes
   * three times short² in float64 at most. Of others there is one copy, in the end in float64 where float32 blurs.
   * @param inFloat64 to the accuracy of float64 whatever the values' type
   */
  async singularValuesOf(source: RowSource, inFloat64 = false): Promise<Float64Array> {
    const { rows, columns, type } = source;
    const isTall = rows > SHORT_SIDE_ASPECT * columns;
    const isWide = columns > SHORT_SIDE_ASPECT * rows;
    const needsFloat64 = inFloat64 || type === "float64";
    if (!this.native || isWide || (needsFloat64 && !isTall)) return this.singularValues(await wholeOf(source, needsFloat64 ? "float64" : type));
    return isTall ? this.tallSingularValues(source, needsFloat64) : this.squareSingularValues(source);
  }

  /** As `leadingSingularValue`; a tall matrix is not in memory whole. */
  async leadingSingularValueOf(source: RowSource): Promise<{ readonly value: number; readonly error: number }> {
    const { rows, columns, type } = source;
    const inBlocks = this.native && rows > SHORT_SIDE_ASPECT * columns && isWorthKrylov(source, 1);
    return inBlocks ? leadingOfBlocks(source, this.gemm, this.module) : this.leadingSingularValue(await wholeOf(source, type));
  }

  /** The k leading triplets, each with its bound. The storage may be scaled. */
  leadingTriplets(matrix: Matrix, k: number): BoundedTriplets {
    return leadingTriplets(matrix, Math.min(k, matrix.rows, matrix.columns), this.gemm, this.module);
  }

  /** All triplets, exact to 1e-14·σ₁; for n × n at least five times the time of the values alone. */
  allTriplets(matrix: Matrix): Triplets {
    return allTriplets(matrix, this.gemm, this.module);
  }

  private get module(): KernelModule {
    return (this.kernels ??= new KernelModule());
  }

  /** Long float32 matrices whose Gram matrix is made sooner than an orthogonal factor, or needs less memory than one. */
  private isForGram(block: Block): boolean {
    const isSingle = block.data instanceof Float32Array;
    return isSingle && isLong(block) && !isForDirect(block) && (Math.min(block.rows, block.columns) <= GRAM_SIDE || block.data.length > KEPT_VALUES);
  }

  private scaledSingularValues(block: Block, frobenius: number): Float64Array {
    const { gemm, module } = this;
    const { rows, columns, data } = block;
    if (isForDirect(block)) return directSingularValues(block, module);
    if (data instanceof Float64Array) return doubleSingularValues(block, frobenius, gemm, module);
    const work = (): Float32Array => this.workFor(data.length);
    const square = isLong(block) ? shortFactor({ rows, columns, data }, gemm, module, negligibleSquare("float32", frobenius), { work }) : block;
    const values = twoStageSingularValues(square, square === block ? work() : square.data, frobenius, gemm, module);
    return float32Blurs(values, 0) ? doubleSingularValues(block, frobenius, gemm, module) : values;
  }

  private async tallSingularValues(source: RowSource, inFloat64: boolean): Promise<Float64Array> {
    const { gemm, module } = this;
    const { columns } = source;
    let frobenius = 0;
    if (!inFloat64) {
      const gram = new GramMatrix(columns, gemm);
      for await (const block of blocksOf(source)) gram.addRows(block);
      const { values, lost } = spectrumOfGram(gram, gemm, module);
      if (!float32Blurs(values, lost)) return values;
      frobenius = Math.sqrt(sumOfSquares(values));
    }
    const factor = new BlockedFactor(columns, gemm, module, negligibleSquare("float64", frobenius));
    const { source: moderate, unscale } = source.type === "float64" ? await moderateSource(source) : { source, unscale: 1 };
    for await (const block of blocksOf(moderate)) factor.addRows(block);
    return (await this.singularValues(factor.finish())).map((value) => value * unscale);
  }

  /** In place: where float32 blurs, the matrix is read a second time. */
  private async squareSingularValues(source: RowSource): Promise<Float64Array> {
    const { gemm, module } = this;
    const count = Math.min(source.rows, source.columns);
    for (const type of ["float32", "float64"] as const) {
      const matrix = await wholeOf(source, type, bandwidth(type));
      const { frobenius, unscale } = scaleToModerate(matrix.data);
      if (frobenius === 0) break;
      const values = twoStageSingularValues(matrix, matrix.data, frobenius, gemm, module).slice(0, count);
      if (type === "float64" || !float32Blurs(values, 0)) return values.map((value) => value * unscale);
    }
    return new Float64Array(count);
  }

  /** Stays from matrix to matrix, as fresh memory would cost more than its use. */
  private workFor(length: number): Float32Array {
    if (length > KEPT_VALUES) return new Float32Array(length);
    if (!this.work || this.work.length < length) this.work = new Float32Array(length);
    return this.work;
  }
}

/** In float64 all the way. The storage of a float64 matrix is overwritten; of a float32 one with a long side there is no copy. */
function doubleSingularValues({ rows, columns, data }: Block, frobenius: number, gemm: Gemm, module: KernelModule): Float64Array {
  const short = Math.min(rows, columns);
  const negligible = negligibleSquare("float64", frobenius);
  let square: Block;
  if (!isLong({ rows, columns })) square = { rows, columns, data: data instanceof Float64Array ? data : new Float64Array(data) };
  else if (data instanceof Float64Array) square = shortFactor({ rows, columns, data }, gemm, module, negligible);
  else {
    const factor = new BlockedFactor(short, gemm, module, negligible);
    if (rows > columns) factor.addRows({ rows, columns, data });
    else factor.addColumns({ rows, columns, data });
    square = factor.finish();
  }
  return twoStageSingularValues(square, square.data, frobenius, gemm, module);
}

function isForDirect({ rows, columns }: Block): boolean {
  const short = Math.min(rows, columns);
  return short <= DIRECT_SIDE && rows * columns * short <= DIRECT_WORK;
}

function gramOf(block: Block, gemm: Gemm): GramMatrix {
  const gram = new GramMatrix(Math.min(block.rows, block.columns), gemm);
  if (block.rows > block.columns) gram.addRows(block);
  else gram.addColumns(block);
  return gram;
}
