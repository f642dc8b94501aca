import { half, type DecodeBlock } from "./block";

/**
 * Blocks of 256 values −d, 0, d. Layouts: ggml-common.h, block_tq1_0, block_tq2_0; values: dequantize_row_tq* of
 * ggml-quants.c.
 */

const POWERS_OF_THREE: readonly number[] = [1, 3, 9, 27, 81];

/**
 * Five values a byte in 48 bytes, four in the last 4, then d. A byte holds its values as a fraction of 256 in base 3: times 3ⁿ
 * modulo 256, then times 3, the part above 256 is digit n.
 */
export const tq1_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 52);
  let next = to;
  for (const [first, count, digits] of [[0, 32, 5], [32, 16, 5], [48, 4, 4]] as const) {
    for (let digit = 0; digit < digits; digit++) {
      for (let l = 0; l < count; l++) {
        const fraction = (bytes[at + first + l]! * POWERS_OF_THREE[digit]!) & 255;
        out[next++] = (((fraction * 3) >> 8) - 1) * d;
      }
    }
  }
};

/** Four values a byte in 64 bytes, then d. */
export const tq2_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 64);
  for (let run = 0; run < 8; run++) {
    const from = at + (run >> 2) * 32, shift = (run & 3) * 2;
    for (let l = 0; l < 32; l++) out[to + run * 32 + l] = (((bytes[from + l]! >> shift) & 3) - 1) * d;
  }
};
