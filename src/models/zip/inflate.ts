import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { Fault } from "../../shared/fault";

/** Packed bytes that are read and handed to zlib at once. */
const CHUNK = 256 * 1024;

/** Where deflated bytes come from. */
export interface PackedBytes {
  readonly length: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Bytes [start, start + length) of what `packed` unpacks to. Streams: what lies before `start` is unpacked and dropped, what
 * lies after is never unpacked, and no more memory is held than the result and two chunks.
 * @param what for faults: "entry data/0 of model.pt"
 * @throws Fault malformed when the stream is damaged or ends before
 */
export async function inflateRange(packed: PackedBytes, start: number, length: number, what: string): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  if (length === 0) return out;
  const unpacked = inflated(packed, what);
  let at = 0;
  for await (const chunk of unpacked) {
    const from = Math.max(0, start - at), to = Math.min(chunk.length, start + length - at);
    if (to > from) out.set(chunk.subarray(from, to), at + from - start);
    at += chunk.length;
    if (at >= start + length) return out;
  }
  throw new Fault("malformed", `${what} unpacks to ${at} bytes, where ${start + length} were expected.`, "The file is damaged: fetch it again.");
}

async function* inflated(packed: PackedBytes, what: string): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: CHUNK });
  const fed = pipeline(Readable.from(chunks(packed), { objectMode: false }), inflate);
  // Awaited below; a failure that comes while nothing waits must not count as unhandled.
  fed.catch(() => undefined);
  try {
    yield* inflate as AsyncIterable<Uint8Array>;
  } catch (error) {
    // A failed read ends the stream with its own fault.
    if (error instanceof Fault) throw error;
    throw new Fault("malformed", `${what} cannot be unpacked: ${error instanceof Error ? error.message : String(error)}.`, "The file is damaged: fetch it again.");
  } finally {
    inflate.destroy();
    await fed.catch(() => undefined);
  }
}

async function* chunks({ length, read }: PackedBytes): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += CHUNK) yield await read(at, Math.min(CHUNK, length - at));
}
