import type { Values } from "../model";
import type { PackedBlocks, PackedCodes } from "./packed";

/** What blocks of a packed weight are read with, in the order of the blocks. */
export interface BlockValues {
  readonly scale: Values;
  /** As stored; null where there are none. */
  readonly zeroPoint: Values | null;
  readonly order: Values | null;
}

/**
 * rows × columns weights of packed blocks, in float32 as ONNX Runtime computes them.
 * @param bytes rows · rowBytes of them
 * @returns null where the order of groups names a block that does not exist
 */
export function unpackBlocks(bytes: Values, packing: PackedBlocks, { scale, zeroPoint, order }: BlockValues): Float32Array | null {
  const { bits, rows, columns, rowBytes, blockSize } = packing;
  const blocks = Math.ceil(columns / blockSize);
  const block = Int32Array.from({ length: columns }, (_, column) => (order === null ? Math.floor(column / blockSize) : order[column]!));
  if (block.some((index) => index < 0 || index >= blocks)) return null;
  const zeros = zeroPoint === null ? null : packing.zeroPoint?.isPacked === true ? zerosOf(zeroPoint, rows, blocks, bits) : zeroPoint;
  const middle = 2 ** (bits - 1), perByte = 8 / bits, mask = 2 ** bits - 1;
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * blocks + block[column]!;
      const code = (bytes[row * rowBytes + Math.floor(column / perByte)]! >> ((column % perByte) * bits)) & mask;
      out[row * columns + column] = (code - (zeros === null ? middle : zeros[at]!)) * scale[at]!;
    }
  }
  return out;
}

/** Zero points that are packed as the weight is: each row from a new byte on. */
function zerosOf(bytes: Values, rows: number, blocks: number, bits: number): Float32Array {
  const rowBytes = Math.ceil((blocks * bits) / 8), perByte = 8 / bits, mask = 2 ** bits - 1;
  return Float32Array.from({ length: rows * blocks }, (_, at) => {
    const row = Math.floor(at / blocks), index = at % blocks;
    return (bytes[row * rowBytes + Math.floor(index / perByte)]! >> ((index % perByte) * bits)) & mask;
  });
}

/** Values of the codes (bitsandbytes, csrc/kernels.cu; onnxruntime/core/mlas blockwise_quant_block_bnb4.h). */
const CODES = {
  nf4: [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ],
  fp4: [0, 0.005208333333, 0.66666667, 1, 0.33333333, 0.5, 0.16666667, 0.25, -0, -0.005208333333, -0.66666667, -1, -0.33333333, -0.5, -0.16666667, -0.25],
} as const;

/** rows × columns weights of bitsandbytes' codes. */
export function unpackCodes(bytes: Values, { codes, rows, columns, blockSize }: PackedCodes, scale: Values): Float32Array {
  const values = Float32Array.from(CODES[codes]);
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const byte = bytes[at >> 1]!;
    return values[at % 2 === 0 ? byte >> 4 : byte & 0xf]! * scale[Math.floor(at / blockSize)]!;
  });
}

