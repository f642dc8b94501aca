/** Leading singular values and right singular vectors of a bidiagonal matrix: values by dqds, vectors by twisted factorizations. */
import { FULL_ACCURACY, bidiagonalSingularValues } from "./bidiagonal";
import type { KernelModule } from "./kernels";

/** Vectors that the kernel makes at a time. */
const AT_A_TIME = 4;
/** Arrays of the order that it works in. */
const SCRATCH = 12;
/**
 * Entries move by up to this part, far below the rounding of the reduction to bidiagonal form: values that coincide, as
 * those of an identity do, come apart, and each has a vector of its own (LAPACK's dlarre does so too).
 */
const APART = 2 ** -28;
/** Multiples of it modulo one lie evenly, however many there are: the golden ratio's fraction. */
const GOLDEN = 0.6180339887498949;
/** A vector whose residual is above this part of σ₁² is none: rounding leaves a millionth of it. */
const RESIDUAL = 1e-9;

export interface BidiagonalVectors {
  /** Of all singular values, largest first. */
  readonly values: Float64Array;
  /** Rows of `vectors`: the order, and those asked for beside it, which are zero. */
  readonly rows: number;
  /** At least as many as were asked for: a multiple of what the kernel makes at a time. */
  readonly columns: number;
  /** rows × columns, the vectors as columns; in the kernels' memory, until its next use. */
  readonly vectors: Float32Array;
}

/**
 * @param diagonal n, a multiple of 4
 * @param superdiagonal n − 1
 * @param count vectors wanted
 * @param spare rows of zeros after the vectors
 * @returns null where a vector was not found
 */
export function leadingBidiagonalVectors(diagonal: Float64Array, superdiagonal: Float64Array, count: number, spare: number, module: KernelModule): BidiagonalVectors | null {
  const n = diagonal.length;
  const columns = Math.ceil(count / AT_A_TIME) * AT_A_TIME;
  const rows = n + spare;
  const moved = (value: number, i: number): number => value * (1 + APART * ((i * GOLDEN) % 1));
  const d = diagonal.map((value, i) => moved(value, i));
  const s = superdiagonal.map((value, i) => moved(value, n + i));
  const values = bidiagonalSingularValues(d, s, FULL_ACCURACY, module);
  const largest = values[0]!;
  if (largest === 0) return null;
  // Powers of two, so that entries are about one and squares moderate.
  const unit = 2 ** -Math.floor(Math.log2(largest));
  const [q, e, products, squares, scratch, residuals, target] = module.allocate("float64", n, n, n, columns, SCRATCH * n, columns, (rows * columns) / 2) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  for (let i = 0; i < n; i++) {
    const [own, next] = [d[i]! * unit, i < n - 1 ? s[i]! * unit : 0];
    q[i] = own * own;
    e[i] = next * next;
    products[i] = own * next;
  }
  for (let k = 0; k < columns; k++) squares[k] = (values[k]! * unit) ** 2;
  module.twistedVectors(q.byteOffset, e.byteOffset, products.byteOffset, n, squares.byteOffset, columns, target.byteOffset, columns, scratch.byteOffset, residuals.byteOffset);
  for (let k = 0; k < count; k++) if (!(residuals[k]! < RESIDUAL)) return null;
  return { values, rows, columns, vectors: new Float32Array(target.buffer as ArrayBuffer, target.byteOffset, rows * columns) };
}
