import { half, signed8, unsigned32, type DecodeBlock } from "./block";

/**
 * Blocks of 256 values in sub-blocks of 16 or 32, whose scales (and minima) are quantized themselves: value =
 * d·scale·q − dmin·min. Layouts: ggml-common.h, block_q2_K to block_q8_K; values: dequantize_row_* of ggml-quants.c.
 */
export const SUPER_BLOCK = 256;

/** 16 bytes of scale (low half) and minimum, 64 of four values each, d, dmin. */
export const q2_k: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 80), dmin = half(bytes, at + 82);
  for (let sub = 0; sub < 16; sub++) {
    const packed = bytes[at + sub]!;
    const scale = d * (packed & 15), minimum = dmin * (packed >> 4);
    const from = at + 16 + twoBitsStart(sub), shift = twoBitsShift(sub);
    for (let l = 0; l < 16; l++) out[to + sub * 16 + l] = ((bytes[from + l]! >> shift) & 3) * scale - minimum;
  }
};

/** 32 bytes of third bits (set: 0, clear: −4), 64 of four values each, 12 of sixteen 6-bit scales less 32, d. */
export const q3_k: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 108);
  for (let sub = 0; sub < 16; sub++) {
    const low = (bytes[at + 96 + (sub & 7)]! >> (sub >> 3) * 4) & 15;
    const high = (bytes[at + 104 + (sub & 3)]! >> (sub >> 2) * 2) & 3;
    const scale = d * ((low | (high << 4)) - 32);
    const from = at + 32 + twoBitsStart(sub), shift = twoBitsShift(sub);
    const thirds = at + (sub & 1) * 16, third = 1 << (sub >> 1);
    for (let l = 0; l < 16; l++) {
      const value = ((bytes[from + l]! >> shift) & 3) - (bytes[thirds + l]! & third ? 0 : 4);
      out[to + sub * 16 + l] = scale * value;
    }
  }
};

/** Of 2-bit values: each half of a block is 32 bytes, whose first bit pairs are its first 32 values, and so on. */
function twoBitsStart(sub: number): number {
  return (sub >> 3) * 32 + (sub & 1) * 16;
}

function twoBitsShift(sub: number): number {
  return ((sub >> 1) & 3) * 2;
}

/** d, dmin, 12 bytes of eight 6-bit scales and minima, 128 of two values each. */
export const q4_k: DecodeBlock = (bytes, at, out, to) => {
  for (let sub = 0; sub < 8; sub++) {
    const { scale, minimum } = scaleAndMinimum(bytes, at, sub);
    const from = at + 16 + (sub >> 1) * 32, shift = (sub & 1) * 4;
    for (let l = 0; l < 32; l++) out[to + sub * 32 + l] = ((bytes[from + l]! >> shift) & 15) * scale - minimum;
  }
};

/** As q4_k, with 32 bytes of fifth bits before the values: bit `sub` of each. */
export const q5_k: DecodeBlock = (bytes, at, out, to) => {
  for (let sub = 0; sub < 8; sub++) {
    const { scale, minimum } = scaleAndMinimum(bytes, at, sub);
    const from = at + 48 + (sub >> 1) * 32, shift = (sub & 1) * 4;
    for (let l = 0; l < 32; l++) {
      const value = ((bytes[from + l]! >> shift) & 15) | (((bytes[at + 16 + l]! >> sub) & 1) << 4);
      out[to + sub * 32 + l] = value * scale - minimum;
    }
  }
};

/** Of q4_k and q5_k: the first four scales and minima are in 6 bits of a byte, the last four in its rest and 4 bits further on. */
function scaleAndMinimum(bytes: Uint8Array, at: number, sub: number): { scale: number; minimum: number } {
  const scales = at + 4;
  const d = half(bytes, at), dmin = half(bytes, at + 2);
  if (sub < 4) return { scale: d * (bytes[scales + sub]! & 63), minimum: dmin * (bytes[scales + sub + 4]! & 63) };
  const low = bytes[scales + sub + 4]!;
  return { scale: d * ((low & 15) | ((bytes[scales + sub - 4]! >> 6) << 4)), minimum: dmin * ((low >> 4) | ((bytes[scales + sub]! >> 6) << 4)) };
}

/** 128 bytes of low 4 bits, 64 of high 2 bits, sixteen signed scales, d; values less 32. */
export const q6_k: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 208);
  for (let run = 0; run < 8; run++) {
    // Runs of 32: the low bits of each half's four are two times 32 bytes, low halves first; the high bits 32 bytes.
    const quarter = run & 3, part = run >> 2;
    const lows = at + part * 64 + (quarter & 1) * 32, lowShift = (quarter >> 1) * 4;
    const highs = at + 128 + part * 32, highShift = quarter * 2;
    for (let l = 0; l < 32; l++) {
      const value = (((bytes[lows + l]! >> lowShift) & 15) | (((bytes[highs + l]! >> highShift) & 3) << 4)) - 32;
      out[to + run * 32 + l] = d * signed8(bytes, at + 192 + run * 2 + (l >> 4)) * value;
    }
  }
};

const FLOAT_BITS = new Uint32Array(1);
const FLOAT = new Float32Array(FLOAT_BITS.buffer);

/** A float32 d, one signed byte a value, and sums that products use. */
export const q8_k: DecodeBlock = (bytes, at, out, to) => {
  FLOAT_BITS[0] = unsigned32(bytes, at);
  const d = FLOAT[0]!;
  for (let j = 0; j < SUPER_BLOCK; j++) out[to + j] = signed8(bytes, at + 4 + j) * d;
};
