import type { Block, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";
import { triangularFactor } from "./triangularFactor";

/** Elements that the loops of the panel kernel take at a turn. */
const PADDING = 16;

/**
 * Replaces the rows by an orthonormal basis of their span (and of more, where they depend on each other), by Householder
 * reflectors: orthonormal to rounding whatever the rows are.
 */
export function orthonormalRows({ rows: count, columns, data }: Block, gemm: Gemm, module: KernelModule): void {
  const type = data instanceof Float32Array ? "float32" : "float64";
  const length = Math.ceil(columns / PADDING) * PADDING;
  const [vectors, factor, taus, gram, transposed, weights, basis] = module.allocate(
    type, count * length, count * count, count, count * count, count * count, count * count, count * length,
  );
  for (let i = 0; i < count; i++) vectors!.set(data.subarray(i * columns, (i + 1) * columns), i * length);
  module.of(type).factorPanel(vectors!.byteOffset, count, length, 0, factor!.byteOffset, taus!.byteOffset, 0);
  const v: Block = { rows: count, columns: length, data: vectors! };
  gemm.multiplyTransB(v, v, { rows: count, columns: count, data: gram! });
  triangularFactor(gram!, taus!, count, transposed!);
  // The first rows of (I − V Tᵀ Vᵀ): Q's columns as rows.
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let sum = 0;
      for (let k = j; k <= i; k++) sum += vectors![k * length + i]! * transposed![k * count + j]!;
      weights![i * count + j] = sum;
    }
    basis![i * length + i] = 1;
  }
  gemm.subtract({ rows: count, columns: count, data: weights! }, v, { rows: count, columns: length, data: basis! });
  for (let i = 0; i < count; i++) data.set(basis!.subarray(i * length, i * length + columns), i * columns);
}
