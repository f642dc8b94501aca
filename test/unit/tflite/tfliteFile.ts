import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Builder } from "flatbuffers";
import { DEFAULT_OPEN_OPTIONS, type Model, type OpenOptions } from "../../../src/models/model";
import { tflite } from "../../../src/models/tflite/format";
import { folder } from "../support/folders";

/** Writes TensorFlow Lite files with the FlatBuffers library; field numbers are written out from schema.fbs. */

export interface TensorToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  /** 0 float32, 1 float16, 2 int32, 9 int8, 17 int4. */
  readonly type?: number;
  /** Left out: a tensor without values. */
  readonly data?: Uint8Array;
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly number[];
  readonly axis?: number;
  readonly isSparse?: boolean;
}

export interface OperatorToWrite {
  readonly code: number;
  /** Names of tensors, "" for one left out. */
  readonly inputs: readonly string[];
  readonly outputs?: readonly string[];
  /** Of BATCH_MATMUL: its second input is transposed. */
  readonly adjoint?: boolean;
}

export interface FileToWrite {
  readonly tensors: readonly TensorToWrite[];
  readonly operators: readonly OperatorToWrite[];
  readonly description?: string;
  /** How often the one subgraph is listed. */
  readonly copies?: number;
}

export function tfliteFile({ tensors, operators, description = "made for a test", copies = 1 }: FileToWrite): Buffer {
  const builder = new Builder(1024);
  const offsets = (list: readonly number[]): number => {
    builder.startVector(4, list.length, 4);
    for (const offset of [...list].reverse()) builder.addOffset(offset);
    return builder.endVector();
  };
  const int32s = (list: readonly number[]): number => {
    builder.startVector(4, list.length, 4);
    for (const value of [...list].reverse()) builder.addInt32(value);
    return builder.endVector();
  };
  const table = (fields: number, fill: () => void): number => {
    builder.startObject(fields);
    fill();
    return builder.endObject();
  };
  const bytes = (data: Uint8Array): number => {
    builder.startVector(1, data.length, 16);
    for (const value of [...data].reverse()) builder.addInt8((value << 24) >> 24);
    return builder.endVector();
  };
  const quantization = ({ scales = [], zeroPoints = [], axis = 0 }: TensorToWrite): number => {
    builder.startVector(4, scales.length, 4);
    for (const scale of [...scales].reverse()) builder.addFloat32(scale);
    const scaleList = builder.endVector();
    builder.startVector(8, zeroPoints.length, 8);
    for (const zero of [...zeroPoints].reverse()) builder.addInt64(BigInt(zero));
    const zeroList = builder.endVector();
    return table(7, () => { builder.addFieldOffset(2, scaleList, 0); builder.addFieldOffset(3, zeroList, 0); builder.addFieldInt32(6, axis, 0); });
  };

  const buffers = [table(3, () => undefined), ...tensors.filter(({ data }) => data !== undefined).map(({ data }) => {
    const content = bytes(data!);
    return table(3, () => { builder.addFieldOffset(0, content, 0); });
  })];
  let buffer = 0;
  const tensorTables = tensors.map((tensor) => {
    const shape = int32s(tensor.shape), name = builder.createString(tensor.name);
    const scales = tensor.scales === undefined ? 0 : quantization(tensor);
    const sparsity = tensor.isSparse === true ? table(1, () => undefined) : 0;
    const number = tensor.data === undefined ? 0 : ++buffer;
    return table(10, () => {
      builder.addFieldOffset(0, shape, 0); builder.addFieldInt8(1, tensor.type ?? 0, 0); builder.addFieldInt32(2, number, 0); builder.addFieldOffset(3, name, 0);
      builder.addFieldOffset(4, scales, 0); builder.addFieldOffset(6, sparsity, 0);
    });
  });
  const indexOf = (name: string) => tensors.findIndex((tensor) => tensor.name === name);
  const codes = [...new Set(operators.map(({ code }) => code))];
  const operatorTables = operators.map(({ code, inputs, outputs = [], adjoint }) => {
    const inputList = int32s(inputs.map(indexOf)), outputList = int32s(outputs.map(indexOf));
    const options = adjoint === undefined ? 0 : table(2, () => { builder.addFieldInt8(1, Number(adjoint), 0); });
    return table(5, () => {
      builder.addFieldInt32(0, codes.indexOf(code), 0); builder.addFieldOffset(1, inputList, 0); builder.addFieldOffset(2, outputList, 0);
      builder.addFieldInt8(3, adjoint === undefined ? 0 : 101, 0); builder.addFieldOffset(4, options, 0);
    });
  });
  const tensorList = offsets(tensorTables), operatorList = offsets(operatorTables);
  const subgraph = table(5, () => { builder.addFieldOffset(0, tensorList, 0); builder.addFieldOffset(3, operatorList, 0); });
  const codeList = offsets(codes.map((code) => table(4, () => { builder.addFieldInt8(0, Math.min(code, 127), 0); builder.addFieldInt32(3, code, 0); })));
  const subgraphs = offsets(new Array<number>(copies).fill(subgraph)), bufferList = offsets(buffers), text = builder.createString(description);
  const model = table(8, () => {
    builder.addFieldInt32(0, 3, 0); builder.addFieldOffset(1, codeList, 0); builder.addFieldOffset(2, subgraphs, 0); builder.addFieldOffset(3, text, 0); builder.addFieldOffset(4, bufferList, 0);
  });
  builder.finish(model, "TFL3");
  return Buffer.from(builder.asUint8Array());
}

export const floats = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** A tensor of float32 values 0, 1, 2, … */
export function constant(name: string, ...shape: readonly number[]): TensorToWrite {
  return { name, shape, data: floats(...Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, index) => index)) };
}

/** A tensor without values. */
export function activation(name: string, ...shape: readonly number[]): TensorToWrite {
  return { name, shape };
}

export const file = (content: Uint8Array): string => {
  const path = join(folder(), "model.tflite");
  writeFileSync(path, content);
  return path;
};

/** Opens a model that is written for one test; `body` also reads from it before it is closed. */
export async function withModel<T>(content: Uint8Array | string, body: (model: Model) => T | Promise<T>, options: Partial<OpenOptions> = {}): Promise<T> {
  const model = await tflite.open(typeof content === "string" ? content : file(content), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1, ...options });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}
