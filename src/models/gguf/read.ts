import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { decode } from "../dtypes";
import { FileBytes } from "../fileBytes";
import type { Ranges, ReadRange, Values } from "../model";
import { rowMajorStrides } from "../strided";
import { elementsOf } from "./header";
import type { TensorType } from "./schema";
import type { PlacedTensor } from "./shards";

/**
 * Π shape values in row-major order, dequantized to float32 where they are quantized. The file is opened for each read:
 * a model may have more files than a process may hold open.
 * @throws Fault changed-while-read, unreadable, out-of-memory, and those of `FileBytes.open`
 */
export async function readValues(tensor: PlacedTensor): Promise<Values> {
  return decoded(tensor.type, await readStored(tensor), elementsOf(tensor.shape));
}

/** Parts of a tensor; those that begin or end within a block are cut out of whole ones. */
export function rangesOf(tensor: PlacedTensor): Ranges {
  const { type, begin } = tensor;
  const { blockSize, blockBytes } = type;
  const read: ReadRange = async (start, count) => {
    const first = Math.floor(start / blockSize), end = Math.ceil((start + count) / blockSize);
    const bytes = await readStored({ ...tensor, begin: begin + first * blockBytes, bytes: (end - first) * blockBytes });
    return decoded(type, bytes, (end - first) * blockSize).subarray(start - first * blockSize, start - first * blockSize + count);
  };
  return { strides: rowMajorStrides(tensor.shape), read };
}

function decoded(type: TensorType, bytes: Uint8Array, count: number): Values {
  return type.decode === null ? decode(type.name, bytes, count) : dequantized(bytes, type, type.decode, count);
}

/** The stored bytes, of a little-endian machine. @throws Fault as `readValues` */
export async function readStored({ shard, begin, bytes: length, type }: PlacedTensor): Promise<Uint8Array> {
  const file = await FileBytes.open(shard.path);
  try {
    if (file.size !== shard.size || file.mtimeMs !== shard.mtimeMs) {
      throw new Fault("changed-while-read", `${basename(shard.path)} changed after the model was opened.`, "Wait until it is written completely, then analyze it again.");
    }
    const bytes = await file.read(begin, length);
    await file.assertUnchanged();
    if (!shard.littleEndian) swap(bytes, type);
    return bytes;
  } finally {
    await file.close();
  }
}

/** @param bytes whole blocks */
function dequantized(bytes: Uint8Array, { blockSize, blockBytes }: TensorType, decodeBlock: NonNullable<TensorType["decode"]>, count: number): Float32Array {
  const out = allocate(count);
  for (let block = 0; block < count / blockSize; block++) decodeBlock(bytes, block * blockBytes, out, block * blockSize);
  return out;
}

function allocate(count: number): Float32Array {
  try {
    return new Float32Array(count);
  } catch {
    throw new Fault("out-of-memory", `A dequantized tensor needs ${count * 4} bytes, more than can be had.`, "Close other programs or use a machine with more memory.");
  }
}

/** Whether a type of a big-endian file can be read. */
export function isSwappable({ use, halves }: TensorType): boolean {
  return use === "plain" || halves !== null;
}

/** Makes the numbers of a big-endian file little-endian, in place. */
function swap(bytes: Uint8Array, { use, blockBytes, halves }: TensorType): void {
  const isNumber = use === "plain" || use === "integer";
  const places = isNumber ? [0] : halves ?? [];
  const size = isNumber ? blockBytes : 2;
  for (let block = 0; block < bytes.length; block += blockBytes) {
    for (const place of places) bytes.subarray(block + place, block + place + size).reverse();
  }
}
