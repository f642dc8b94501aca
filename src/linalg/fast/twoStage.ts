/** All singular values of a dense matrix by two stages: full → band → bidiagonal. */
import { bandwidth } from "./band";
import { BandReduction } from "./bandReduction";
import { FULL_ACCURACY, SINGLE_ACCURACY, bidiagonalSingularValues } from "./bidiagonal";
import type { Block, Floats, Gemm } from "./gemm";
import type { KernelModule } from "./kernels";

/**
 * A vector of less than this, relative to ‖A‖_F, counts as zero. It lies far under the rounding of either precision
 * and keeps denormals out of the second stage, which they slow by half.
 */
const NEGLIGIBLE = { float32: 1e-11, float64: 1e-20 } as const;

/** Squared norm under which a vector of a matrix of that norm counts as zero. */
export function negligibleSquare(type: keyof typeof NEGLIGIBLE, frobenius: number): number {
  return (NEGLIGIBLE[type] * frobenius) ** 2;
}

/**
 * The min(m, n) singular values, largest first.
 * @param matrix entries of moderate size: see `scaleToModerate`
 * @param frobenius its norm, for the zero threshold
 * @param work at least as long as the matrix, to leave that as it is; its own storage otherwise
 */
export function twoStageSingularValues(matrix: Block, work: Floats, frobenius: number, gemm: Gemm, module: KernelModule): Float64Array {
  const type = matrix.data instanceof Float32Array ? "float32" : "float64";
  const short = Math.min(matrix.rows, matrix.columns);
  const padded = padTo(matrix, bandwidth(type));
  const negligible = negligibleSquare(type, frobenius);
  const reduction = new BandReduction(padded, padded.data === matrix.data ? work : padded.data, gemm, module, negligible);
  reduction.run();
  const { diagonal, superdiagonal } = reduction.band.toBidiagonal(module, reduction.scratch, negligible);
  // Padding adds zero rows and columns, which stay exactly apart: as many exact zeros at the end.
  const accuracy = type === "float32" ? SINGLE_ACCURACY : FULL_ACCURACY;
  return bidiagonalSingularValues(diagonal, superdiagonal, accuracy, module).slice(0, short);
}

/** The matrix itself, or a copy with zero rows and columns up to multiples of b. */
export function padTo({ rows, columns, data }: Block, b: number): Block {
  const [paddedRows, paddedColumns] = [Math.ceil(rows / b) * b, Math.ceil(columns / b) * b];
  if (paddedRows === rows && paddedColumns === columns) return { rows, columns, data };
  const padded: Floats = data instanceof Float32Array ? new Float32Array(paddedRows * paddedColumns) : new Float64Array(paddedRows * paddedColumns);
  for (let i = 0; i < rows; i++) padded.set(data.subarray(i * columns, (i + 1) * columns), i * paddedColumns);
  return { rows: paddedRows, columns: paddedColumns, data: padded };
}
