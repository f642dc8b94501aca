import { basename, resolve } from "node:path";
import { Fault } from "../../shared/fault";
import { FileBytes } from "../fileBytes";
import { locateShard, noShards, readShardIndex } from "../shardIndex";
import { readHeader, type Header } from "./header";
import { MOST_TENSORS } from "./schema";

/** One safetensors file of a model, as it was when its header was read. */
export interface Shard extends Header {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** What an index file says, with the shards that are there. */
export interface Checkpoint {
  readonly shards: readonly Shard[];
  /** Name of the shard that the index gives for each tensor. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** Names of shards that are not there. */
  readonly missing: ReadonlySet<string>;
  /** Bytes of the index file itself. */
  readonly indexBytes: number;
}

/** @throws Fault of `FileBytes.open` and `readHeader` */
export async function openShard(path: string): Promise<Shard> {
  const file = await FileBytes.open(path);
  try {
    return { path: resolve(path), size: file.size, mtimeMs: file.mtimeMs, ...await readHeader(file) };
  } finally {
    await file.close();
  }
}

/**
 * Reads an index file (transformers' `model.safetensors.index.json`) and the headers of its shards. Shards that are missing
 * are told, not fatal, unless all are.
 * @param allowOutside whether shards may lie outside the index's folder
 * @throws Fault malformed, unsupported, external-data-refused, not-found, and those of `openShard`
 */
export async function openCheckpoint(path: string, allowOutside: boolean): Promise<Checkpoint> {
  const index = await readShardIndex(path, ".safetensors");
  const shards: Shard[] = [];
  const missing = new Set<string>();
  let tensors = 0;
  for (const name of index.shards) {
    const found = await locateShard(path, name, allowOutside);
    if (found === null) {
      missing.add(name);
      continue;
    }
    const shard = await openShard(found);
    if ((tensors += shard.tensors.length) > MOST_TENSORS) {
      throw new Fault("too-large", `The shards of ${basename(path)} name more than ${MOST_TENSORS} tensors.`, "Open single shards instead.");
    }
    shards.push(shard);
  }
  if (shards.length === 0) throw noShards(path, index);
  return { shards, weightMap: index.weightMap, missing, indexBytes: index.bytes };
}
