import { uncompress } from "snappyjs";
import { Fault } from "../../shared/fault";
import { NotAMessage, varint } from "./proto";

/** Footer of a table: two handles, padding, magic (LevelDB, doc/table_format.md). */
const FOOTER = 48;
const MAGIC = 0xdb4775248b80fb57n;
/** Type and checksum after each block. */
const TRAILER = 5;
const PLAIN = 0, SNAPPY = 1;
/** Largest block that is unpacked; TensorFlow's are of 256 KiB. */
const LARGEST_BLOCK = 64 * 1024 * 1024;
const MOST_ENTRIES = 1_000_000;
/** All keys of a table, in characters. */
const MOST_KEY_BYTES = 512 * 1024 * 1024;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/**
 * All entries of a LevelDB table, which TensorFlow keeps the index of a checkpoint in.
 * @param table the whole file
 * @param file its name, for sentences
 * @throws Fault malformed, truncated, too-large
 */
export function readTable(table: Uint8Array, file: string): ReadonlyMap<string, Uint8Array> {
  const damaged = (what: string) => new Fault("malformed", `${file} has ${what}.`, "The file is damaged: fetch or save it again.");
  if (table.length < FOOTER || new DataView(table.buffer, table.byteOffset).getBigUint64(table.length - 8, true) !== MAGIC) {
    throw new Fault("malformed", `${file} does not end as the index of a TensorFlow checkpoint does.`, "The file is cut off, or another thing: fetch it again.");
  }
  try {
    const footer = table.subarray(table.length - FOOTER);
    const [, , afterMeta] = readHandle(footer, 0);
    const [offset, size] = readHandle(footer, afterMeta);
    const entries = new Map<string, Uint8Array>();
    const seen = new Set<number>();
    for (const [, value] of blockEntries(blockAt(table, { offset, size }, damaged), damaged)) {
      const [blockOffset, blockSize] = readHandle(value, 0);
      if (seen.has(blockOffset)) throw damaged("a block that is listed twice");
      seen.add(blockOffset);
      for (const [key, body] of blockEntries(blockAt(table, { offset: blockOffset, size: blockSize }, damaged), damaged)) {
        if (entries.size >= MOST_ENTRIES) throw new Fault("too-large", `${file} lists more than ${MOST_ENTRIES} tensors.`, "Check what the file is.");
        entries.set(key, body);
      }
    }
    return entries;
  } catch (error) {
    if (error instanceof NotAMessage) throw damaged(error.message);
    throw error;
  }
}

function readHandle(bytes: Uint8Array, at: number): readonly [offset: number, size: number, next: number] {
  const [offset, sizeAt] = varint(bytes, at);
  const [size, next] = varint(bytes, sizeAt);
  return [offset, size, next];
}

function blockAt(table: Uint8Array, { offset, size }: Handle, damaged: (what: string) => Fault): Uint8Array {
  if (!(offset + size + TRAILER <= table.length - FOOTER)) throw damaged("a block outside of the file");
  const block = table.subarray(offset, offset + size);
  const type = table[offset + size];
  if (type === PLAIN) return block;
  if (type !== SNAPPY) throw damaged(`a block that is packed in an unknown way (${type})`);
  // The unpacked length comes first.
  const [length] = varint(block, 0);
  if (!(length <= LARGEST_BLOCK)) throw damaged(`a block that claims to unpack to ${length} bytes`);
  try {
    return uncompress(block);
  } catch {
    throw damaged("a block that does not unpack");
  }
}

/** Keys and values of a block. Each key says how much of the one before it begins with. */
function* blockEntries(block: Uint8Array, damaged: (what: string) => Fault): Generator<readonly [string, Uint8Array]> {
  if (block.length < 4) throw damaged("a block without an end");
  const restarts = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(block.length - 4, true);
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) throw damaged("a block with too many restarts");
  let key = Buffer.alloc(0), keyBytes = 0;
  for (let at = 0; at < end;) {
    const [shared, afterShared] = varint(block, at);
    const [own, afterOwn] = varint(block, afterShared);
    const [length, start] = varint(block, afterOwn);
    if (!(shared <= key.length) || !(start + own + length <= end)) throw damaged("an entry that passes the end of its block");
    key = Buffer.concat([key.subarray(0, shared), block.subarray(start, start + own)]);
    keyBytes += key.length;
    if (keyBytes > MOST_KEY_BYTES) throw damaged("keys that grow without end");
    yield [key.toString(), block.subarray(start + own, start + own + length)];
    at = start + own + length;
  }
}
