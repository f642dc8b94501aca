/** What a type of PyTorch is to an analysis. */
export interface DataType {
  /** A name of `dtypes.ts` where RankLens decodes the type, PyTorch's own name otherwise. */
  readonly name: string;
  /** Bytes of one element; 0 where elements share bytes. */
  readonly itemSize: number;
  /** `quantized`: integers with a scale; `unread`: numbers that RankLens does not decode. */
  readonly use: "float" | "integer" | "quantized" | "unread";
}

const type = (name: string, itemSize: number, use: DataType["use"]): DataType => ({ name, itemSize, use });

/** By PyTorch's names (torch/csrc/utils/tensor_dtypes.cpp). */
const TYPES: readonly (readonly [string, string | null, DataType])[] = [
  ["float64", "DoubleStorage", type("float64", 8, "float")],
  ["float32", "FloatStorage", type("float32", 4, "float")],
  ["float16", "HalfStorage", type("float16", 2, "float")],
  ["bfloat16", "BFloat16Storage", type("bfloat16", 2, "float")],
  ["float8_e4m3fn", null, type("float8_e4m3fn", 1, "float")],
  ["float8_e4m3fnuz", null, type("float8_e4m3fnuz", 1, "float")],
  ["float8_e5m2", null, type("float8_e5m2", 1, "float")],
  ["float8_e5m2fnuz", null, type("float8_e5m2fnuz", 1, "float")],
  ["float8_e8m0fnu", null, type("float8_e8m0", 1, "unread")],
  ["float4_e2m1fn_x2", null, type("float4_e2m1", 1, "unread")],
  ["int64", "LongStorage", type("int64", 8, "integer")],
  ["int32", "IntStorage", type("int32", 4, "integer")],
  ["int16", "ShortStorage", type("int16", 2, "integer")],
  ["int8", "CharStorage", type("int8", 1, "integer")],
  ["uint8", "ByteStorage", type("uint8", 1, "integer")],
  ["uint16", null, type("uint16", 2, "integer")],
  ["uint32", null, type("uint32", 4, "integer")],
  ["uint64", null, type("uint64", 8, "integer")],
  ["bool", "BoolStorage", type("bool", 1, "integer")],
  ["complex32", "ComplexHalfStorage", type("complex32", 4, "unread")],
  ["complex64", "ComplexFloatStorage", type("complex64", 8, "unread")],
  ["complex128", "ComplexDoubleStorage", type("complex128", 16, "unread")],
  ["qint8", "QInt8Storage", type("int8", 1, "quantized")],
  ["quint8", "QUInt8Storage", type("uint8", 1, "quantized")],
  ["qint32", "QInt32Storage", type("int32", 4, "quantized")],
  ["quint4x2", "QUInt4x2Storage", type("quint4x2", 0, "unread")],
  ["quint2x4", "QUInt2x4Storage", type("quint2x4", 0, "unread")],
];

/** "torch.float8_e4m3fn", as newer tensors name their type. */
export const TYPE_OF_NAME: ReadonlyMap<string, DataType> = new Map(TYPES.map(([name, , data]) => [`torch.${name}`, data]));

/** Bytes without a type, as newer files store all storages. */
const UNTYPED = type("bytes", 1, "unread");

/** "FloatStorage"; of `torch`, `torch.cuda` and `torch.storage`. */
export const TYPE_OF_STORAGE: ReadonlyMap<string, DataType> = new Map([
  ...TYPES.flatMap(([, storage, data]): [string, DataType][] => (storage === null ? [] : [[storage, data]])),
  ["UntypedStorage", UNTYPED], ["_UntypedStorage", UNTYPED],
]);
