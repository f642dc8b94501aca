import { createHash, type Hash } from "node:crypto";
import { basename } from "node:path";
import { Fault } from "../shared/fault";
import { FileBytes } from "./fileBytes";

/** Read from the front of every file, where most headers are. */
const HEAD = 512 * 1024;
/** Read from the end, where ONNX keeps its operator sets and formats with a trailing directory keep that. */
const TAIL = 64 * 1024;
/** Samples of the body between them, evenly spread. */
const SAMPLES = 16;
const SAMPLE = 8 * 1024;
/** Everything is read of files up to this size. */
const WHOLE = HEAD + TAIL + SAMPLES * SAMPLE;

/**
 * The key under which a model's results are cached: SHA-256 over each file's name (not its folder), size and
 * modification time, and its first 512 KiB, 16 evenly spread samples of 8 KiB and its last 64 KiB (small files:
 * all of it). At most 704 KiB of each file are read. Only an edit that keeps size and time and misses all of that
 * goes unseen.
 *
 * A file that cannot be opened counts as the reason why, so that a model whose external data is missing has a
 * key too, and another one when the file is back.
 * @param files all files of the model, in the order of `Model.files`
 * @throws Fault changed-while-read, unreadable
 */
export async function fingerprint(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  // One after the other: shards of one checkpoint lie on one disk.
  for (const path of files) await addFile(hash, path);
  return hash.digest("hex");
}

async function addFile(hash: Hash, path: string): Promise<void> {
  let file: FileBytes;
  try {
    file = await FileBytes.open(path);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    hash.update(JSON.stringify([basename(path), error.code]));
    return;
  }
  try {
    // As JSON, so that where a name ends cannot be mistaken.
    hash.update(JSON.stringify([basename(path), file.size, file.mtimeMs]));
    for (const [offset, length] of sampled(file.size)) hash.update(await file.read(offset, length));
    await file.assertUnchanged();
  } finally {
    await file.close();
  }
}

/** What is read of a file of `size` bytes, as [offset, length], in order and without overlap. */
function sampled(size: number): (readonly [number, number])[] {
  if (size <= WHOLE) return [[0, size]];
  const body = size - HEAD - TAIL;
  const samples = Array.from({ length: SAMPLES }, (_, index) => [HEAD + Math.floor((index * (body - SAMPLE)) / (SAMPLES - 1)), SAMPLE] as const);
  return [[0, HEAD], ...samples, [size - TAIL, TAIL]];
}
