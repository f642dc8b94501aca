import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep, win32 } from "node:path";
import { Fault } from "../shared/fault";
import { clipped } from "./clipped";
import { FileBytes } from "./fileBytes";
import { JsonReader } from "./json";

/** What an index file says. */
export interface ShardIndex {
  /** Name of the file that has each tensor. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** Names of all files, each once, sorted. */
  readonly shards: readonly string[];
  /** Bytes of the index file itself. */
  readonly bytes: number;
}

/** Longest index that is read: as long as the longest header of safetensors. */
const LONGEST_INDEX = 100_000_000;
/** Shards of one checkpoint; the largest models published have under 300. */
const MOST_SHARDS = 4096;

/**
 * Reads an index file as transformers writes it (`model.safetensors.index.json`, `pytorch_model.bin.index.json`).
 * @param ending that all its shards have: ".safetensors", ".bin"
 * @throws Fault malformed, unsupported, too-large, and those of `FileBytes.open`
 */
export async function readShardIndex(path: string, ending: string): Promise<ShardIndex> {
  const name = basename(path);
  const weightMap = new Map<string, string>();
  const file = await FileBytes.open(path);
  try {
    if (file.size > LONGEST_INDEX) throw new Fault("too-large", `${name} has ${file.size} bytes; at most ${LONGEST_INDEX} of an index are read.`, "Check what the file is.");
    const malformed = (at: number, what: string) => new Fault("malformed", `${name} has ${what} at byte ${at}.`, "The index is damaged, or not one: fetch it again.");
    const json = new JsonReader(await file.read(0, file.size), malformed);
    json.object((key) => {
      if (key !== "weight_map") {
        json.skip();
        return;
      }
      json.object((tensor) => {
        if (weightMap.has(tensor)) throw malformed(json.position, `the tensor "${clipped(tensor)}" a second time`);
        weightMap.set(tensor, json.string());
      });
    });
    json.end();
    await file.assertUnchanged();
  } finally {
    await file.close();
  }
  const shards = [...new Set(weightMap.values())].sort();
  const other = shards.find((shard) => !shard.toLowerCase().endsWith(ending));
  if (shards.length === 0) throw new Fault("malformed", `${name} has no weight_map: it is not the index of a sharded checkpoint.`, `Open a ${ending} file instead.`);
  if (other !== undefined) throw new Fault("unsupported", `${name} names ${clipped(other)}, which is not a ${ending} file.`, `Open the index of the checkpoint's ${ending} files.`);
  if (shards.length > MOST_SHARDS) throw new Fault("too-large", `${name} names ${shards.length} files; at most ${MOST_SHARDS} are opened.`, "Open single shards instead.");
  return { weightMap, shards, bytes: file.size };
}

/** None of the shards is there. */
export function noShards(path: string, { shards }: ShardIndex): Fault {
  return new Fault("not-found", `None of the ${shards.length} files that ${basename(path)} names is beside it (the first is ${clipped(shards[0] ?? "")}).`, "Fetch them into the same folder.");
}

/**
 * Where a shard lies; null when it is not there. An index is untrusted, so a shard must lie in the folder of its
 * index, links resolved. One kind of link may leave it: the download cache of Hugging Face keeps
 * `models--x/snapshots/COMMIT/model-00001.safetensors` as a link into `models--x/blobs`, and so does every file there.
 * @throws Fault external-data-refused
 */
export async function locateShard(indexPath: string, name: string, allowOutside: boolean): Promise<string | null> {
  const leaves = name.includes("\0") || isAbsolute(name) || win32.isAbsolute(name) || name.split(/[\\/]/).includes("..");
  if (leaves && !allowOutside) throw refused(indexPath, name);
  const folder = dirname(resolve(indexPath));
  const path = resolve(folder, name);
  try {
    const real = await realpath(path);
    if (!allowOutside && !isInside(await realpath(folder), real) && !isCached(folder, real)) throw refused(indexPath, name);
    // The name that a person knows, not the one of a cache's blob.
    return path;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "ELOOP") return null;
    throw error instanceof Fault ? error : new Fault("unreadable", `${clipped(name)}, which ${basename(indexPath)} names, could not be opened.`, "Check the permissions of its folder.");
  }
}

/** Whether a real path is a blob of the cache that `folder` is a snapshot of, or a folder inside a snapshot. */
function isCached(folder: string, real: string): boolean {
  const steps = folder.split(sep);
  const snapshots = steps.lastIndexOf("snapshots");
  if (snapshots < 1 || snapshots === steps.length - 1) return false;
  return dirname(real) === join(steps.slice(0, snapshots).join(sep) || sep, "blobs");
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function refused(indexPath: string, name: string): Fault {
  return new Fault(
    "external-data-refused",
    `${basename(indexPath)} names the shard "${clipped(name)}", outside its own folder, which RankLens does not read.`,
    "Move that file into the index's folder, or allow external data outside it in the settings.",
  );
}
