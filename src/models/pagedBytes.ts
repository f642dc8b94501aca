import { Fault } from "../shared/fault";

/** Where a file of headers that refer to each other lies: a file of its own, or an entry of an archive. */
export interface ByteSource {
  /** What it is called in sentences: "model.h5", "model.weights.h5 in model.keras". */
  readonly name: string;
  readonly size: number;
  /** @throws Fault truncated when the range passes the end */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Headers lie all over a file, near each other: they are read by pages, and the last few are kept. */
const PAGE = 64 * 1024;
const MOST_PAGES = 64;
/**
 * Pieces of structure that are looked at, and their bytes: a file that is made to exhaust may lead to the same pieces over and
 * over. An honest file has no piece of less than 4 bytes, and few are looked at twice: one a byte is more than enough.
 */
const LEAST_PIECES = 100_000;
const MOST_PIECES = 10_000_000;
const LEAST_BUDGET = 64 * 1024 * 1024;
const BUDGET_RATIO = 4;

/** A piece of a file from which little-endian numbers are read one after the other. */
export class Cursor {
  private readonly view: DataView;
  at = 0;

  constructor(readonly bytes: Uint8Array, private readonly damaged: (what: string) => Fault) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  i32(): number {
    return this.u32() | 0;
  }

  f32(): number {
    return this.view.getFloat32(this.take(4), true);
  }

  /** The nearest float64. */
  i64(): number {
    return Number(this.view.getBigInt64(this.take(8), true));
  }

  /** Infinity where it is beyond 2⁵³, as the address "undefined" is, so that every bound catches it. */
  u64(): number {
    const value = Number(this.view.getBigUint64(this.take(8), true));
    return Number.isSafeInteger(value) ? value : Infinity;
  }

  skip(count: number): void {
    this.take(count);
  }

  slice(count: number): Uint8Array {
    const from = this.take(count);
    return this.bytes.subarray(from, from + count);
  }

  /** Text up to its first zero, of a field of `count` bytes. */
  text(count: number): string {
    const field = this.slice(count);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  }

  private take(count: number): number {
    if (!(count <= this.left)) throw this.damaged("a structure that ends before its last field");
    this.at += count;
    return this.at - count;
  }
}

/** Reads pieces of a file by address, small ones from pages that are kept. */
export class PagedBytes {
  private readonly pages = new Map<number, Promise<Uint8Array>>();
  private pieces: number;
  private budget: number;

  /** @param base where addresses count from */
  constructor(readonly source: ByteSource, readonly base: number) {
    this.pieces = Math.min(MOST_PIECES, LEAST_PIECES + source.size);
    this.budget = Math.max(LEAST_BUDGET, BUDGET_RATIO * source.size);
  }

  /** A piece of structure. @throws Fault malformed when it lies outside of the file, too-large when there are too many */
  async cursor(address: number, length: number): Promise<Cursor> {
    if (!(this.base + address + length <= this.source.size)) throw this.damaged("an address outside of the file", address);
    this.budget -= length;
    if (--this.pieces < 0 || this.budget < 0) {
      throw new Fault("too-large", `${this.source.name} has more structure than a model has.`, "The file is damaged: fetch or save it again.");
    }
    return new Cursor(await this.bytes(address, length), (what) => this.damaged(what, address));
  }

  /** Values, which the caller may change. @throws Fault malformed when they lie outside of the file */
  async values(address: number, length: number): Promise<Uint8Array> {
    const bytes = await this.bytes(address, length);
    // Short ones may be a part of a page that is kept.
    return length > PAGE && bytes.buffer.byteLength === length ? bytes : bytes.slice();
  }

  private async bytes(address: number, length: number): Promise<Uint8Array> {
    const start = this.base + address;
    if (!(start + length <= this.source.size)) throw this.damaged("an address outside of the file", address);
    const page = Math.floor(start / PAGE);
    if (length > PAGE || start + length > (page + 1) * PAGE) return this.source.read(start, length);
    const bytes = await this.page(page);
    return bytes.subarray(start - page * PAGE, start - page * PAGE + length);
  }

  damaged(what: string, address: number): Fault {
    const where = Number.isFinite(address) ? ` at byte ${this.base + address}` : "";
    return new Fault("malformed", `${this.source.name} has ${what}${where}.`, "The file is damaged: fetch or save it again.");
  }

  private page(number: number): Promise<Uint8Array> {
    const kept = this.pages.get(number);
    if (kept !== undefined) return kept;
    if (this.pages.size >= MOST_PAGES) this.pages.delete(this.pages.keys().next().value!);
    const read = this.source.read(number * PAGE, Math.min(PAGE, this.source.size - number * PAGE));
    this.pages.set(number, read);
    return read;
  }
}
