import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep, win32 } from "node:path";
import { Fault } from "../../shared/fault";
import { clipped } from "../clipped";
import { FileBytes } from "../fileBytes";
import { readHeader, type Header } from "./header";
import { JsonReader } from "./json";
import { LONGEST_HEADER, MOST_TENSORS } from "./schema";

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

/** Shards of one checkpoint; the largest models published have under 300. */
const MOST_SHARDS = 4096;

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
  const { weightMap, indexBytes } = await readIndex(path);
  const names = [...new Set(weightMap.values())].sort();
  const shards: Shard[] = [];
  const missing = new Set<string>();
  let tensors = 0;
  for (const name of names) {
    const found = await locate(path, name, allowOutside);
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
  if (shards.length === 0) {
    throw new Fault("not-found", `None of the ${names.length} files that ${basename(path)} names is beside it (the first is ${clipped(names[0] ?? "")}).`, "Fetch them into the same folder.");
  }
  return { shards, weightMap, missing, indexBytes };
}

async function readIndex(path: string): Promise<Pick<Checkpoint, "weightMap" | "indexBytes">> {
  const name = basename(path);
  const weightMap = new Map<string, string>();
  const file = await FileBytes.open(path);
  try {
    if (file.size > LONGEST_HEADER) throw new Fault("too-large", `${name} has ${file.size} bytes; at most ${LONGEST_HEADER} of an index are read.`, "Check what the file is.");
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
  const names = new Set(weightMap.values());
  const other = [...names].find((shard) => !shard.toLowerCase().endsWith(".safetensors"));
  if (names.size === 0) throw new Fault("malformed", `${name} has no weight_map: it is not the index of a sharded checkpoint.`, "Open a .safetensors file instead.");
  if (other !== undefined) throw new Fault("unsupported", `${name} names ${clipped(other)}, which is not a safetensors file.`, "Open the index of the checkpoint's safetensors files.");
  if (names.size > MOST_SHARDS) throw new Fault("too-large", `${name} names ${names.size} files; at most ${MOST_SHARDS} are opened.`, "Open single shards instead.");
  return { weightMap, indexBytes: file.size };
}

/**
 * Where a shard lies; null when it is not there. An index is untrusted, so a shard must lie in the folder of its
 * index, links resolved. One kind of link may leave it: the download cache of Hugging Face keeps
 * `models--x/snapshots/COMMIT/model-00001.safetensors` as a link into `models--x/blobs`, and so does every file there.
 * @throws Fault external-data-refused
 */
async function locate(indexPath: string, name: string, allowOutside: boolean): Promise<string | null> {
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
