import { basename } from "node:path";
import type { SkippedTensor } from "../../shared/report";
import { clipped } from "../clipped";
import type { StoredTensor } from "./header";
import type { PlacedTensor } from "./layers";
import type { Checkpoint, Shard } from "./shards";

const NONE: readonly string[] = [];
/** A text of the metadata that says which framework wrote the file. */
const FORMAT = "format";

export interface Placing {
  readonly placed: readonly PlacedTensor[];
  /** Tensors that the index names and no shard has. */
  readonly absent: readonly SkippedTensor[];
}

/** Gathers the tensors of all shards: one for each name and each range of data; all others with the reason. */
export function placeTensors(checkpoint: Checkpoint): Placing {
  const placed: PlacedTensor[] = [];
  const taken = new Set<string>();
  for (const shard of checkpoint.shards) {
    const aliases = aliasesOf(shard);
    for (const tensor of shard.tensors) {
      const name = taken.has(tensor.name) ? numbered(tensor.name, taken) : tensor.name;
      taken.add(name);
      const first = shard.shared.get(tensor);
      const reason = reasonOf(name, tensor, shard, checkpoint) ?? (first === undefined ? null : `shares its data with ${clipped(first.name)}`);
      placed.push({ name, tensor: name === tensor.name ? tensor : { ...tensor, name }, shard, reason, aliases: aliases.get(tensor.name) ?? NONE });
    }
  }
  return { placed, absent: absentTensors(checkpoint, taken) };
}

/** Why a tensor of a shard is not the model's: another shard has it, and the index says which counts. */
function reasonOf(name: string, tensor: StoredTensor, shard: Shard, { weightMap, shards }: Checkpoint): string | null {
  const named = weightMap.get(tensor.name);
  const file = basename(shard.path);
  if (name !== tensor.name) return `another shard has a tensor of this name; this one is in ${file}`;
  if (named === undefined || shards.length < 2 || basename(named) === file) return null;
  const there = shards.find(({ path }) => basename(path) === basename(named))?.tensors.some((other) => other.name === tensor.name) ?? false;
  return there ? `the index names ${basename(named)} for it, not ${file}` : null;
}

/**
 * Other names of each tensor: those that share its data, and those that the metadata tells. Writers drop all but one of
 * tied tensors and note each dropped name with the one that was kept ("model.embed_tokens.weight": "lm_head.weight").
 */
function aliasesOf({ tensors, metadata, shared }: Shard): ReadonlyMap<string, readonly string[]> {
  const out = new Map<string, string[]>();
  const add = (name: string, alias: string): void => {
    const known = out.get(name);
    if (known === undefined) out.set(name, [alias]);
    else known.push(alias);
  };
  for (const [tensor, first] of shared) add(first.name, tensor.name);
  if (metadata.size <= (metadata.has(FORMAT) ? 1 : 0)) return out;
  const names = new Set(tensors.map(({ name }) => name));
  for (const [alias, name] of metadata) if (names.has(name) && !names.has(alias)) add(name, alias);
  return out;
}

function absentTensors({ weightMap, missing }: Checkpoint, taken: ReadonlySet<string>): SkippedTensor[] {
  return [...weightMap].filter(([name]) => !taken.has(name)).map(([name, shard]) => ({
    name, shape: [], dtype: "unknown",
    reason: missing.has(shard) ? `its shard ${clipped(shard)} is missing` : `not in ${clipped(shard)}, where the index has it`,
  }));
}

function numbered(name: string, taken: ReadonlySet<string>): string {
  let copy = 2;
  while (taken.has(`${name} (${copy})`)) copy++;
  return `${name} (${copy})`;
}
