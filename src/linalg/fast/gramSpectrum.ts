import { sumOfSquares } from "../sumOfSquares";
import type { Gemm } from "./gemm";
import type { GramMatrix } from "./gram";
import type { KernelModule } from "./kernels";
import { twoStageSingularValues } from "./twoStage";

/**
 * The spectrum of the matrix whose Gram matrix it is, which is spent: `short` values, largest first, and how many of
 * them were taken for rounding and made zero. The entries of the matrix must be within 1e±150.
 */
export function spectrumOfGram(gram: GramMatrix, gemm: Gemm, module: KernelModule): { values: Float64Array; lost: number } {
  const { factor, unit, dependent } = gram.cholesky(module);
  const frobenius = Math.sqrt(sumOfSquares(factor.data));
  if (frobenius === 0) return { values: new Float64Array(gram.short), lost: 0 };
  const values = twoStageSingularValues(factor, factor.data, frobenius, gemm, module);
  return { values: values.map((value) => value * unit), lost: dependent };
}
