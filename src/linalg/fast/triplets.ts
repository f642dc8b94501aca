/** Singular triplets, largest value first. Vectors are rows: row i of `left` and `right` belongs to value i. */
export interface Triplets {
  readonly values: Float64Array;
  /** count × m, orthonormal rows. */
  readonly left: Float64Array;
  /** count × n, orthonormal rows. */
  readonly right: Float64Array;
}

export function leading({ values, left, right }: Triplets, count: number): Triplets {
  const [m, n] = [left.length / values.length, right.length / values.length];
  return { values: values.slice(0, count), left: left.slice(0, count * m), right: right.slice(0, count * n) };
}
