import type { Triplets } from "../../linalg/svd";

/** Left and right factor of a truncated matrix, m × r and r × n, row-major. */
export interface Halves {
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/** √σ to each side, so that both factors are equally large and lose equally little when stored in 16 bits. */
export function balanced({ rank, values, left, right }: Triplets): Halves {
  const roots = values.map(Math.sqrt);
  // Loops over what lies together: these are as many numbers as the factors have.
  const scaledLeft = new Float64Array(left.length), scaledRight = new Float64Array(right.length);
  for (let at = 0; at < left.length;) for (let r = 0; r < rank; r++, at++) scaledLeft[at] = left[at]! * roots[r]!;
  for (let r = 0, at = 0; r < rank; r++) for (const end = at + right.length / rank; at < end; at++) scaledRight[at] = right[at]! * roots[r]!;
  return { left: scaledLeft, right: scaledRight };
}
