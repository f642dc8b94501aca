import { half, signed8, type DecodeBlock } from "./block";

/**
 * Blocks with one scale d, and some with one minimum m: value = d·q + m. Layouts: ggml-common.h, block_q4_0 to
 * block_q8_1, block_q1_0, block_q2_0; values: dequantize_row_* of ggml-quants.c.
 */

/** Values of most of these blocks. */
export const SIMPLE_BLOCK = 32;

/** d, then 16 bytes of two values each: the low halves are the block's first 16 values, the high halves its last. */
export const q4_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let j = 0; j < 16; j++) {
    const pair = bytes[at + 2 + j]!;
    out[to + j] = ((pair & 15) - 8) * d;
    out[to + 16 + j] = ((pair >> 4) - 8) * d;
  }
};

/** d, m, then as q4_0. */
export const q4_1: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at), m = half(bytes, at + 2);
  for (let j = 0; j < 16; j++) {
    const pair = bytes[at + 4 + j]!;
    out[to + j] = (pair & 15) * d + m;
    out[to + 16 + j] = (pair >> 4) * d + m;
  }
};

/** d, the fifth bits of the 32 values, then as q4_0. */
export const q5_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let j = 0; j < SIMPLE_BLOCK; j++) out[to + j] = (fiveBits(bytes, at + 2, j) - 16) * d;
};

/** d, m, then as q5_0. */
export const q5_1: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at), m = half(bytes, at + 2);
  for (let j = 0; j < SIMPLE_BLOCK; j++) out[to + j] = fiveBits(bytes, at + 4, j) * d + m;
};

/** Value `j` of 4 bytes of fifth bits and 16 of two halves. */
function fiveBits(bytes: Uint8Array, at: number, j: number): number {
  const low = (bytes[at + 4 + (j & 15)]! >> (j >> 4) * 4) & 15;
  const high = (bytes[at + (j >> 3)]! >> (j & 7)) & 1;
  return low | (high << 4);
}

/** d, then one signed byte a value. */
export const q8_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let j = 0; j < SIMPLE_BLOCK; j++) out[to + j] = signed8(bytes, at + 2 + j) * d;
};

/** d, the sum of the values (of use to products alone), then as q8_0. */
export const q8_1: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let j = 0; j < SIMPLE_BLOCK; j++) out[to + j] = signed8(bytes, at + 4 + j) * d;
};

/** d, then a sign for each of 128 values: −d or d. */
export const q1_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let j = 0; j < 128; j++) out[to + j] = (bytes[at + 2 + (j >> 3)]! >> (j & 7)) & 1 ? d : -d;
};

/** d, then 2 bits for each of 64 values: −d, 0, d, 2d. */
export const q2_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let j = 0; j < 64; j++) out[to + j] = (((bytes[at + 2 + (j >> 2)]! >> (j & 3) * 2) & 3) - 1) * d;
};
