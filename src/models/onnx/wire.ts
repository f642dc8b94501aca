import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { FileBytes } from "../fileBytes";
import { clampedInt64, varintAt, type Varint } from "./varint";

/**
 * Protobuf's wire format (protobuf.dev/programming-guides/encoding) read by positioned reads: a window of
 * the file is held, payloads are stepped over by offset, so a file of any size costs its headers only.
 */

/** Bytes [start, end) of the file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Wire types. */
export const VARINT = 0, FIXED64 = 1, LENGTH_DELIMITED = 2, GROUP_START = 3, GROUP_END = 4, FIXED32 = 5;

/** One field: its payload is [start, end); the value of a varint is `high`·2³² + `low`. */
export interface Field extends Span {
  readonly number: number;
  readonly wire: number;
  readonly low: number;
  readonly high: number;
}

/** Bytes read at once. Most headers of one node or tensor lie within it. */
const WINDOW = 64 * 1024;
/** Ten bytes for a tag and ten for a value: the longest part of a field that must be in the window. */
const LONGEST_HEADER = 20;
const LONGEST_VARINT = 10;
/** Protobuf's own recursion limit (CodedInputStream::SetRecursionLimit). */
const DEEPEST_NESTING = 100;
/** Names are kept in memory; a longer one is not a name. */
const LONGEST_TEXT = 4 * 1024;
/** Nodes, tensors and attributes that one file may hold: real models have some 10⁴ to 10⁵. */
const MOST_RECORDS = 1_000_000;
/** All text that one file may make us keep. */
const MOST_TEXT = 256 * 1024 * 1024;

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

export class WireReader {
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;
  private records = 0;
  private textBytes = 0;

  constructor(readonly file: FileBytes) {}

  /**
   * Calls `visit` for each field of the message in `span`; groups are stepped over.
   * @param depth messages around this one
   * @throws Fault malformed, truncated, too-large
   */
  async message(span: Span, depth: number, visit: (field: Field) => Promise<void> | void): Promise<void> {
    if (depth > DEEPEST_NESTING) throw this.malformed(span.start, `messages are nested more than ${DEEPEST_NESTING} deep`);
    for (let at = span.start; at < span.end;) {
      if (!this.holds(at, Math.min(LONGEST_HEADER, span.end - at))) await this.load(at);
      const field = this.parseField(at, span.end);
      if (field.wire === GROUP_START) {
        at = await this.afterGroup(field, span.end);
        continue;
      }
      if (field.wire === GROUP_END) throw this.malformed(at, "a group ends that was not begun");
      const pending = visit(field);
      if (pending !== undefined) await pending;
      at = field.end;
    }
  }

  /** The bytes of a span, through the window where it holds them. */
  async bytes(span: Span): Promise<Uint8Array> {
    const length = span.end - span.start;
    if (length > WINDOW) return this.file.read(span.start, length);
    if (!this.holds(span.start, length)) await this.load(span.start);
    return this.window.subarray(span.start - this.windowStart, span.end - this.windowStart);
  }

  /** A name. Bytes that are not UTF-8 become U+FFFD. */
  async text(field: Field): Promise<string> {
    this.expect(field, LENGTH_DELIMITED);
    const length = field.end - field.start;
    if (length > LONGEST_TEXT) throw this.malformed(field.start, `a name of ${length} bytes is longer than ${LONGEST_TEXT}`);
    this.textBytes += length;
    if (this.textBytes > MOST_TEXT) throw this.tooLarge(`names of more than ${MOST_TEXT} bytes`);
    return UTF8.decode(await this.bytes(field));
  }

  /** A varint as an int64, clamped to ±(2⁵³ − 1). */
  int64(field: Field): number {
    this.expect(field, VARINT);
    return clampedInt64(field.low, field.high);
  }

  /**
   * Adds the int64 values of a repeated field (packed into one payload, or one field each) to `into`.
   * @throws Fault malformed beyond `most` values
   */
  async int64s(field: Field, most: number, into: number[]): Promise<void> {
    const tooMany = () => this.malformed(field.start, `a list of more than ${most} integers stands where a few belong`);
    if (field.wire === VARINT) {
      into.push(this.int64(field));
    } else {
      this.expect(field, LENGTH_DELIMITED);
      if (field.end - field.start > most * LONGEST_VARINT) throw tooMany();
      const bytes = await this.bytes(field);
      for (let at = 0; at < bytes.length;) {
        const value = varintAt(bytes, at, bytes.length);
        if (typeof value === "string") throw this.malformed(field.start + at, "a number is cut off or too long");
        into.push(clampedInt64(value.low, value.high));
        at = value.end;
      }
    }
    if (into.length > most) throw tooMany();
  }

