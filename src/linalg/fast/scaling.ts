import type { Floats } from "./gemm";

/** Largest magnitudes between these need no scaling: neither their squares nor squares of their rounding errors leave float32. */
const MODERATE: readonly [number, number] = [2 ** -16, 2 ** 16];

export interface Scaled {
  /** Of the scaled matrix. */
  readonly frobenius: number;
  /** What the scaled matrix's singular values are to be multiplied by; a power of two. */
  readonly unscale: number;
}

/** Brings extreme entries to moderate size, in place and without rounding. */
export function scaleToModerate(data: Floats): Scaled {
  const largest = largestMagnitude(data);
  let unscale = 1;
  if (largest > 0 && (largest < MODERATE[0] || largest > MODERATE[1])) {
    // Multiplied in two steps: 2^±exponent alone may not be a float64.
    const exponent = Math.floor(Math.log2(largest));
    const [half, rest] = [2 ** -Math.trunc(exponent / 2), 2 ** -(exponent - Math.trunc(exponent / 2))];
    for (let i = 0; i < data.length; i++) data[i] = data[i]! * half * rest;
    unscale = 1 / half / rest;
  }
  return { frobenius: Math.sqrt(sumOfSquares(data)), unscale };
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
