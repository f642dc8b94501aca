import type { Triplets } from "../../linalg/svd";

/** Left and right factor of a truncated matrix, m × r and r × n, row-major. */
export interface Halves {
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/** √σ to each side, so that both factors are equally large and lose equally little when stored in 16 bits. */
export function balanced({ rank, values, left, right }: Triplets): Halves {
  const roots = values.map(Math.sqrt);
  const columns = rank === 0 ? 0 : right.length / rank;
  return {
    left: left.map((value, at) => value * roots[at % rank]!),
    right: right.map((value, at) => value * roots[Math.floor(at / columns)]!),
  };
}
