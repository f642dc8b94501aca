import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compress } from "snappyjs";
import { DEFAULT_OPEN_OPTIONS, type Model, type OpenOptions } from "../../../src/models/model";
import { savedmodel } from "../../../src/models/savedmodel/format";
import { folder } from "../support/folders";

/** Writes checkpoints of TensorFlow byte by byte, for tests: a LevelDB table and files of values. */

export interface TensorToWrite {
  readonly key: string;
  readonly shape: readonly number[];
  /** Number of its type: 1 float32, 2 float64, 3 int32, 7 string, 14 bfloat16, 19 float16. */
  readonly type?: number;
  readonly data: Uint8Array;
  readonly shard?: number;
  /** In place of what is true. */
  readonly claimed?: { readonly offset?: number; readonly size?: number };
  readonly isSliced?: boolean;
}

export interface BundleToWrite {
  readonly tensors: readonly TensorToWrite[];
  readonly shards?: number;
  readonly bigEndian?: boolean;
  readonly packed?: boolean;
  /** Names of variables by keys. */
  readonly names?: Readonly<Record<string, string>>;
}

export const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
};
const int = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, body: Uint8Array): Buffer => Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
const u32 = (value: number): Buffer => { const out = Buffer.alloc(4); out.writeUInt32LE(value); return out; };

/** Sorted entries; each key says how much of the one before it begins with. */
function block(entries: readonly (readonly [string, Buffer])[]): Buffer {
  let before = "";
  const body = entries.map(([key, value]) => {
    let shared = 0;
    while (shared < Math.min(key.length, before.length) && key[shared] === before[shared]) shared++;
    before = key;
    const own = Buffer.from(key.slice(shared));
    return Buffer.concat([varint(shared), varint(own.length), varint(value.length), own, value]);
  });
  return Buffer.concat([...body, u32(0), u32(1)]);
}

export function tableFile(entries: readonly (readonly [string, Buffer])[], packed = false): Buffer {
  const stored = (content: Buffer): Buffer => Buffer.concat([packed ? Buffer.from(compress(content)) : content, Buffer.from([packed ? 1 : 0, 0, 0, 0, 0])]);
  const handle = (offset: number, size: number): Buffer => Buffer.concat([varint(offset), varint(size)]);
  const half = Math.ceil(entries.length / 2);
  const blocks = [entries.slice(0, half), entries.slice(half)].filter((part) => part.length > 0).map((part) => stored(block(part)));
  let at = 0;
  const handles = blocks.map((content, index) => {
    const entry = [String(index), handle(at, content.length - 5)] as const;
    at += content.length;
    return entry;
  });
  const meta = stored(block([])), index = stored(block(handles));
  const footer = Buffer.alloc(48);
  Buffer.concat([handle(at, meta.length - 5), handle(at + meta.length, index.length - 5)]).copy(footer);
  footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40);
  return Buffer.concat([...blocks, meta, index, footer]);
}

/** TrackableObjectGraph, as a tensor of one text. */
function objectGraph(names: Readonly<Record<string, string>>): Buffer {
  const graph = Buffer.concat(Object.entries(names).map(([key, name]) => bytes(1, bytes(2, Buffer.concat([bytes(1, Buffer.from("VARIABLE_VALUE")), bytes(2, Buffer.from(name)), bytes(3, Buffer.from(key))])))));
  return Buffer.concat([varint(graph.length), Buffer.alloc(4), graph]);
}

/** Contents of the index and of the files of values. */
export function bundle({ tensors, shards = 1, bigEndian = false, packed = false, names }: BundleToWrite): { index: Buffer; data: Buffer[] } {
  const all: readonly TensorToWrite[] = names === undefined ? tensors : [...tensors, { key: "_CHECKPOINTABLE_OBJECT_GRAPH", shape: [], type: 7, data: objectGraph(names) }];
  const data: Buffer[] = Array.from({ length: shards }, () => Buffer.alloc(0));
  const entries = all.map((tensor) => {
    const { key, shape, type = 1, shard = 0, claimed } = tensor;
    const offset = data[shard]!.length;
    data[shard] = Buffer.concat([data[shard]!, tensor.data]);
    const entry = Buffer.concat([
      int(1, type), bytes(2, Buffer.concat(shape.map((size) => bytes(2, int(1, size))))), int(3, shard), int(4, claimed?.offset ?? offset), int(5, claimed?.size ?? tensor.data.length),
      ...(tensor.isSliced === true ? [bytes(7, Buffer.alloc(0))] : []),
    ]);
    return [key, entry] as const;
  });
  const header = Buffer.concat([int(1, shards), int(2, Number(bigEndian))]);
  const sorted = [["", header] as const, ...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return { index: tableFile(sorted, packed), data };
}

/** Writes a whole SavedModel, and returns the path of its program. */
export function savedModel(parts: BundleToWrite): string {
  const into = folder();
  const { index, data } = bundle(parts);
  mkdirSync(join(into, "variables"));
  writeFileSync(join(into, "saved_model.pb"), "a program");
  writeFileSync(join(into, "variables", "variables.index"), index);
  data.forEach((content, shard) => { writeFileSync(join(into, "variables", dataName(shard, data.length)), content); });
  return join(into, "saved_model.pb");
}

export const dataName = (shard: number, shards: number): string => `variables.data-${String(shard).padStart(5, "0")}-of-${String(shards).padStart(5, "0")}`;

/** A tensor of float32 values 0, 1, 2, … */
export function variable(key: string, ...shape: readonly number[]): TensorToWrite {
  const count = shape.reduce((product, size) => product * size, 1);
  return { key, shape, data: new Uint8Array(Float32Array.from({ length: count }, (_, index) => index).buffer) };
}

export async function withModel<T>(path: string, body: (model: Model) => T | Promise<T>, options: Partial<OpenOptions> = {}): Promise<T> {
  const model = await savedmodel.open(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1, ...options });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}
