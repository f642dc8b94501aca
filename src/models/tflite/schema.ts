/** Types of tensors by number (tensorflow/compiler/mlir/lite/schema/schema.fbs, TensorType). */
export interface TensorType {
  /** A name of `dtypes.ts` where RankLens reads the type. */
  readonly name: string;
  readonly bits: number;
  readonly use: "float" | "quantized" | "other";
}

const type = (name: string, bits: number, use: TensorType["use"]): TensorType => ({ name, bits, use });

export const TENSOR_TYPES: ReadonlyMap<number, TensorType> = new Map([
  [0, type("float32", 32, "float")], [1, type("float16", 16, "float")], [2, type("int32", 32, "quantized")], [3, type("uint8", 8, "quantized")],
  [4, type("int64", 64, "other")], [5, type("string", 0, "other")], [6, type("bool", 8, "other")], [7, type("int16", 16, "quantized")],
  [8, type("complex64", 64, "other")], [9, type("int8", 8, "quantized")], [10, type("float64", 64, "float")], [11, type("complex128", 128, "other")],
  [12, type("uint64", 64, "other")], [13, type("resource", 0, "other")], [14, type("variant", 0, "other")], [15, type("uint32", 32, "other")],
  [16, type("uint16", 16, "other")], [17, type("int4", 4, "quantized")], [18, type("bfloat16", 16, "float")],
]);

/** Operators that sentences name, by number (BuiltinOperator). */
const OPERATORS: ReadonlyMap<number, string> = new Map([
  [0, "ADD"], [2, "CONCATENATION"], [3, "CONV_2D"], [4, "DEPTHWISE_CONV_2D"], [6, "DEQUANTIZE"], [7, "EMBEDDING_LOOKUP"], [9, "FULLY_CONNECTED"], [14, "LOGISTIC"], [16, "LSTM"], [18, "MUL"],
  [22, "RESHAPE"], [23, "RESIZE_BILINEAR"], [24, "RNN"], [27, "SVDF"], [32, "CUSTOM"], [34, "PAD"], [35, "UNIDIRECTIONAL_SEQUENCE_RNN"], [36, "GATHER"], [37, "BATCH_TO_SPACE_ND"], [38, "SPACE_TO_BATCH_ND"], [39, "TRANSPOSE"], [40, "MEAN"],
  [41, "SUB"], [42, "DIV"], [43, "SQUEEZE"], [44, "UNIDIRECTIONAL_SEQUENCE_LSTM"], [45, "STRIDED_SLICE"], [46, "BIDIRECTIONAL_SEQUENCE_RNN"], [49, "SPLIT"], [52, "BIDIRECTIONAL_SEQUENCE_LSTM"], [53, "CAST"],
  [54, "PRELU"], [60, "PADV2"], [65, "SLICE"], [67, "TRANSPOSE_CONV"], [70, "EXPAND_DIMS"], [74, "SUM"], [78, "POW"], [83, "PACK"], [97, "RESIZE_NEAREST_NEIGHBOR"], [99, "SQUARED_DIFFERENCE"], [102, "SPLIT_V"],
  [114, "QUANTIZE"], [126, "BATCH_MATMUL"], [129, "CALL_ONCE"], [132, "CONV_3D"], [141, "CONV_3D_TRANSPOSE"], [142, "VAR_HANDLE"], [143, "READ_VARIABLE"], [144, "ASSIGN_VARIABLE"],
]);

export function operatorName(code: number): string {
  return OPERATORS.get(code) ?? `operator ${code}`;
}

/** "TFL3" of a file; it stands after the root's place. */
export const IDENTIFIER = "TFL3";
/** Tensors, operators or buffers of one file. */
export const MOST_ENTRIES = 1_000_000;
export const MOST_AXES = 64;
/** Inputs of one operator. */
export const MOST_INPUTS = 65_536;
/** Scales of one tensor: one a channel. */
export const MOST_SCALES = 16_777_216;
