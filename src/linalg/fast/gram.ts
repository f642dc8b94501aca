/**
 * Tall and wide matrices by their Gram matrix in float64, gathered block by block: memory is one block and half of
 * short². Squaring leaves a floor of about 1e-8·σ₁ (√ε), a tenth of what float32 itself leaves.
 */
import type { Block, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";

/** Rows of a strip of the lower triangle: enough for fast products, few enough for the small factorization in between. */
const stripOf = (short: number): number => (short <= 1024 ? 96 : 128);
/** Rows or columns of A that are added at a time: deep enough that reading and writing the strips does not count. */
const depthOf = (short: number): number => (short <= 1024 ? 1024 : 512);
/** A pivot below this part of the largest diagonal entry is rounding: the row depends on those before. */
const PIVOT_TOLERANCE = 10 * Number.EPSILON;

/** The lower triangle of A·Aᵀ in strips of rows; strip p has p + 1 times as many columns as rows. */
export class GramMatrix {
  private strips: { rows: number; columns: number; data: Float64Array }[] = [];
  private readonly depth: number;
  private readonly block: Float64Array;

  /** @param short the shorter side of the matrix */
  constructor(readonly short: number, private readonly gemm: Gemm) {
    this.depth = depthOf(short);
    const strip = stripOf(short);
    for (let first = 0; first < short; first += strip) {
      const rows = Math.min(strip, short - first);
      this.strips.push({ rows, columns: first + rows, data: new Float64Array(rows * (first + rows)) });
    }
    this.block = new Float64Array(short * this.depth);
  }

  /** Adds rows of a tall matrix (each of length `short`). Callers that stream one call this with block after block. */
  addRows({ rows, columns, data }: Block): void {
    const { short, block } = this;
    for (let first = 0; first < rows; first += this.depth) {
      const depth = Math.min(this.depth, rows - first);
      // Transposed in squares that stay in cache.
      for (let i0 = 0; i0 < depth; i0 += 16) {
        const i1 = Math.min(depth, i0 + 16);
        for (let j = 0; j < short; j++) {
          for (let i = i0; i < i1; i++) block[j * depth + i] = data[(first + i) * columns + j]!;
        }
      }
      this.add(depth);
    }
  }

  /** Adds columns of a wide matrix of `short` rows. */
  addColumns({ columns, data }: Block): void {
    const { short, block } = this;
    for (let first = 0; first < columns; first += this.depth) {
      const depth = Math.min(this.depth, columns - first);
      for (let i = 0; i < short; i++) block.set(data.subarray(i * columns + first, i * columns + first + depth), i * depth);
      this.add(depth);
    }
  }

  /** strip ← strip + block·blockᵀ for the block's first `depth` columns. */
  private add(depth: number): void {
    let first = 0;
    for (const strip of this.strips) {
      const rows = { rows: strip.rows, columns: depth, data: this.block.subarray(first * depth, (first + strip.rows) * depth) };
      this.gemm.addTransB(rows, { rows: strip.columns, columns: depth, data: this.block }, strip);
      first += strip.rows;
    }
  }

  /** The whole Gram matrix, short × short row-major; its upper triangle is left zero. */
  toDense(): Float64Array {
    const dense = new Float64Array(this.short * this.short);
    let row = 0;
    for (const { rows, columns, data } of this.strips) {
      for (let i = 0; i < rows; i++, row++) dense.set(data.subarray(i * columns, i * columns + row + 1), row * this.short);
    }
    return dense;
  }

  /**
   * The Cholesky factor L (short × short, row-major, lower triangular, float32) of the Gram matrix, which it consumes.
   * L, times the unit, has the singular values of A. Rows that depend on those before, to rounding, get a zero pivot and are counted; rows
   * of zeros are not.
   */
  cholesky(module: KernelModule): { factor: Block; unit: number; dependent: number } {
    const { short, gemm, strips } = this;
    const factor = new Float32Array(short * short);
    const diagonal = this.diagonal();
    const largest = diagonal.reduce((most, value) => Math.max(most, value), 0);
    const smallest = PIVOT_TOLERANCE * largest;
    // A power of two that keeps L within float32.
    const unit = largest > 0 ? 2 ** Math.floor(0.5 * Math.log2(largest)) : 1;
    for (let first = 0, p = 0; p < strips.length; first += strips[p]!.rows, p++) {
      const { rows: width } = strips[p]!;
      const column = this.takeColumn(p, width);
      const inverse = factorBlock(column, width, smallest, module);
      const below = short - first - width;
      const panel = { rows: below, columns: width, data: new Float64Array(below * width) };
      if (below > 0) {
        gemm.multiplyTransB({ rows: below, columns: width, data: column.subarray(width * width) }, { rows: width, columns: width, data: inverse }, panel);
        this.updateBelow(p, panel);
      }
      writeColumns(column, panel.data, { first, width, unit }, short, factor);
    }
    this.strips = [];
    let dependent = 0;
    for (let i = 0; i < short; i++) if (factor[i * short + i] === 0 && diagonal[i]! > 0) dependent++;
    return { factor: { rows: short, columns: short, data: factor }, unit, dependent };
  }

  private diagonal(): Float64Array {
    const diagonal = new Float64Array(this.short);
    let first = 0;
    for (const { rows, columns, data } of this.strips) {
      for (let i = 0; i < rows; i++) diagonal[first + i] = data[i * columns + first + i]!;
      first += rows;
    }
    return diagonal;
  }

  /** The first `width` columns of the strips from p on, taken out of them: what stays is contiguous again. */
  private takeColumn(p: number, width: number): Float64Array {
    const parts = this.strips.slice(p);
    const column = new Float64Array(parts.reduce((sum, { rows }) => sum + rows, 0) * width);
    let to = 0;
    for (const strip of parts) {
      const { rows, columns, data } = strip;
      const left = columns - width;
      for (let i = 0; i < rows; i++, to += width) {
        column.set(data.subarray(i * columns, i * columns + width), to);
        data.copyWithin(i * left, i * columns + width, (i + 1) * columns);
      }
      strip.columns = left;
    }
    return column;
  }

  private updateBelow(p: number, panel: Block): void {
    let first = 0;
    for (const strip of this.strips.slice(p + 1)) {
      const rows = { rows: strip.rows, columns: panel.columns, data: panel.data.subarray(first * panel.columns, (first + strip.rows) * panel.columns) };
      this.gemm.subtractTransB(rows, { rows: strip.columns, columns: panel.columns, data: panel.data }, strip);
      first += strip.rows;
    }
  }
}

/** Cholesky of the leading n × n block in place (lower triangle), and the inverse of its factor. */
function factorBlock(a: Float64Array, n: number, smallest: number, module: KernelModule): Float64Array {
  const [block, inverse] = module.allocate("float64", n * n, n * n) as [Float64Array, Float64Array];
  block.set(a.subarray(0, n * n));
  module.choleskyBlock(block.byteOffset, n, smallest, inverse.byteOffset);
  a.set(block);
  return inverse;
}

/** Writes one block column of L in units: the factored diagonal block and the panel below it. */
function writeColumns(diagonal: Float64Array, panel: Float64Array, { first, width, unit }: { first: number; width: number; unit: number }, n: number, target: Float32Array): void {
  for (let i = 0; i < width; i++) for (let j = 0; j <= i; j++) target[(first + i) * n + first + j] = diagonal[i * width + j]! / unit;
  for (let from = 0, row = first + width; row < n; row++) for (let j = 0; j < width; j++) target[row * n + first + j] = panel[from++]! / unit;
}
