/** Matrices with a short side, in float64 without ONNX Runtime: Householder QR, then bidiagonalization. */
import { FULL_ACCURACY, bidiagonalSingularValues } from "./bidiagonal";
import type { Block } from "./gemm";
import type { KernelModule } from "./kernels";

/** Up to this short side, and this product of the long side and its square, the calls of the blocked ways cost more than their products save. */
export const DIRECT_SIDE = 128;
export const DIRECT_WORK = 4e6;
/** Vectors are padded to what the loops of the panel kernel take at a turn. */
const PADDING = 8;

/**
 * The min(m, n) singular values, largest first.
 * @param matrix entries of moderate size; its short side is at most DIRECT_SIDE
 */
export function directSingularValues({ rows, columns, data }: Block, module: KernelModule): Float64Array {
  const short = Math.min(rows, columns);
  const long = Math.max(rows, columns);
  const length = Math.ceil(long / PADDING) * PADDING;
  const stride = Math.ceil(short / 2) * 2;
  const [vectors, square, factor, taus, diagonal, superdiagonal, v, w] = module.allocate(
    "float64", short * length, short * stride, short * short, short, short, short, stride, stride,
  ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  // The short side's vectors as rows: the rows of a wide matrix, the columns of a tall one.
  for (let i = 0; i < rows; i++) {
    if (rows <= columns) vectors.set(data.subarray(i * columns, (i + 1) * columns), i * length);
    else for (let j = 0; j < columns; j++) vectors[j * length + i] = data[i * columns + j]!;
  }
  if (long > short) {
    module.float64.factorPanel(vectors.byteOffset, short, length, 0, factor.byteOffset, taus.byteOffset, 0);
    for (let i = 0; i < short; i++) square.set(factor.subarray(i * short, i * short + i + 1), i * stride);
  } else {
    for (let i = 0; i < short; i++) square.set(vectors.subarray(i * length, i * length + short), i * stride);
  }
  module.bidiagonalize(square.byteOffset, short, stride, diagonal.byteOffset, superdiagonal.byteOffset, v.byteOffset, w.byteOffset);
  return bidiagonalSingularValues(diagonal.slice(), superdiagonal.slice(0, short - 1), FULL_ACCURACY, module);
}
