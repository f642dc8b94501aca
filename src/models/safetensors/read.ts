import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { decode } from "../dtypes";
import { FileBytes } from "../fileBytes";
import type { Ranges, Values } from "../model";
import { rowMajorStrides } from "../strided";
import type { StoredTensor } from "./header";
import { elementsOf } from "./layout";
import { scaled, type Scale } from "./scales";
import type { Shard } from "./shards";

/** Where a weight and its scale are. */
export interface Source {
  readonly tensor: StoredTensor;
  readonly shard: Shard;
  readonly scale: (Scale & { readonly shard: Shard }) | null;
}

/**
 * Π shape values in row-major order, scaled when there is a scale.
 * @throws Fault changed-while-read, unreadable, out-of-memory, and those of `FileBytes.open`
 */
export async function readValues({ tensor, shard, scale }: Source): Promise<Values> {
  const values = await stored(tensor, shard);
  return scale === null ? values : scaled(values, tensor.shape, scale.block, await stored(scale.tensor, scale.shard));
}

/** Parts of a tensor whose values are whole bytes and need no scale. */
export function rangesOf({ tensor, shard, scale }: Source): Ranges | null {
  const bytes = tensor.type.bits / 8;
  if (scale !== null || !Number.isInteger(bytes)) return null;
  return { strides: rowMajorStrides(tensor.shape), read: (start, count) => readPart(tensor, shard, tensor.begin + start * bytes, count * bytes, count) };
}

function stored(tensor: StoredTensor, shard: Shard): Promise<Values> {
  return readPart(tensor, shard, tensor.begin, tensor.end - tensor.begin, elementsOf(tensor.shape));
}

/** The file is opened for each read: a checkpoint may have more shards than a process may hold open. */
async function readPart(tensor: StoredTensor, shard: Shard, begin: number, length: number, count: number): Promise<Values> {
  const file = await FileBytes.open(shard.path);
  try {
    if (file.size !== shard.size || file.mtimeMs !== shard.mtimeMs) {
      throw new Fault("changed-while-read", `${basename(shard.path)} changed after the model was opened.`, "Wait until it is written completely, then analyze it again.");
    }
    const bytes = await file.read(shard.dataStart + begin, length);
    await file.assertUnchanged();
    return decode(tensor.type.name, bytes, count);
  } finally {
    await file.close();
  }
}
