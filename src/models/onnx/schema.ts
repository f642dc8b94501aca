/**
 * Field numbers and enumerations of ONNX's protobuf schema, as far as RankLens reads it.
 * Source: github.com/onnx/onnx, onnx/onnx.proto3 (IR version 11); numbers are never reused there.
 * Fields that are not listed are skipped unread.
 */
export const MODEL = {
  irVersion: 1, producerName: 2, producerVersion: 3, domain: 4, modelVersion: 5, docString: 6, graph: 7,
  opsetImport: 8, metadataProps: 14, trainingInfo: 20, functions: 25, configuration: 26,
} as const;

export const OPSET = { domain: 1, version: 2 } as const;

export const TRAINING = { initialization: 1, algorithm: 2 } as const;

export const FUNCTION = { name: 1, input: 4, output: 5, node: 7, domain: 10, overload: 13 } as const;

export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const;

export const VALUE_INFO = { name: 1 } as const;

export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7, overload: 8 } as const;

export const ATTRIBUTE = {
  name: 1, f: 2, i: 3, s: 4, t: 5, g: 6, floats: 7, ints: 8, tensors: 10, graphs: 11,
  sparseTensor: 22, sparseTensors: 23,
} as const;

export const TENSOR = {
  dims: 1, dataType: 2, floatData: 4, int32Data: 5, stringData: 6, int64Data: 7, name: 8, rawData: 9,
  doubleData: 10, uint64Data: 11, externalData: 13, dataLocation: 14,
} as const;

export const SPARSE_TENSOR = { values: 1, indices: 2, dims: 3 } as const;

export const STRING_ENTRY = { key: 1, value: 2 } as const;

/** TensorProto.DataLocation.EXTERNAL. */
export const EXTERNAL_LOCATION = 1;

/** One TensorProto.DataType: its name here, the width of an element, and what it is to an analysis. */
export interface DataType {
  readonly name: string;
  /** Bits of one element in raw_data; 0: not of fixed width. */
  readonly bits: number;
  /** `float`: values as they are; `quantized`: a weight only together with a scale; `other`: never a weight. */
  readonly use: "float" | "quantized" | "other";
}

const type = (name: string, bits: number, use: DataType["use"]): DataType => ({ name, bits, use });

/** By TensorProto.DataType. Names are those of `dtypes.ts` where RankLens reads the type. */
export const DATA_TYPES: ReadonlyMap<number, DataType> = new Map([
  [1, type("float32", 32, "float")],
  [2, type("uint8", 8, "quantized")],
  [3, type("int8", 8, "quantized")],
  [4, type("uint16", 16, "quantized")],
  [5, type("int16", 16, "quantized")],
  [6, type("int32", 32, "quantized")],
  [7, type("int64", 64, "other")],
  [8, type("string", 0, "other")],
  [9, type("bool", 8, "other")],
  [10, type("float16", 16, "float")],
  [11, type("float64", 64, "float")],
  [12, type("uint32", 32, "other")],
  [13, type("uint64", 64, "other")],
  [14, type("complex64", 64, "other")],
  [15, type("complex128", 128, "other")],
  [16, type("bfloat16", 16, "float")],
  [17, type("float8_e4m3fn", 8, "float")],
  [18, type("float8_e4m3fnuz", 8, "float")],
  [19, type("float8_e5m2", 8, "float")],
  [20, type("float8_e5m2fnuz", 8, "float")],
  [21, type("uint4", 4, "quantized")],
  [22, type("int4", 4, "quantized")],
  [23, type("float4_e2m1", 4, "quantized")],
  [24, type("float8_e8m0", 8, "other")],
  [25, type("uint2", 2, "quantized")],
  [26, type("int2", 2, "quantized")],
]);

export const INT32 = 6;
export const INT64 = 7;
export const FLOAT32 = 1;
export const UNDEFINED_TYPE = 0;
