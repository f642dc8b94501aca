import { EventEmitter } from "node:events";
import { basename } from "node:path";
import { fromRandomAccessReaderPromise, type Entry, type RandomAccessReader, type ZipFile } from "yauzl";
import { Fault } from "../shared/fault";
import type { ReadableFile } from "./reopenedFile";
import { inflateRange } from "./zip/inflate";

/** More entries than any model has tensors; a directory of millions is made to exhaust. */
const MOST_ENTRIES = 1_000_000;
/** Deflate packs at most 1032 bytes into one, and weights hardly 2: an entry beyond this ratio and size is made to exhaust. */
const HIGHEST_RATIO = 100;
const ALWAYS_UNPACKED = 64 * 1024 * 1024;
/** The directory is read in pieces of this size. */
const WINDOW = 256 * 1024;
const STORED = 0, DEFLATED = 8;

/** A file inside a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes when unpacked, as the directory says. */
  readonly size: number;
  /** Whether a part of it costs as much as all that comes before it. */
  readonly isPacked: boolean;
  /** Why it cannot be read; null when it can. */
  readonly problem: string | null;
}

/**
 * A zip archive read in place: its directory at opening, and of its entries the ranges that are asked for. Entries may be
 * stored or deflated; zip64 as well.
 */
export class ZipArchive {
  private constructor(
    private readonly file: ReadableFile,
    private readonly zip: ZipFile,
    private readonly raw: ReadonlyMap<string, Entry>,
    /** In the order of the directory. */
    readonly entries: ReadonlyMap<string, ZipEntry>,
  ) {}

  /** @throws Fault truncated, malformed, too-large */
  static async open(file: ReadableFile): Promise<ZipArchive> {
    const reader = new WindowedReader(file);
    try {
      const zip = await fromRandomAccessReaderPromise(asReader(reader), file.size, { autoClose: false, strictFileNames: false });
      if (zip.entryCount > MOST_ENTRIES) throw new Fault("too-large", `The zip directory of ${basename(file.path)} lists ${zip.entryCount} entries, more than ${MOST_ENTRIES}.`, "RankLens reads no archive of so many.");
      const raw = await allEntries(zip);
      const known = new Map([...raw].map(([name, entry]) => [name, { name, size: entry.uncompressedSize, isPacked: entry.compressionMethod !== STORED, problem: problemOf(entry, file.size) }]));
      return new ZipArchive(file, zip, raw, known);
    } catch (error) {
      throw faultOf(error, file);
    }
  }

  /**
   * Bytes [start, start + length) of an unpacked entry.
   * @throws Fault truncated, malformed, unsupported, changed-while-read
   */
  async read(name: string, start: number, length: number): Promise<Uint8Array> {
    const entry = this.raw.get(name), known = this.entries.get(name), what = `entry ${name} of ${basename(this.file.path)}`;
    if (entry === undefined || known === undefined) throw new Fault("malformed", `${basename(this.file.path)} has no entry ${name}.`, "Fetch or save the file again.");
    if (known.problem !== null) throw new Fault("unsupported", `${what} cannot be read: ${known.problem}.`, "Save the file again without compression.");
    if (start + length > known.size) throw new Fault("truncated", `${what} has ${known.size} bytes, but bytes ${start} to ${start + length} were expected.`, "The file is damaged: fetch it again.");
    const from = await this.startOf(entry);
    if (entry.compressionMethod === STORED) return this.file.read(from + start, length);
    const packed = { length: entry.compressedSize, read: (offset: number, count: number) => this.file.read(from + offset, count) };
    return inflateRange(packed, start, length, what);
  }

  /** Where an entry's bytes begin: after its local header, whose length only that header says. */
  private async startOf(entry: Entry): Promise<number> {
    try {
      return (await this.zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart;
    } catch (error) {
      throw faultOf(error, this.file);
    }
  }
}

async function allEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (found.has(entry.fileName)) throw new Error(`it lists "${entry.fileName}" twice`);
    found.set(entry.fileName, entry);
  }
  return found;
}

function problemOf(entry: Entry, fileSize: number): string | null {
  const { compressedSize, uncompressedSize, relativeOffsetOfLocalHeader: offset, compressionMethod: method } = entry;
  if (![compressedSize, uncompressedSize, offset].every(Number.isSafeInteger)) return "its place is beyond all files";
  if (offset + compressedSize > fileSize) return `it would end at byte ${offset + compressedSize} of a file of ${fileSize}`;
  if (entry.isEncrypted()) return "it is encrypted";
  if (method !== STORED && method !== DEFLATED) return `it is packed by method ${method}, not stored or deflated`;
  if (method === DEFLATED && uncompressedSize > Math.max(ALWAYS_UNPACKED, HIGHEST_RATIO * compressedSize)) {
    return `its ${compressedSize} bytes claim to unpack to ${uncompressedSize}: no weights pack so well`;
  }
  return null;
}

/** yauzl's errors are sentences about the archive. */
function faultOf(error: unknown, file: ReadableFile): Fault {
  if (error instanceof Fault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const again = "The file is cut off or damaged: fetch it again.";
  if (/End of central directory record signature not found|unexpected EOF|overflows file bounds/.test(reason)) {
    return new Fault("truncated", `${basename(file.path)} is a zip archive without a whole directory at its end (${file.size} bytes).`, again);
  }
  return new Fault("malformed", `The zip archive ${basename(file.path)} is damaged: ${reason}.`, again);
}

/** Reads the directory, which yauzl takes in small pieces, in few large ones. */
class WindowedReader extends EventEmitter {
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;

  constructor(private readonly file: ReadableFile) {
    super();
  }

  ref(): void {}
  unref(): void {}

  read(buffer: Buffer, offset: number, length: number, position: number, callback: (error: Error | null, bytesRead?: number) => void): void {
    this.fill(position, length).then(
      () => {
        buffer.set(this.window.subarray(position - this.windowStart, position - this.windowStart + length), offset);
        callback(null, length);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  }

  private async fill(position: number, length: number): Promise<void> {
    if (position >= this.windowStart && position + length <= this.windowStart + this.window.length) return;
    this.window = await this.file.read(position, Math.max(length, Math.min(WINDOW, this.file.size - position)));
    this.windowStart = position;
  }
}

/** yauzl's own class reads by streams; only these three calls of it are ever made here. */
function asReader(reader: WindowedReader): RandomAccessReader {
  return reader as unknown as RandomAccessReader;
}
