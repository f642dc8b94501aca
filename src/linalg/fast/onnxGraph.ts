/**
 * The smallest ONNX models: one Gemm node with free shapes. Y = α·A·op(B) + C in row-major order.
 * Encoded by hand (protobuf wire format; field numbers from onnx.proto3), which spares a protobuf library.
 */

/** TensorProto.DataType. */
const ELEMENT_TYPE = { float32: 1, float64: 11 } as const;
export type ElementType = keyof typeof ELEMENT_TYPE;

export interface GemmNode {
  readonly type: ElementType;
  readonly transB: boolean;
  readonly alpha: number;
  /** A third input C of the output's shape is added. */
  readonly withC: boolean;
  /** A first output `withheld` of one bfloat16 zero, which onnxruntime-node cannot hand back; see `OnnxGemm`. */
  readonly withWithheld: boolean;
}

/** TensorProto.DataType of a type that has no typed array in JavaScript. */
const BFLOAT16 = 16;

/** Name of the output that is withheld. */
export const WITHHELD = "withheld";

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;
/** AttributeProto.AttributeType. */
const FLOAT_ATTRIBUTE = 1;
const INT_ATTRIBUTE = 2;
const IR_VERSION = 8;
/** The first operator set whose Gemm has C optional and both float types is 11; 13 is as widely supported. */
const OPERATOR_SET = 13;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
const tag = (field: number, wireType: number): number[] => varint(field * 8 + wireType);
const int = (field: number, value: number): number[] => [...tag(field, VARINT), ...varint(value)];
const message = (field: number, bytes: readonly number[]): number[] => [...tag(field, BYTES), ...varint(bytes.length), ...bytes];
const text = (field: number, value: string): number[] => message(field, [...Buffer.from(value, "utf8")]);
const float = (field: number, value: number): number[] => [...tag(field, FIXED32), ...new Uint8Array(Float32Array.of(value).buffer)];

const floatAttribute = (name: string, value: number): number[] => message(5, [...text(1, name), ...float(2, value), ...int(20, FLOAT_ATTRIBUTE)]);
const intAttribute = (name: string, value: number): number[] => message(5, [...text(1, name), ...int(3, value), ...int(20, INT_ATTRIBUTE)]);

/** ValueInfoProto of a matrix whose two dimensions are free. */
function freeMatrix(field: number, name: string, type: ElementType): number[] {
  const shape = [`${name}_rows`, `${name}_columns`].flatMap((dimension) => message(1, text(2, dimension)));
  const tensor = [...int(1, ELEMENT_TYPE[type]), ...message(2, shape)];
  return message(field, [...text(1, name), ...message(2, message(1, tensor))]);
}

/** An initializer that is an output too: a bfloat16 zero of shape 1. */
function withheldOutput(): { initializer: number[]; output: number[] } {
  const shape = message(2, message(1, int(1, 1)));
  return {
    initializer: message(5, [...int(1, 1), ...int(2, BFLOAT16), ...text(8, WITHHELD), ...message(9, [0, 0])]),
    output: message(12, [...text(1, WITHHELD), ...message(2, message(1, [...int(1, BFLOAT16), ...shape]))]),
  };
}

/** A ModelProto with inputs A, B (and C) and output Y. */
export function gemmModel({ type, transB, alpha, withC, withWithheld }: GemmNode): Uint8Array {
  const inputs = withC ? ["A", "B", "C"] : ["A", "B"];
  const attributes = [
    ...floatAttribute("alpha", alpha),
    ...floatAttribute("beta", withC ? 1 : 0),
    ...intAttribute("transB", Number(transB)),
  ];
  const node = [...inputs.flatMap((name) => text(1, name)), ...text(2, "Y"), ...text(4, "Gemm"), ...attributes];
  const withheld = withWithheld ? withheldOutput() : { initializer: [], output: [] };
  const values = [...inputs.flatMap((name) => freeMatrix(11, name, type)), ...withheld.output, ...freeMatrix(12, "Y", type)];
  const graph = [...message(1, node), ...text(2, "gemm"), ...withheld.initializer, ...values];
  return Uint8Array.from([...int(1, IR_VERSION), ...message(7, graph), ...message(8, [...text(1, ""), ...int(2, OPERATOR_SET)])]);
}
