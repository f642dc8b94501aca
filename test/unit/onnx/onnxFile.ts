import { written } from "../support/folders";

/**
 * Writes ONNX files byte by byte, for tests: a protobuf encoder that can also write what no exporter would.
 * Field numbers are written out, not taken from the reader under test.
 */

export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export const tag = (field: number, wire: number): Buffer => varint(field * 8 + wire);
export const int = (field: number, value: number | bigint): Buffer => Buffer.concat([tag(field, 0), varint(value)]);
export const bytes = (field: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([tag(field, 2), varint(body.length), body]);
};
export const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value));
export const float = (field: number, value: number): Buffer => Buffer.concat([tag(field, 5), floats([value])]);
export const packed = (field: number, values: readonly (number | bigint)[]): Buffer => bytes(field, Buffer.concat(values.map(varint)));

export const floats = (values: readonly number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

/** A TensorProto's body. `data` is its data field(s), raw float32 values when it is a list. */
export function tensor(name: string, dims: readonly (number | bigint)[], data: readonly number[] | Buffer, dataType = 1): Buffer {
  return Buffer.concat([
    ...dims.map((size) => int(1, size)), int(2, dataType), text(8, name), Buffer.isBuffer(data) ? data : bytes(9, floats(data)),
  ]);
}

export const int64Tensor = (name: string, values: readonly number[]): Buffer => tensor(name, [values.length], packed(7, values), 7);
export const uint8Tensor = (name: string, dims: readonly number[], values: readonly number[]): Buffer => tensor(name, dims, bytes(9, Buffer.from(values)), 2);
export const int8Tensor = (name: string, dims: readonly number[], values: readonly number[]): Buffer =>
  tensor(name, dims, bytes(9, Buffer.from(Int8Array.from(values).buffer)), 3);

export const intAttribute = (name: string, value: number): Buffer => Buffer.concat([text(1, name), int(3, value), int(20, 2)]);
export const intsAttribute = (name: string, values: readonly number[]): Buffer => Buffer.concat([text(1, name), ...values.map((value) => int(8, value)), int(20, 7)]);
export const tensorAttribute = (name: string, value: Buffer): Buffer => Buffer.concat([text(1, name), bytes(5, value), int(20, 4)]);
export const graphAttribute = (name: string, value: Buffer): Buffer => Buffer.concat([text(1, name), bytes(6, value), int(20, 5)]);

/** A NodeProto's body. */
export function node(opType: string, inputs: readonly string[], outputs: readonly string[], attributes: readonly Buffer[] = [], name = "", domain = ""): Buffer {
  return Buffer.concat([
    ...inputs.map((input) => text(1, input)), ...outputs.map((output) => text(2, output)), text(3, name), text(4, opType),
    ...attributes.map((attribute) => bytes(5, attribute)), ...(domain === "" ? [] : [text(7, domain)]),
  ]);
}

export const constant = (output: string, value: Buffer): Buffer => node("Constant", [], [output], [tensorAttribute("value", value)]);

/** A ValueInfoProto of a tensor, as a runtime needs it. */
export const typedValue = (name: string, dataType: number, shape: readonly number[]): Buffer =>
  Buffer.concat([text(1, name), bytes(2, bytes(1, int(1, dataType), bytes(2, ...shape.map((size) => bytes(1, int(1, size))))))]);

/** A GraphProto's body. */
export function graph(parts: { nodes?: readonly Buffer[]; initializers?: readonly Buffer[]; inputs?: readonly string[]; outputs?: readonly string[] }): Buffer {
  const values = (field: number, names: readonly string[] = []) => names.map((name) => bytes(field, text(1, name)));
  return Buffer.concat([
    ...(parts.nodes ?? []).map((body) => bytes(1, body)), text(2, "main"), ...(parts.initializers ?? []).map((body) => bytes(5, body)),
    ...values(11, parts.inputs), ...values(12, parts.outputs),
  ]);
}

/** A whole ModelProto. */
export function model(graphBody: Buffer, further: readonly Buffer[] = []): Buffer {
  return Buffer.concat([int(1, 8), text(2, "test"), text(3, "1"), bytes(7, graphBody), bytes(8, int(2, 17)), ...further]);
}

/** Writes a file to a folder of its own, and returns its path. */
export const file = (content: Uint8Array, name = "model.onnx"): string => written(content, name);
