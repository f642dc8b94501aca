import { half, nibble, unsigned16, unsigned32, type DecodeBlock } from "./block";
import { IQ1_GRID, IQ2_S_GRID, IQ2_XS_GRID, IQ2_XXS_GRID, IQ3_S_GRID, IQ3_XXS_GRID } from "./grids";

/**
 * Blocks of 256 values in groups of 4 or 8 that are points of a grid, with signs beside them. Layouts: ggml-common.h,
 * block_iq2_xxs to block_iq1_m; values: dequantize_row_iq* of ggml-quants.c.
 */

/** What iq1 values are moved by, up or down. */
const DELTA = 0.125;

/** Eight signs of seven bits: the eighth makes the count of minus signs even. */
const EVEN_SIGNS = Uint8Array.from({ length: 128 }, (_, bits) => {
  let odd = 0;
  for (let rest = bits; rest > 0; rest >>= 1) odd ^= rest & 1;
  return bits | (odd << 7);
});

/** d, then for 32 values: four points of one byte, and 32 bits of four times seven signs and a scale. */
export const iq2_xxs: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let sub = 0; sub < 8; sub++) {
    const points = at + 2 + sub * 8, packed = unsigned32(bytes, points + 4);
    const scale = d * (0.5 + (packed >>> 28)) * 0.25;
    for (let l = 0; l < 4; l++) signed(IQ2_XXS_GRID, 8, bytes[points + l]!, EVEN_SIGNS[(packed >>> (7 * l)) & 127]!, scale, out, to + sub * 32 + l * 8);
  }
};

/** d, points of 9 bits with 7 signs above, then 4 bits of scale for 16 values. */
export const iq2_xs: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let group = 0; group < 32; group++) {
    const packed = unsigned16(bytes, at + 2 + group * 2);
    const scale = d * (0.5 + nibble(bytes, at + 66, group >> 1)) * 0.25;
    signed(IQ2_XS_GRID, 8, packed & 511, EVEN_SIGNS[packed >> 9]!, scale, out, to + group * 8);
  }
};

/** d, low bytes of points, signs, high 2 bits of points, then 4 bits of scale for 16 values. */
export const iq2_s: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let group = 0; group < 32; group++) {
    const high = (bytes[at + 66 + (group >> 2)]! >> (group & 3) * 2) & 3;
    const scale = d * (0.5 + nibble(bytes, at + 74, group >> 1)) * 0.25;
    signed(IQ2_S_GRID, 8, bytes[at + 2 + group]! | (high << 8), bytes[at + 34 + group]!, scale, out, to + group * 8);
  }
};

/** d, points of 4 values, then for 32 values four times seven signs and a scale. */
export const iq3_xxs: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let sub = 0; sub < 8; sub++) {
    const packed = unsigned32(bytes, at + 66 + sub * 4);
    const scale = d * (0.5 + (packed >>> 28)) * 0.5;
    for (let l = 0; l < 8; l++) {
      const signs = EVEN_SIGNS[(packed >>> (7 * (l >> 1))) & 127]! >> (l & 1) * 4;
      signed(IQ3_XXS_GRID, 4, bytes[at + 2 + sub * 8 + l]!, signs, scale, out, to + sub * 32 + l * 4);
    }
  }
};

/** d, low bytes of points of 4 values, their ninth bits, signs, then 4 bits of scale for 32 values. */
export const iq3_s: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let group = 0; group < 64; group++) {
    const sub = group >> 3;
    const high = (bytes[at + 66 + sub]! >> (group & 7)) & 1;
    const scale = d * (1 + 2 * nibble(bytes, at + 106, sub));
    signed(IQ3_S_GRID, 4, bytes[at + 2 + group]! | (high << 8), bytes[at + 74 + (group >> 1)]! >> (group & 1) * 4, scale, out, to + group * 4);
  }
};

/** d, low bytes of points, then for 32 values 16 bits: four times 3 high bits, a scale of 3, and the sign of delta. */
export const iq1_s: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let sub = 0; sub < 8; sub++) {
    const packed = unsigned16(bytes, at + 34 + sub * 2);
    const scale = d * (2 * ((packed >> 12) & 7) + 1), delta = packed & 0x8000 ? -DELTA : DELTA;
    for (let l = 0; l < 4; l++) moved(bytes[at + 2 + sub * 4 + l]! | (((packed >> (3 * l)) & 7) << 8), delta, scale, out, to + sub * 32 + l * 8);
  }
};

/** Low bytes of points, 4 bits for each of 3 high bits and the sign of delta, then scales of 3 bits, and d spread over their highest. */
export const iq1_m: DecodeBlock = (bytes, at, out, to) => {
  const d = half(Uint8Array.of(
    (bytes[at + 49]! >> 4) | (bytes[at + 51]! & 0xf0),
    (bytes[at + 53]! >> 4) | (bytes[at + 55]! & 0xf0),
  ), 0);
  for (let group = 0; group < 32; group++) {
    const sub = group >> 1;
    const scale = d * (2 * ((unsigned16(bytes, at + 48 + (sub >> 2) * 2) >> (sub & 3) * 3) & 7) + 1);
    const packed = nibble(bytes, at + 32, group);
    moved(bytes[at + group]! | ((packed & 7) << 8), packed & 8 ? -DELTA : DELTA, scale, out, to + group * 8);
  }
};

/** A point of a grid with bit `j` of `signs` for value `j`: set is minus. */
function signed(grid: Uint8Array | Int8Array, size: number, point: number, signs: number, scale: number, out: Float32Array, to: number): void {
  for (let j = 0; j < size; j++) {
    const value = grid[point * size + j]! * scale;
    out[to + j] = (signs >> j) & 1 ? -value : value;
  }
}

function moved(point: number, delta: number, scale: number, out: Float32Array, to: number): void {
  for (let j = 0; j < 8; j++) out[to + j] = (IQ1_GRID[point * 8 + j]! + delta) * scale;
}
