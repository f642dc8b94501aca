import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { SkippedTensor } from "../../shared/report";
import { clipped } from "../clipped";
import { ReopenedFile } from "../reopenedFile";
import { locateShard, noShards, readShardIndex, type ShardIndex } from "../shardIndex";
import { openArchive } from "./archive";
import { tensorsOf, type CheckpointTensor } from "./checkpoint";
import { detect } from "./detect";
import { openLegacy } from "./legacy";
import type { TensorSource } from "./source";
import { MOST_TENSORS } from "./walk";

/** One file of a model. */
export interface Shard {
  readonly file: ReopenedFile;
  readonly source: TensorSource;
  readonly tensors: readonly ShardTensor[];
  readonly notes: readonly string[];
}

/** A tensor, and the file that has it. */
export interface ShardTensor extends CheckpointTensor {
  readonly shard: Pick<Shard, "file" | "source">;
}

/** All files of a model. */
export interface Opened {
  readonly shards: readonly Shard[];
  readonly tensors: readonly ShardTensor[];
  /** Tensors that the index names and no file has. */
  readonly absent: readonly SkippedTensor[];
  readonly notes: readonly string[];
  readonly indexBytes: number;
}

/** @throws Fault unknown-format, truncated, malformed, unsupported, too-large, and those of `FileBytes.open` */
export async function openShard(path: string): Promise<Shard> {
  return ReopenedFile.opened(path, async (file) => {
    const source = await detect(file) === "archive" ? await openArchive(file) : await openLegacy(file);
    const { tensors, notes } = tensorsOf(source, basename(path));
    return { file, source, tensors: tensors.map((tensor) => ({ ...tensor, shard: { file, source } })), notes };
  });
}

/**
 * Opens `pytorch_model.bin.index.json` and all its shards. Shards that are missing are told, not fatal, unless all are.
 * @param allowOutside whether shards may lie outside the index's folder
 * @throws Fault malformed, external-data-refused, not-found, and those of `openShard`
 */
export async function openCheckpoint(path: string, allowOutside: boolean): Promise<Opened> {
  const index = await readShardIndex(path, ".bin");
  const shards: Shard[] = [];
  const missing = new Set<string>();
  for (const name of index.shards) {
    const found = await locateShard(path, name, allowOutside);
    if (found === null) missing.add(name);
    else shards.push(await openShard(found));
    if (shards.reduce((sum, { tensors }) => sum + tensors.length, 0) > MOST_TENSORS) {
      throw new Fault("too-large", `The shards of ${basename(path)} hold more than ${MOST_TENSORS} tensors.`, "Open single shards instead.");
    }
  }
  if (shards.length === 0) throw noShards(path, index);
  const tensors = eachNameOnce(shards);
  return { shards, tensors, absent: absentTensors(index, missing, tensors), notes: notesOf(shards, missing), indexBytes: index.bytes };
}

function eachNameOnce(shards: readonly Shard[]): ShardTensor[] {
  const taken = new Set<string>();
  return shards.flatMap(({ tensors, file }) => tensors.map((tensor) => {
    let { name } = tensor;
    for (let copy = 2; taken.has(name); copy++) name = `${tensor.name} (${copy})`;
    taken.add(name);
    return name === tensor.name ? tensor : { ...tensor, name, isWeight: false, reason: `another shard has a tensor of this name; this one is in ${basename(file.path)}` };
  }));
}

function absentTensors({ weightMap }: ShardIndex, missing: ReadonlySet<string>, tensors: readonly ShardTensor[]): SkippedTensor[] {
  const there = new Set(tensors.map(({ name }) => name));
  return [...weightMap].filter(([name]) => !there.has(name)).map(([name, shard]) => ({
    name, shape: [], dtype: "unknown",
    reason: missing.has(shard) ? `its shard ${clipped(shard)} is missing` : `not in ${clipped(shard)}, where the index has it`,
  }));
}

function notesOf(shards: readonly Shard[], missing: ReadonlySet<string>): string[] {
  const total = shards.length + missing.size;
  return [
    `${total} ${total === 1 ? "shard" : "shards"}`,
    ...(missing.size === 0 ? [] : [`${missing.size} of ${total} shards are missing: ${[...missing].slice(0, 3).map(clipped).join(", ")}${missing.size > 3 ? ", …" : ""}`]),
    ...new Set(shards.flatMap(({ notes }) => notes)),
  ];
}