  /** @throws Fault malformed where a field has another wire type than the schema gives it */
  expect(field: Field, wire: number): void {
    if (field.wire !== wire) throw this.malformed(field.start, `field ${field.number} has wire type ${field.wire}, where ONNX has ${wire}`);
  }

  /** Counts one record that stays in memory. @throws Fault too-large */
  count(): void {
    if (++this.records > MOST_RECORDS) throw this.tooLarge(`more than ${MOST_RECORDS} nodes, tensors and attributes`);
  }

  malformed(at: number, what: string): Fault {
    return new Fault("malformed", `${basename(this.file.path)} is damaged or not an ONNX model: at byte ${at}, ${what}.`, "Fetch or export the file again.");
  }

  private tooLarge(what: string): Fault {
    return new Fault("too-large", `${basename(this.file.path)} has ${what}, more than RankLens reads.`, "Such a file is most likely damaged: export the model again.");
  }

  private holds(at: number, length: number): boolean {
    return at >= this.windowStart && at + length <= this.windowStart + this.window.length;
  }

  private async load(at: number): Promise<void> {
    this.window = await this.file.read(at, Math.min(WINDOW, this.file.size - at));
    this.windowStart = at;
  }

  /** The field at `at`, whose header the window holds. */
  private parseField(at: number, end: number): Field {
    const tag = this.varint(at, end);
    if (tag.high !== 0) throw this.malformed(at, "a field number is out of range");
    const number = tag.low >>> 3, wire = tag.low & 7;
    if (number === 0) throw this.malformed(at, "a field has the number 0");
    const start = tag.end;
    switch (wire) {
      case VARINT: {
        const { low, high, end: after } = this.varint(start, end);
        return { number, wire, low, high, start, end: after };
      }
      case FIXED32: case FIXED64: {
        const after = start + (wire === FIXED32 ? 4 : 8);
        if (after > end) throw this.past(start, after - start, end);
        return { number, wire, low: 0, high: 0, start, end: after };
      }
      case LENGTH_DELIMITED: {
        const { low, high, end: body } = this.varint(start, end);
        const length = high * 2 ** 32 + low;
        if (!Number.isSafeInteger(length) || body + length > end) throw this.past(body, length, end);
        return { number, wire, low: 0, high: 0, start: body, end: body + length };
      }
      case GROUP_START: case GROUP_END:
        return { number, wire, low: 0, high: 0, start, end: start };
      default:
        throw this.malformed(at, `wire type ${wire} does not exist`);
    }
  }

  private varint(at: number, end: number): Varint {
    const origin = this.windowStart;
    const found = varintAt(this.window, at - origin, Math.min(end - origin, this.window.length));
    if (found === "long") throw this.malformed(at, "a number is longer than 10 bytes");
    if (found === "cut") throw this.past(at, end - at + 1, end);
    return { low: found.low, high: found.high, end: found.end + origin };
  }

  /** The position after the group's end tag; groups inside are matched without recursion. */
  private async afterGroup(start: Field, end: number): Promise<number> {
    const open = [start.number];
    let at = start.end;
    while (open.length > 0) {
      if (at >= end) throw this.past(at, 1, end);
      if (!this.holds(at, Math.min(LONGEST_HEADER, end - at))) await this.load(at);
      const field = this.parseField(at, end);
      if (field.wire === GROUP_START) {
        open.push(field.number);
        if (open.length > DEEPEST_NESTING) throw this.malformed(at, `groups are nested more than ${DEEPEST_NESTING} deep`);
      } else if (field.wire === GROUP_END && open.pop() !== field.number) {
        throw this.malformed(at, "a group ends that was not begun");
      }
      at = field.end;
    }
    return at;
  }

  private past(at: number, length: number, end: number): Fault {
    if (end < this.file.size) return this.malformed(at, `${length} bytes are claimed where the part around them ends at byte ${end}`);
    return new Fault(
      "truncated",
      `${basename(this.file.path)} ends at byte ${this.file.size}, but ${length} bytes were expected at byte ${at}.`,
      "The file is cut off or damaged, or not an ONNX model: fetch it again.",
    );
  }
}
