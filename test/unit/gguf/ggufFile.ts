import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gguf } from "../../../src/models/gguf/format";
import { DEFAULT_OPEN_OPTIONS, type Model, type OpenOptions } from "../../../src/models/model";
import { folder } from "../support/folders";

/** Writes GGUF files byte by byte, for tests; type numbers are written out, not taken from the reader under test. */

export interface TensorToWrite {
  readonly name: string;
  /** Innermost axis first, as the file has it. */
  readonly dims: readonly (number | bigint)[];
  readonly type: number;
  readonly data: Uint8Array;
  /** Where it begins after the header; after the one before it when left out. */
  readonly offset?: number | bigint;
}

export interface FileToWrite {
  readonly version?: number;
  readonly bigEndian?: boolean;
  readonly metadata?: readonly Buffer[];
  readonly tensors?: readonly TensorToWrite[];
  readonly alignment?: number;
  readonly tensorCount?: bigint;
  readonly metadataCount?: bigint;
}

/** Numbers of one byte order. */
export class Writer {
  constructor(private readonly bigEndian = false) {}

  u32(value: number): Buffer {
    const out = Buffer.alloc(4);
    if (this.bigEndian) out.writeUInt32BE(value);
    else out.writeUInt32LE(value);
    return out;
  }

  u64(value: number | bigint): Buffer {
    const out = Buffer.alloc(8);
    if (this.bigEndian) out.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
    else out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    return out;
  }

  f32s(values: readonly number[]): Buffer {
    const out = Buffer.alloc(values.length * 4);
    values.forEach((value, index) => (this.bigEndian ? out.writeFloatBE(value, index * 4) : out.writeFloatLE(value, index * 4)));
    return out;
  }

  text(value: string): Buffer {
    const bytes = Buffer.from(value);
    return Buffer.concat([this.u64(bytes.length), bytes]);
  }

  entry(key: string, type: number, value: Buffer): Buffer {
    return Buffer.concat([this.text(key), this.u32(type), value]);
  }

  textEntry(key: string, value: string): Buffer {
    return this.entry(key, 8, this.text(value));
  }

  numberEntry(key: string, value: number): Buffer {
    return this.entry(key, 4, this.u32(value));
  }

  texts(key: string, values: readonly string[]): Buffer {
    return this.entry(key, 9, Buffer.concat([this.u32(8), this.u64(values.length), ...values.map((value) => this.text(value))]));
  }
}

export function ggufFile(parts: FileToWrite): Buffer {
  const { version = 3, metadata = [], tensors = [], alignment = 32 } = parts;
  const writer = new Writer(parts.bigEndian);
  const pad = (length: number) => Buffer.alloc((alignment - (length % alignment)) % alignment);
  let next = 0;
  const placed = tensors.map((tensor) => {
    const at = next;
    next += tensor.data.length + pad(tensor.data.length).length;
    return { ...tensor, at: tensor.offset ?? at };
  });
  const head = Buffer.concat([
    Buffer.from("GGUF"), writer.u32(version), writer.u64(parts.tensorCount ?? tensors.length), writer.u64(parts.metadataCount ?? metadata.length), ...metadata,
    ...placed.flatMap(({ name, dims, type, at }) => [writer.text(name), writer.u32(dims.length), ...dims.map((size) => writer.u64(size)), writer.u32(type), writer.u64(at)]),
  ]);
  return Buffer.concat([head, pad(head.length), ...placed.flatMap(({ data }) => [data, pad(data.length)])]);
}

const ramp = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A tensor of float32 values 1, 2, 3, …; `shape` has its outermost axis first. */
export function floatTensor(name: string, shape: readonly number[], bigEndian = false): TensorToWrite {
  const count = shape.reduce((product, size) => product * size, 1);
  return { name, dims: [...shape].reverse(), type: 0, data: new Writer(bigEndian).f32s(ramp(count)) };
}

export function file(content: Uint8Array, name = "model.gguf", into = folder()): string {
  const path = join(into, name);
  writeFileSync(path, content);
  return path;
}

/** Opens a model that is written for one test; `body` also reads from it before it is closed. */
export async function withModel<T>(content: Uint8Array | string, body: (model: Model) => T | Promise<T>, options: Partial<OpenOptions> = {}): Promise<T> {
  const model = await gguf.open(typeof content === "string" ? content : file(content), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1, ...options });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}
