import { eigenvalueModuli } from "./eigenvalueModuli";
import { reduceToHessenberg } from "./hessenberg";
import type { Matrix } from "./matrix";
import { tallView } from "./tallView";

/**
 * max |λ| over the eigenvalues of a square matrix, with a backward error of about n · 1e-16 · ‖A‖. O(n³).
 * @param matrix n × n of finite values; read, not written
 */
export function largestEigenvalueModulus(matrix: Matrix): number {
  const n = matrix.rows;
  if (matrix.columns !== n) throw new Error(`a matrix of ${n} × ${matrix.columns} has no eigenvalues`);
  const { unit, copyRows } = tallView(matrix);
  if (unit === 0) return 0;
  const a = new Float64Array(n * n);
  copyRows(0, n, a);
  reduceToHessenberg(a, n);
  return unit * eigenvalueModuli(a, n).reduce((largest, modulus) => Math.max(largest, modulus), 0);
}
