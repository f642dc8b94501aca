import { blocksOf, type RowSource } from "../rowSource";
import { sumOfSquares } from "../sumOfSquares";
import type { Floats } from "./gemm";

/** Frobenius norms of which neither the entries' squares nor those of their rounding errors leave float32. */
const MODERATE: readonly [number, number] = [2 ** -16, 2 ** 24];

export interface Scaled {
  /** Of the scaled matrix. */
  readonly frobenius: number;
  /** What the scaled matrix's singular values are to be multiplied by; a power of two. */
  readonly unscale: number;
}

/** As `scaleToModerate`, of a copy where anything is to be scaled. */
export function scaledToModerate<T extends Floats>(data: T): Scaled & { readonly data: T } {
  const frobenius = Math.sqrt(sumOfSquares(data));
  if (frobenius > MODERATE[0] && frobenius < MODERATE[1]) return { frobenius, unscale: 1, data };
  const copy = data.slice() as T;
  return { ...scaleToModerate(copy), data: copy };
}

/** Brings extreme entries to moderate size, in place and without rounding. */
export function scaleToModerate(data: Floats): Scaled {
  const frobenius = Math.sqrt(sumOfSquares(data));
  if (frobenius > MODERATE[0] && frobenius < MODERATE[1]) return { frobenius, unscale: 1 };
  // Squares may have overflowed or vanished: the largest entry says what the matrix is.
  const largest = largestMagnitude(data);
  if (largest === 0) return { frobenius: 0, unscale: 1 };
  const { scale, unscale } = scaleFor(largest);
  scale(data);
  return { frobenius: Math.sqrt(sumOfSquares(data)), unscale };
}

/** Largest entries of float64 matrices whose sums of squares stay in float64, and whose rounding errors' squares do. */
const MODERATE_ENTRIES: readonly [number, number] = [2 ** -256, 2 ** 256];

/** The same for a float64 matrix that is read by rows, at the cost of one pass over it. */
export async function moderateSource(source: RowSource): Promise<{ readonly source: RowSource; readonly unscale: number }> {
  let largest = 0;
  for await (const { data } of blocksOf(source)) largest = Math.max(largest, largestMagnitude(data));
  if (largest === 0 || (largest > MODERATE_ENTRIES[0] && largest < MODERATE_ENTRIES[1])) return { source, unscale: 1 };
  const { scale, unscale } = scaleFor(largest);
  const read: RowSource["read"] = async (first, count) => {
    const block = await source.read(first, count);
    scale(block.data);
    return block;
  };
  return { source: { ...source, read }, unscale };
}

/** Brings the largest entry to 1 … 2, in place; its inverse is a factor. */
function scaleFor(largest: number): { readonly scale: (data: Floats) => void; readonly unscale: number } {
  // Multiplied in two steps: 2^±exponent alone may not be a float64.
  const exponent = Math.floor(Math.log2(largest));
  const [half, rest] = [2 ** -Math.trunc(exponent / 2), 2 ** -(exponent - Math.trunc(exponent / 2))];
  const scale = (data: Floats): void => { for (let i = 0; i < data.length; i++) data[i] = data[i]! * half * rest; };
  return { scale, unscale: 1 / half / rest };
}

function largestMagnitude(data: Floats): number {
  let [high, low] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value > high) high = value;
    else if (value < low) low = value;
  }
  return Math.max(high, -low);
}
