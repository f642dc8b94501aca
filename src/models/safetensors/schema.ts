/** One type of the safetensors format, and what it is to an analysis. */
export interface DataType {
  /** A name of `dtypes.ts` where RankLens reads the type. */
  readonly name: string;
  readonly bits: number;
  /**
   * `float`: values as they are; `scaled`: values too small or too coarse to be weights without a scale beside them;
   * `integer`: no weight; `unread`: numbers that RankLens does not decode.
   */
  readonly use: "float" | "scaled" | "integer" | "unread";
}

const type = (name: string, bits: number, use: DataType["use"]): DataType => ({ name, bits, use });

/** By the names in a header. Source: github.com/huggingface/safetensors, safetensors/src/tensor.rs, Dtype. */
export const DATA_TYPES: ReadonlyMap<string, DataType> = new Map([
  ["F64", type("float64", 64, "float")],
  ["F32", type("float32", 32, "float")],
  ["F16", type("float16", 16, "float")],
  ["BF16", type("bfloat16", 16, "float")],
  ["F8_E4M3", type("float8_e4m3fn", 8, "float")],
  ["F8_E4M3FNUZ", type("float8_e4m3fnuz", 8, "float")],
  ["F8_E5M2", type("float8_e5m2", 8, "float")],
  ["F8_E5M2FNUZ", type("float8_e5m2fnuz", 8, "float")],
  ["F8_E8M0", type("float8_e8m0", 8, "scaled")],
  ["F6_E2M3", type("float6_e2m3", 6, "unread")],
  ["F6_E3M2", type("float6_e3m2", 6, "unread")],
  ["F4", type("float4_e2m1", 4, "scaled")],
  ["C64", type("complex64", 64, "unread")],
  ["I64", type("int64", 64, "integer")],
  ["U64", type("uint64", 64, "integer")],
  ["I32", type("int32", 32, "integer")],
  ["U32", type("uint32", 32, "integer")],
  ["I16", type("int16", 16, "integer")],
  ["U16", type("uint16", 16, "integer")],
  ["I8", type("int8", 8, "scaled")],
  ["U8", type("uint8", 8, "integer")],
  ["BOOL", type("bool", 8, "integer")],
]);

/** Key of the free-form text beside the tensors. */
export const METADATA = "__metadata__";
/** Bytes of the header's length, before the header. */
export const LENGTH_BYTES = 8;
/** Longest header that the format's own library reads (MAX_HEADER_SIZE). */
export const LONGEST_HEADER = 100_000_000;
/** Tensors of one file or checkpoint; the largest models published have some 100,000. */
export const MOST_TENSORS = 1_000_000;
