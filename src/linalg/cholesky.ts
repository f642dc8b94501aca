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
 * G + ridge · I = L Lᵀ, with L in the lower triangle of G, row by row, each from the rows above it; what is above it stays.
 * @param smallest pivots that are not above it are rounding: the matrix then counts as singular
 * @returns false when G is not positive definite; it is overwritten in part
 */
export function choleskyFactor(g: Float64Array, n: number, ridge = 0, smallest = 0): boolean {
  for (let i = 0; i < n; i++) {
    const row = g.subarray(i * n, i * n + i + 1);
    for (let j = 0; j < i; j++) row[j] = (row[j]! - dot(row, g, j * n, j)) / g[j * n + j]!;
    const pivot = row[i]! + ridge - dot(row, row, 0, i);
    if (!(pivot > smallest)) return false;
    row[i] = Math.sqrt(pivot);
  }
  return true;
}

/** x ← L⁻ᵀ L⁻¹ x */
function substitute(l: Float64Array, n: number, x: Float64Array): void {
  for (let i = 0; i < n; i++) x[i] = (x[i]! - dot(x, l, i * n, i)) / l[i * n + i]!;
  for (let i = n - 1; i >= 0; i--) {
    const value = x[i]! / l[i * n + i]!, from = i * n;
    x[i] = value;
    for (let k = 0; k < i; k++) x[k]! -= value * l[from + k]!;
  }
}

/** Σ a·b over `count` entries of a and those of b from `from` on, in four sums that do not wait for each other. */
function dot(a: Float64Array, b: Float64Array, from: number, count: number): number {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  let k = 0;
  for (; k + 3 < count; k += 4) {
    s0 += a[k]! * b[from + k]!;
    s1 += a[k + 1]! * b[from + k + 1]!;
    s2 += a[k + 2]! * b[from + k + 2]!;
    s3 += a[k + 3]! * b[from + k + 3]!;
  }
  for (; k < count; k++) s0 += a[k]! * b[from + k]!;
  return s0 + s1 + s2 + s3;
}
