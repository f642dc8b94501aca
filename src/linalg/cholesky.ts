/**
 * Solves X G = M in place for G symmetric and positive semidefinite, by Cholesky's factorization of G + ridge · I.
 * @param gram n × n, row-major; overwritten with the factor
 * @param rows m × n, row-major; overwritten with X
 * @param ridge added to the diagonal; what keeps a singular G solvable
 * @returns false when G is not positive definite for all that; then `rows` is as it was
 */
export function solveFromRight(gram: Float64Array, n: number, rows: Float64Array, ridge: number): boolean {
  if (!choleskyFactor(gram, n, ridge)) return false;
  for (let at = 0; at < rows.length; at += n) substitute(gram, n, rows.subarray(at, at + n));
  return true;
}

/**
 * G + ridge · I = L Lᵀ, with L in the lower triangle of G; what is above it stays.
 * @param smallest pivots that are not above it are rounding: the matrix then counts as singular
 * @returns false when G is not positive definite; it is overwritten in part
 */
export function choleskyFactor(g: Float64Array, n: number, ridge = 0, smallest = 0): boolean {
  for (let j = 0; j < n; j++) {
    let pivot = g[j * n + j]! + ridge;
    for (let k = 0; k < j; k++) pivot -= g[j * n + k]! ** 2;
    if (!(pivot > smallest)) return false;
    const root = Math.sqrt(pivot);
    g[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let sum = g[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= g[i * n + k]! * g[j * n + k]!;
      g[i * n + j] = sum / root;
    }
  }
  return true;
}

/** x ← L⁻ᵀ L⁻¹ x */
function substitute(l: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) {
    let sum = x[i]!;
    for (let k = 0; k < i; k++) sum -= l[i * n + k]! * x[k]!;
    x[i] = sum / l[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i]!;
    for (let k = i + 1; k < n; k++) sum -= l[k * n + i]! * x[k]!;
    x[i] = sum / l[i * n + i]!;
  }
}
