/** A type of tensors by its number (tensorflow/core/framework/types.proto, DataType). */
export interface TensorType {
  readonly name: string;
  readonly bytes: number;
  /** Whether its values may be weights. */
  readonly isFloat: boolean;
}

const float = (name: string, bytes: number): TensorType => ({ name, bytes, isFloat: true });
const other = (name: string, bytes = 0): TensorType => ({ name, bytes, isFloat: false });

const TYPES: ReadonlyMap<number, TensorType> = new Map([
  [1, float("float32", 4)], [2, float("float64", 8)], [3, other("int32", 4)], [4, other("uint8", 1)], [5, other("int16", 2)], [6, other("int8", 1)], [7, other("string")],
  [8, other("complex64", 8)], [9, other("int64", 8)], [10, other("bool", 1)], [11, other("qint8", 1)], [12, other("quint8", 1)], [13, other("qint32", 4)], [14, float("bfloat16", 2)],
  [17, other("uint16", 2)], [18, other("complex128", 16)], [19, float("float16", 2)], [20, other("resource")], [21, other("variant")], [22, other("uint32", 4)], [23, other("uint64", 8)],
  [24, float("float8_e5m2", 1)], [25, float("float8_e4m3fn", 1)],
]);

export function typeOf(number: number): TensorType {
  return TYPES.get(number) ?? other(`type ${number}`);
}
