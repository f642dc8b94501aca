import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readShardIndex } from "../../models/shardIndex";
import { Fault } from "../../shared/fault";

const INDEX = /\.(safetensors|bin)\.index\.json$/i;

/**
 * Files of a model that are not there, or empty: shards that its index names, or the file itself where it is a link to nothing, as in
 * a cache during a download.
 */
export async function missingShards(file: string): Promise<string[]> {
  if (!(await isThere(file))) return [file];
  const ending = INDEX.exec(file)?.[1];
  if (ending === undefined) return [];
  try {
    const { shards } = await readShardIndex(file, `.${ending.toLowerCase()}`);
    const there = await Promise.all(shards.map((shard) => isThere(join(dirname(file), shard))));
    return shards.filter((_, index) => there[index] === false);
  } catch (error) {
    // A damaged index is told by whoever opens the model.
    if (error instanceof Fault) return [];
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isFile() && found.size > 0, () => false);
}
