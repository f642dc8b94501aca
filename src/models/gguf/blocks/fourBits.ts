import { half, nibble, unsigned16, type DecodeBlock } from "./block";

/**
 * Values of 4 bits that are looked up. Layouts: ggml-common.h, block_iq4_nl, block_iq4_xs, block_mxfp4, block_nvfp4;
 * values: dequantize_row_* of ggml-quants.c.
 */

/** The 16 values of iq4_nl and iq4_xs, closer where weights are more frequent (ggml-common.h, kvalues_iq4nl). */
const NONLINEAR = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
/** Twice the values of an E2M1 float; its negative zero is 0. */
const TWICE_E2M1 = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** d, then 16 bytes of two values each, as q4_0. */
export const iq4_nl: DecodeBlock = (bytes, at, out, to) => { lookUp(NONLINEAR, half(bytes, at), bytes, at + 2, 16, out, to); };

/** d, the high 2 bits of eight scales less 32, their low 4 bits, then 32 values a scale. */
export const iq4_xs: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at), highs = unsigned16(bytes, at + 2);
  for (let sub = 0; sub < 8; sub++) {
    const scale = (nibble(bytes, at + 4, sub) | (((highs >> sub * 2) & 3) << 4)) - 32;
    lookUp(NONLINEAR, d * scale, bytes, at + 8 + sub * 16, 16, out, to + sub * 32);
  }
};

/** Exponent of the scale of 32 E2M1 values (OCP Microscaling, MXFP4), then as q4_0. */
export const mxfp4: DecodeBlock = (bytes, at, out, to) => {
  // E8M0 is 2^(e − 127); half of it, for values that are doubled.
  lookUp(TWICE_E2M1, 2 ** (bytes[at]! - 128), bytes, at + 1, 16, out, to);
};

/** Four scales, each an E4M3 float without sign, then 16 E2M1 values for each. */
export const nvfp4: DecodeBlock = (bytes, at, out, to) => {
  for (let sub = 0; sub < 4; sub++) lookUp(TWICE_E2M1, unsignedE4M3(bytes[at + sub]!) / 2, bytes, at + 4 + sub * 8, 8, out, to + sub * 16);
};

/** Values of `count` bytes: those of the low halves, then those of the high halves. */
function lookUp(table: Int8Array, scale: number, bytes: Uint8Array, at: number, count: number, out: Float32Array, to: number): void {
  for (let j = 0; j < count; j++) {
    const pair = bytes[at + j]!;
    out[to + j] = table[pair & 15]! * scale;
    out[to + count + j] = table[pair >> 4]! * scale;
  }
}

/** ggml reads the code of NaN, 0x7f, as 0, and knows no sign: the eighth bit changes nothing. */
function unsignedE4M3(code: number): number {
  if (code === 0x7f) return 0;
  const exponent = (code >> 3) & 15, mantissa = code & 7;
  return exponent === 0 ? mantissa * 2 ** -9 : (1 + mantissa / 8) * 2 ** (exponent - 7);
}
