import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Fault } from "../../shared/fault";
import { FileBytes } from "../fileBytes";
import { fieldsOf, NotAMessage } from "./proto";
import { readTable } from "./table";

/** A tensor of a checkpoint (tensorflow/core/protobuf/tensor_bundle.proto, BundleEntryProto). */
export interface BundleEntry {
  readonly key: string;
  /** Number of its type (DataType of types.proto). */
  readonly type: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  /** Whether it is stored in parts, under other keys. */
  readonly isSliced: boolean;
}

/** A file of values, as it was when the checkpoint was opened; null when it is not there. */
export interface DataFile {
  readonly path: string;
  readonly found: { readonly size: number; readonly mtimeMs: number } | null;
}

export interface Bundle {
  readonly index: { readonly path: string; readonly size: number };
  readonly entries: readonly BundleEntry[];
  readonly data: readonly DataFile[];
  readonly littleEndian: boolean;
}

/** Largest index that is read: 100,000 tensors take some 20 MB. */
const LARGEST_INDEX = 512 * 1024 * 1024;
const MOST_SHARDS = 4096;
const ENDING = /\.index$/i;

/** Reads the index of a checkpoint. @throws Fault of `FileBytes.open`, malformed, truncated, too-large */
export async function openBundle(path: string): Promise<Bundle> {
  const name = basename(path);
  const file = await FileBytes.open(path);
  let table: ReadonlyMap<string, Uint8Array>;
  try {
    if (file.size > LARGEST_INDEX) throw new Fault("too-large", `${name} has ${file.size} bytes; at most ${LARGEST_INDEX} of an index are read.`, "Check what the file is.");
    const bytes = await file.read(0, file.size);
    await file.assertUnchanged();
    if (Buffer.from(bytes.subarray(0, 8)).toString("latin1") === "version ") throw new Fault("malformed", `${name} is a Git LFS pointer, not the index itself.`, "Run \"git lfs pull\" in its repository.");
    table = readTable(bytes, name);
  } finally {
    await file.close();
  }
  try {
    const header = readHeader(table.get(""));
    if (header.shards > MOST_SHARDS) throw new Fault("too-large", `${name} claims ${header.shards} files of values; at most ${MOST_SHARDS} are opened.`, "The file is damaged: fetch or save it again.");
    const data = await Promise.all(Array.from({ length: header.shards }, (_, shard) => dataFile(path, shard, header.shards)));
    const entries = [...table].filter(([key]) => key !== "").map(([key, value]) => readEntry(key, value));
    return { index: { path, size: file.size }, entries, data, littleEndian: header.littleEndian };
  } catch (error) {
    if (error instanceof NotAMessage) throw new Fault("malformed", `${name} holds an entry that cannot be read: ${error.message}.`, "The file is damaged: fetch or save it again.");
    throw error;
  }
}

function readHeader(bytes: Uint8Array | undefined): { shards: number; littleEndian: boolean } {
  let shards = 1, littleEndian = true;
  for (const { number, value } of fieldsOf(bytes ?? new Uint8Array(0))) {
    if (number === 1) shards = value;
    if (number === 2) littleEndian = value === 0;
  }
  return { shards, littleEndian };
}

async function dataFile(index: string, shard: number, shards: number): Promise<DataFile> {
  const digits = (number: number) => String(number).padStart(5, "0");
  const path = join(dirname(index), `${basename(index).replace(ENDING, "")}.data-${digits(shard)}-of-${digits(shards)}`);
  return { path, found: await stat(path).then(({ size, mtimeMs }) => ({ size, mtimeMs }), () => null) };
}

/** Axes of a tensor; TensorFlow allows 254. */
const MOST_AXES = 254;

function readEntry(key: string, bytes: Uint8Array): BundleEntry {
  let type = 0, shard = 0, offset = 0, size = 0, isSliced = false;
  let shape: readonly number[] = [];
  for (const field of fieldsOf(bytes)) {
    switch (field.number) {
      case 1: type = field.value; break;
      case 2: shape = readShape(field.bytes); break;
      case 3: shard = field.value; break;
      case 4: offset = field.value; break;
      case 5: size = field.value; break;
      case 7: isSliced = true; break;
      default:
    }
  }
  return { key, type, shape, shard, offset, size, isSliced };
}

/** TensorShapeProto: field 2 repeats Dim, whose field 1 is its size. */
function readShape(bytes: Uint8Array): readonly number[] {
  const sizes: number[] = [];
  for (const { number, bytes: dimension } of fieldsOf(bytes)) {
    if (number !== 2) continue;
    let size = 0;
    for (const field of fieldsOf(dimension)) if (field.number === 1) size = field.value;
    if (sizes.push(size) > MOST_AXES) throw new NotAMessage("a shape of too many axes");
  }
  return sizes;
}

/** Bytes [offset, offset + size) of a file of values. @throws Fault truncated, changed-while-read, not-found */
export async function readData({ path, found }: DataFile, offset: number, size: number): Promise<Uint8Array> {
  const file = await FileBytes.open(path);
  try {
    if (file.size !== found?.size || file.mtimeMs !== found.mtimeMs) {
      throw new Fault("changed-while-read", `${basename(path)} changed after the model was opened.`, "Wait until it is written completely, then analyze it again.");
    }
    const bytes = await file.read(offset, size);
    await file.assertUnchanged();
    return bytes;
  } finally {
    await file.close();
  }
}
