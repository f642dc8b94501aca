/**
 * The triangular factor of the short side of a matrix that comes in blocks, in float64 without squaring: what was found is
 * factorized again together with the next block (sequential TSQR: Demmel, Grigori, Hoemmen & Langou 2012).
 */
import type { Block, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";
import { PADDING, shortFactor } from "./shortFactor";

/** Vectors that are factorized together at least: with fewer the calls cost more than the products. */
const DEPTH = 2048;

/** Memory: three times short² in float64, however long the other side is; at most twice the operations of one factorization. */
export class BlockedFactor {
  /** short × length; the first `short` columns hold the factor of what came before, those from `filled` on are zero. */
  private readonly stack: Float64Array;
  private readonly length: number;
  private readonly factor: Float64Array;
  private filled = 0;

  /** @param negligible squared norm that counts as zero */
  constructor(private readonly short: number, private readonly gemm: Gemm, private readonly module: KernelModule, private readonly negligible: number) {
    this.length = Math.ceil((short + Math.max(short, DEPTH)) / PADDING) * PADDING;
    this.stack = new Float64Array(short * this.length);
    this.factor = new Float64Array(short * short);
  }

  /** Adds rows of a tall matrix, each as long as the short side. */
  addRows({ rows, columns, data }: Block): void {
    const { short, length, stack } = this;
    for (let first = 0; first < rows; ) {
      const count = this.room(rows - first);
      // Transposed in squares that stay in cache.
      for (let i0 = 0; i0 < count; i0 += 16) {
        const i1 = Math.min(count, i0 + 16);
        for (let j = 0; j < short; j++) for (let i = i0; i < i1; i++) stack[j * length + this.filled + i] = data[(first + i) * columns + j]!;
      }
      this.filled += count;
      first += count;
    }
  }

  /** Adds columns of a wide matrix, whose rows are as many as the short side is long. */
  addColumns({ columns, data }: Block): void {
    const { short, length, stack } = this;
    for (let first = 0; first < columns; ) {
      const count = this.room(columns - first);
      for (let i = 0; i < short; i++) stack.set(data.subarray(i * columns + first, i * columns + first + count), i * length + this.filled);
      this.filled += count;
      first += count;
    }
  }

  /** The lower triangular factor (short × short), which has the singular values of all that was added. */
  finish(): Block & { readonly data: Float64Array } {
    const { short, gemm, module, negligible, stack, length, factor } = this;
    return shortFactor({ rows: short, columns: length, data: stack }, gemm, module, negligible, { factor });
  }

  /** Columns of the wanted ones that the stack has room for: at least one, if need be by reducing it. */
  private room(wanted: number): number {
    const { short, stack, length, factor } = this;
    if (this.filled === length) {
      this.finish();
      stack.fill(0);
      for (let i = 0; i < short; i++) stack.set(factor.subarray(i * short, i * short + i + 1), i * length);
      this.filled = short;
    }
    return Math.min(wanted, length - this.filled);
  }
}
