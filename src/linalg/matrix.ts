/**
 * A dense matrix in row-major order: element (i, j) is `data[i * columns + j]`. Values of a 16- or 32-bit
 * file stay float32, which holds them exactly in half the memory.
 */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array | Float64Array;
}

export type ElementType = "float32" | "float64";

export function elementTypeOf({ data }: Pick<Matrix, "data">): ElementType {
  return data instanceof Float32Array ? "float32" : "float64";
}
