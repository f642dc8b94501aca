/** Eigenvalues and vectors of a dense symmetric matrix: tridiagonal form, divide and conquer, and back. */
import { tridiagonalEigen, type Eigen } from "./divideAndConquer";
import type { Gemm } from "./gemm";
import type { KernelModule } from "./kernels";
import { triangularFactor } from "./triangularFactor";
import { tridiagonalize, type Tridiagonal } from "./tridiagonalize";

/** Reflectors that are applied together. */
const BLOCK = 64;

/**
 * @param matrix n × n row-major, of which the lower triangle is used; it is left as it is
 * @param count the largest so many values and vectors; all when left out
 */
export function symmetricEigen(matrix: Float64Array, n: number, gemm: Gemm, module: KernelModule, count = n): Eigen {
  const tridiagonal = tridiagonalize(matrix, n, gemm, module);
  const eigen = tridiagonalEigen(tridiagonal.diagonal, tridiagonal.offDiagonal, gemm, count);
  transformBack(eigen.vectors, n, tridiagonal, gemm);
  return eigen;
}

/** Each row y ← Q y, Q = H₀ H₁ …, block after block from the last: y ← (I − V T Vᵀ) y. */
function transformBack(vectors: Float64Array, n: number, { reflectors, taus }: Tridiagonal, gemm: Gemm): void {
  const rows = vectors.length / n;
  const all = { rows, columns: n, data: vectors };
  for (let first = Math.floor((n - 1) / BLOCK) * BLOCK; first >= 0; first -= BLOCK) {
    const count = Math.min(BLOCK, n - first);
    const v = { rows: count, columns: n, data: reflectors.subarray(first * n, (first + count) * n) };
    const [gram, transposed, products, weighted] = [count * count, count * count, rows * count, rows * count].map((length) => new Float64Array(length)) as [Float64Array, Float64Array, Float64Array, Float64Array];
    gemm.multiplyTransB(v, v, { rows: count, columns: count, data: gram });
    triangularFactor(gram, taus.subarray(first, first + count), count, transposed);
    gemm.multiplyTransB(all, v, { rows, columns: count, data: products });
    // Rows: yᵀ ← yᵀ − (yᵀ V) Tᵀ Vᵀ.
    gemm.multiply({ rows, columns: count, data: products }, { rows: count, columns: count, data: transposed }, { rows, columns: count, data: weighted });
    gemm.subtract({ rows, columns: count, data: weighted }, v, all);
  }
}
