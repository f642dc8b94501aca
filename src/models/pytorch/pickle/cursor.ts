import { Fault } from "../../../shared/fault";

/** More bytes are needed than were read so far; the caller reads more, or says that the file is cut off. */
export class Incomplete extends Error {
  override readonly name = "Incomplete";
}

/** Longest line of text that is not a string: a number, a module's or a class's name. */
const LONGEST_LINE = 2048;
const NEWLINE = 0x0a;

/** Walks the bytes of a pickle, never past their end. */
export class PickleCursor {
  private readonly view: DataView;

  /** @param what for faults: "data.pkl of model.pt" */
  constructor(private readonly content: Uint8Array, public position: number, readonly what: string) {
    this.view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  }

  /** The next byte. */
  byte(): number {
    return this.view.getUint8(this.skip(1));
  }

  uint16(): number {
    return this.view.getUint16(this.skip(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.skip(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  /** A length of eight bytes. */
  length(): number {
    const length = Number(this.view.getBigUint64(this.skip(8), true));
    if (!Number.isSafeInteger(length)) throw this.malformed("a length beyond all files");
    return length;
  }

  /** Big-endian, as pickle stores floats. */
  float64(): number {
    return this.view.getFloat64(this.skip(8), false);
  }

  /** The next bytes themselves, no copy. */
  bytes(length: number): Uint8Array {
    if (length < 0) throw this.malformed("a negative length");
    const start = this.skip(length);
    return this.content.subarray(start, start + length);
  }

  /** Up to the next newline, without it. */
  line(longest = LONGEST_LINE): string {
    const end = this.content.indexOf(NEWLINE, this.position);
    const length = (end < 0 ? this.content.length : end) - this.position;
    if (length > longest) throw this.malformed(`a line of more than ${longest} bytes`);
    if (end < 0) throw new Incomplete();
    return latin1(this.bytes(length + 1).subarray(0, length));
  }

  malformed(has: string): Fault {
    return new Fault("malformed", `${this.what} is no valid pickle: it has ${has} at byte ${this.position}.`, "The file is damaged: fetch or save it again.");
  }

  private skip(length: number): number {
    const start = this.position;
    if (length > this.content.length - start) throw new Incomplete();
    this.position = start + length;
    return start;
  }
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Damaged text becomes replacement characters. */
export function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
