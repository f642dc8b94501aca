import { basename, dirname, join, resolve } from "node:path";
import { Fault } from "../../shared/fault";
import { clipped } from "../clipped";
import { FileBytes } from "../fileBytes";
import { readHeader, type Header, type StoredTensor } from "./header";

/** One GGUF file of a model, as it was when its header was read. */
export interface Shard extends Header {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** A tensor and the file that has it. */
export interface PlacedTensor extends StoredTensor {
  readonly shard: Shard;
}

export interface OpenedFiles {
  /** In the order of their numbers. */
  readonly shards: readonly Shard[];
  readonly tensors: readonly PlacedTensor[];
  /** Names of files of the model that are not there. */
  readonly missing: readonly string[];
}

/** How llama-gguf-split names the files of a model: number and count of five digits. */
const SPLIT_NAME = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)$/i;
/** Files of one model; the largest published have some 100. */
const MOST_SHARDS = 4096;

/**
 * Opens a file, and the others of its model when it is one of several. Files that are missing are told, not fatal.
 * @throws Fault of `FileBytes.open` and `readHeader`; malformed when two files have a tensor of one name
 */
export async function openFiles(path: string): Promise<OpenedFiles> {
  const opened = await openShard(path);
  const shards: Shard[] = [], missing: string[] = [];
  for (const name of namesOf(path, opened)) {
    if (name === basename(path)) shards.push(opened);
    else {
      const shard = await openIfThere(join(dirname(resolve(path)), name));
      if (shard === null) missing.push(name);
      else shards.push(shard);
    }
  }
  return { shards, tensors: collected(shards), missing };
}

/** Names of all files of a model: what the file says of their count, and its own name of the others' names. */
function namesOf(path: string, { metadata }: Shard): readonly string[] {
  const own = basename(path);
  const [, stem, , digits, ending] = SPLIT_NAME.exec(own) ?? [];
  const count = metadata.get("split.count");
  if (stem === undefined || typeof count !== "number" || count !== Number(digits) || count < 2 || count > MOST_SHARDS) return [own];
  return Array.from({ length: count }, (_, index) => `${stem}-${String(index + 1).padStart(5, "0")}-of-${digits}${ending}`)
    .map((name) => (name.toLowerCase() === own.toLowerCase() ? own : name));
}

async function openShard(path: string): Promise<Shard> {
  const file = await FileBytes.open(path);
  try {
    return { path: resolve(path), size: file.size, mtimeMs: file.mtimeMs, ...await readHeader(file) };
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<Shard | null> {
  try {
    return await openShard(path);
  } catch (error) {
    if (error instanceof Fault && error.code === "not-found") return null;
    throw error;
  }
}

function collected(shards: readonly Shard[]): readonly PlacedTensor[] {
  const found = new Map<string, PlacedTensor>();
  for (const shard of shards) {
    for (const tensor of shard.tensors) {
      const before = found.get(tensor.name);
      if (before !== undefined) {
        throw new Fault("malformed", `Tensor "${clipped(tensor.name)}" is both in ${basename(before.shard.path)} and in ${basename(shard.path)}.`, "The files do not belong together: fetch them again.");
      }
      found.set(tensor.name, { ...tensor, shard });
    }
  }
  return [...found.values()];
}
