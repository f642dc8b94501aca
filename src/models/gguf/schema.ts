import { SIMPLE_BLOCK, q1_0, q2_0, q4_0, q4_1, q5_0, q5_1, q8_0, q8_1 } from "./blocks/simple";
import { SUPER_BLOCK, q2_k, q3_k, q4_k, q5_k, q6_k, q8_k } from "./blocks/kQuants";
import { iq1_m, iq1_s, iq2_s, iq2_xs, iq2_xxs, iq3_s, iq3_xxs } from "./blocks/codebooks";
import { iq4_nl, iq4_xs, mxfp4, nvfp4 } from "./blocks/fourBits";
import { tq1_0, tq2_0 } from "./blocks/ternary";
import type { DecodeBlock } from "./blocks/block";

/** A type of tensors, and how its values are stored. */
export interface TensorType {
  /** A name of `dtypes.ts`, or ggml's own of a block type, in lower case. */
  readonly name: string;
  /** Values of one block; 1 for types without blocks. Rows are whole blocks. */
  readonly blockSize: number;
  readonly blockBytes: number;
  /** `plain`: decoded by `dtypes.ts`; `integer`: no weight; `blocks`: dequantized; `unread`: not known, nor how long it is. */
  readonly use: "plain" | "integer" | "blocks" | "unread";
  readonly decode: DecodeBlock | null;
  /** Places of 16-bit numbers in a block, which files of big-endian machines store the other way round; null: not known. */
  readonly halves: readonly number[] | null;
}

const plain = (name: string, bytes: number): TensorType => ({ name, blockSize: 1, blockBytes: bytes, use: "plain", decode: null, halves: null });
const integer = (name: string, bytes: number): TensorType => ({ ...plain(name, bytes), use: "integer" });
const blocks = (name: string, blockSize: number, blockBytes: number, decode: DecodeBlock, halves: readonly number[] | null): TensorType =>
  ({ name, blockSize, blockBytes, use: "blocks", decode, halves });

/**
 * By number. Source: github.com/ggml-org/ggml, include/ggml.h, ggml_type, and the sizes of src/ggml-common.h. Types that ggml
 * removed (4, 5, 31 to 33, 36 to 38) are in no file that it loads.
 */
const TENSOR_TYPES: ReadonlyMap<number, TensorType> = new Map([
  [0, plain("float32", 4)],
  [1, plain("float16", 2)],
  [2, blocks("q4_0", SIMPLE_BLOCK, 18, q4_0, [0])],
  [3, blocks("q4_1", SIMPLE_BLOCK, 20, q4_1, [0, 2])],
  [6, blocks("q5_0", SIMPLE_BLOCK, 22, q5_0, [0])],
  [7, blocks("q5_1", SIMPLE_BLOCK, 24, q5_1, [0, 2])],
  [8, blocks("q8_0", SIMPLE_BLOCK, 34, q8_0, [0])],
  [9, blocks("q8_1", SIMPLE_BLOCK, 36, q8_1, [0, 2])],
  [10, blocks("q2_k", SUPER_BLOCK, 84, q2_k, [80, 82])],
  [11, blocks("q3_k", SUPER_BLOCK, 110, q3_k, [108])],
  [12, blocks("q4_k", SUPER_BLOCK, 144, q4_k, [0, 2])],
  [13, blocks("q5_k", SUPER_BLOCK, 176, q5_k, [0, 2])],
  [14, blocks("q6_k", SUPER_BLOCK, 210, q6_k, [208])],
  [15, blocks("q8_k", SUPER_BLOCK, 292, q8_k, null)],
  [16, blocks("iq2_xxs", SUPER_BLOCK, 66, iq2_xxs, null)],
  [17, blocks("iq2_xs", SUPER_BLOCK, 74, iq2_xs, null)],
  [18, blocks("iq3_xxs", SUPER_BLOCK, 98, iq3_xxs, null)],
  [19, blocks("iq1_s", SUPER_BLOCK, 50, iq1_s, null)],
  [20, blocks("iq4_nl", SIMPLE_BLOCK, 18, iq4_nl, [0])],
  [21, blocks("iq3_s", SUPER_BLOCK, 110, iq3_s, [0])],
  [22, blocks("iq2_s", SUPER_BLOCK, 82, iq2_s, [0])],
  [23, blocks("iq4_xs", SUPER_BLOCK, 136, iq4_xs, [0, 2])],
  [24, integer("int8", 1)],
  [25, integer("int16", 2)],
  [26, integer("int32", 4)],
  [27, integer("int64", 8)],
  [28, plain("float64", 8)],
  [29, blocks("iq1_m", SUPER_BLOCK, 56, iq1_m, null)],
  [30, plain("bfloat16", 2)],
  [34, blocks("tq1_0", SUPER_BLOCK, 54, tq1_0, [52])],
  [35, blocks("tq2_0", SUPER_BLOCK, 66, tq2_0, [64])],
  [39, blocks("mxfp4", SIMPLE_BLOCK, 17, mxfp4, [])],
  [40, blocks("nvfp4", 64, 36, nvfp4, [])],
  [41, blocks("q1_0", 128, 18, q1_0, [0])],
  [42, blocks("q2_0", 64, 18, q2_0, [0])],
]);

/** Types that ggml removed are in old files, types of the future in new ones: such a tensor is listed, and its neighbours are read. */
export function typeOf(number: number): TensorType {
  return TENSOR_TYPES.get(number) ?? { ...plain(`type ${number}`, 0), use: "unread" };
}

/** Types of metadata values, by number, with their bytes; text and lists have none of their own (docs/gguf.md, gguf_metadata_value_type). */
export const VALUE_BYTES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
export const TEXT = 8;
export const LIST = 9;

/** Where tensors begin is a multiple of it, unless the metadata say otherwise. */
export const DEFAULT_ALIGNMENT = 32;
/** Tensors, or metadata entries, of one file; the largest models published have some 2,000 of each. */
export const MOST_ENTRIES = 1_000_000;
/** ggml knows tensors of 4 axes. */
export const MOST_AXES = 4;
/** Longest name of a tensor or a key, in bytes; ggml's own limits are 63 and 65,535. */
export const LONGEST_NAME = 65_535;
