import type { Floats } from "./gemm";

/** Frobenius norms of which neither the entries' squares nor those of their rounding errors leave float32. */
const MODERATE: readonly [number, number] = [2 ** -16, 2 ** 24];

export interface Scaled {
  /** Of the scaled matrix. */
  readonly frobenius: number;
  /** What the scaled matrix's singular values are to be multiplied by; a power of two. */
  readonly unscale: number;
}

/** Brings extreme entries to moderate size, in place and without rounding. */
export function scaleToModerate(data: Floats): Scaled {
  const frobenius = Math.sqrt(sumOfSquares(data));
  if (frobenius > MODERATE[0] && frobenius < MODERATE[1]) return { frobenius, unscale: 1 };
  // Squares may have overflowed or vanished: the largest entry says what the matrix is.
  const largest = largestMagnitude(data);
  if (largest === 0) return { frobenius: 0, unscale: 1 };
  // Multiplied in two steps: 2^±exponent alone may not be a float64.
  const exponent = Math.floor(Math.log2(largest));
  const [half, rest] = [2 ** -Math.trunc(exponent / 2), 2 ** -(exponent - Math.trunc(exponent / 2))];
  for (let i = 0; i < data.length; i++) data[i] = data[i]! * half * rest;
  return { frobenius: Math.sqrt(sumOfSquares(data)), unscale: 1 / half / rest };
}

/** Four sums at once, as one would wait for each addition. */
function sumOfSquares(data: Floats): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = data.length - (data.length % 4);
  for (let i = 0; i < whole; i += 4) {
    s0 += data[i]! * data[i]!;
    s1 += data[i + 1]! * data[i + 1]!;
    s2 += data[i + 2]! * data[i + 2]!;
    s3 += data[i + 3]! * data[i + 3]!;
  }
  for (let i = whole; i < data.length; i++) s0 += data[i]! * data[i]!;
  return s0 + s1 + (s2 + s3);
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
