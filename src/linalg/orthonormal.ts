/** Images of singular values below this part of the largest have lost too many digits to be orthogonal by themselves. */
const TRUSTED = 1e-6;
/** What is left of a vector after projection, below which it was in the span of those before. */
const LEFT_OVER = 1e-2;

/**
 * Makes the columns u_i = W v_i orthonormal: by their singular value where it is large, by Gram–Schmidt (twice is
 * enough: Giraud et al. 2005) against those before where it is small, and by any further direction where it is zero.
 * @param columns n × count, row-major; overwritten
 * @param values largest first
 */
export function orthonormalColumns(columns: Float64Array, n: number, count: number, values: Float64Array): void {
  const floor = TRUSTED * (values[0] ?? 0);
  let axis = 0;
  for (let i = 0; i < count; i++) {
    if (values[i]! > floor) {
      scale(columns, n, count, i, 1 / values[i]!);
      continue;
    }
    let length = normOf(columns, n, count, i);
    if (length > 0) scale(columns, n, count, i, 1 / length);
    let left = length > 0 ? project(columns, n, count, i) : 0;
    while (left < LEFT_OVER) {
      if (axis >= n) throw new Error(`${count} orthonormal vectors of ${n} entries could not be found`);
      for (let row = 0; row < n; row++) columns[row * count + i] = row === axis ? 1 : 0;
      axis++;
      left = project(columns, n, count, i);
    }
    length = left;
    scale(columns, n, count, i, 1 / length);
    project(columns, n, count, i);
    scale(columns, n, count, i, 1 / normOf(columns, n, count, i));
  }
}

/** Takes from column i what lies along the columns before it. @returns the length that is left */
function project(a: Float64Array, n: number, count: number, i: number): number {
  for (let j = 0; j < i; j++) {
    let dot = 0;
    for (let row = 0; row < n; row++) dot += a[row * count + i]! * a[row * count + j]!;
    for (let row = 0; row < n; row++) a[row * count + i]! -= dot * a[row * count + j]!;
  }
  return normOf(a, n, count, i);
}

function normOf(a: Float64Array, n: number, count: number, i: number): number {
  let squares = 0;
  for (let row = 0; row < n; row++) squares += a[row * count + i]! ** 2;
  return Math.sqrt(squares);
}

function scale(a: Float64Array, n: number, count: number, i: number, factor: number): void {
  for (let row = 0; row < n; row++) a[row * count + i]! *= factor;
}
