import { FLOAT16, smallFloatValues } from "../../dtypes/smallFloats";

/**
 * Dequantizes one block: reads it at `bytes[at]`, writes its values from `out[to]` on.
 *
 * All of these types compute in float32 in ggml. Each product before the last is exact in float64 (a scale has 11
 * significant bits, a scale of a scale 8, a quantized value 8), so that computing in float64 and rounding once, as it is stored
 * into `out`, gives the same bits.
 */
export type DecodeBlock = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

const HALVES = smallFloatValues(FLOAT16);

/** The float16 at `bytes[at]`. */
export function half(bytes: Uint8Array, at: number): number {
  return HALVES[unsigned16(bytes, at)]!;
}

export function unsigned16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

export function unsigned32(bytes: Uint8Array, at: number): number {
  return (unsigned16(bytes, at) | (unsigned16(bytes, at + 2) << 16)) >>> 0;
}

export function signed8(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) >> 24;
}

/** The 4 bits number `index` of bytes that hold two each, the first in the low half. */
export function nibble(bytes: Uint8Array, at: number, index: number): number {
  return (bytes[at + (index >> 1)]! >> ((index & 1) * 4)) & 15;
}
