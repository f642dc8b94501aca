import type { Fault } from "../shared/fault";

const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c, COLON = 0x3a, MINUS = 0x2d;
const OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d, OPEN_ARRAY = 0x5b, CLOSE_ARRAY = 0x5d;
/** Deepest value that is skipped; what the format knows is three deep. */
const MOST_DEPTH = 32;
/** Digits of the largest safe integer; longer ones are refused before they are rounded. */
const MOST_DIGITS = 16;
const LONE_SURROGATE = /\p{Surrogate}/u;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Reads JSON of a known form from untrusted bytes (RFC 8259, strictly). JSON.parse would build everything first: it keeps the
 * last of two equal keys, rounds large integers, and takes gigabytes for megabytes of brackets.
 */
export class JsonReader {
  private at = 0;
  private readonly buffer: Buffer;
  private readonly decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /** @param malformed the fault to throw for what is wrong at a position */
  constructor(bytes: Uint8Array, private readonly malformed: (at: number, what: string) => Fault) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the next value begins. */
  get position(): number {
    return this.at;
  }

  /** Reads an object, calling `entry` for each key; it must read or skip the value. */
  object(entry: (key: string) => void): void {
    this.expect(OPEN_OBJECT, "an object");
    if (this.take(CLOSE_OBJECT)) return;
    do {
      if (this.peek() !== QUOTE) throw this.unexpected("a key");
      const key = this.string();
      this.expect(COLON, "a colon");
      entry(key);
    } while (this.take(COMMA));
    this.expect(CLOSE_OBJECT, "the end of an object");
  }

  /** Reads a list of integers from 0 on. */
  integers(most: number): number[] {
    const out: number[] = [];
    this.expect(OPEN_ARRAY, "a list");
    if (this.take(CLOSE_ARRAY)) return out;
    do {
      if (out.length === most) throw this.malformed(this.at, `a list of more than ${most} numbers`);
      out.push(this.integer());
    } while (this.take(COMMA));
    this.expect(CLOSE_ARRAY, "the end of a list");
    return out;
  }

  /** Whether the next value is a string. */
  isString(): boolean {
    return this.peek() === QUOTE;
  }

  string(): string {
    this.expect(QUOTE, "a string");
    const start = this.at;
    let escaped = false, ascii = true;
    for (;;) {
      const byte = this.buffer[this.at];
      if (byte === undefined) throw this.malformed(start, "a string that does not end");
      if (byte === QUOTE) break;
      if (byte < 0x20) throw this.malformed(this.at, "a control character in a string");
      if (byte === BACKSLASH) {
        escaped = true;
        this.at++;
      } else if (byte >= 0x80) ascii = false;
      this.at++;
    }
    const end = this.at++;
    if (ascii && !escaped) return this.buffer.toString("latin1", start, end);
    return this.unescaped(start, end, escaped);
  }

  /** Passes over any value. */
  skip(depth = 0): void {
    if (depth > MOST_DEPTH) throw this.malformed(this.at, `values nested more than ${MOST_DEPTH} deep`);
    switch (this.peek()) {
      case QUOTE: this.string(); return;
      case OPEN_OBJECT: this.object(() => this.skip(depth + 1)); return;
      case OPEN_ARRAY:
        this.at++;
        if (this.take(CLOSE_ARRAY)) return;
        do this.skip(depth + 1);
        while (this.take(COMMA));
        this.expect(CLOSE_ARRAY, "the end of a list");
        return;
      default: this.literal();
    }
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.peek() !== undefined) throw this.unexpected("the end");
  }

  private unescaped(start: number, end: number, escaped: boolean): string {
    try {
      const text = this.decoder.decode(this.buffer.subarray(start, end));
      const value = escaped ? JSON.parse(`"${text}"`) as string : text;
      if (!LONE_SURROGATE.test(value)) return value;
    } catch {
      // Told below: the reasons differ, what to do does not.
    }
    throw this.malformed(start, "a string that is not valid text");
  }

  private integer(): number {
    const start = (this.peek(), this.at);
    while (isDigit(this.buffer[this.at])) this.at++;
    const digits = this.buffer.toString("latin1", start, Math.min(this.at, start + MOST_DIGITS + 1));
    const next = this.buffer[this.at];
    if (digits === "" || (digits.length > 1 && digits.startsWith("0")) || next === 0x2e || next === 0x65 || next === 0x45) {
      this.at = start;
      throw this.unexpected("a whole number from 0 on");
    }
    const value = digits.length > MOST_DIGITS ? Infinity : Number(digits);
    if (!Number.isSafeInteger(value)) throw this.malformed(start, "a number too large to be a size or a place in a file");
    return value;
  }

  private literal(): void {
    const start = this.at;
    while (isWord(this.buffer[this.at])) this.at++;
    // No number or word that means anything is longer.
    const text = this.buffer.toString("latin1", start, Math.min(this.at, start + 400));
    if (text === "true" || text === "false" || text === "null" || NUMBER.test(text)) return;
    this.at = start;
    throw this.unexpected("a value");
  }

  private expect(byte: number, what: string): void {
    if (this.peek() !== byte) throw this.unexpected(what);
    this.at++;
  }

  private take(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  /** The next byte that is no white space. */
  private peek(): number | undefined {
    for (;; this.at++) {
      const byte = this.buffer[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    }
  }

  private unexpected(what: string): Fault {
    return this.malformed(this.at, this.at >= this.buffer.length ? `its end where ${what} should be` : `something else where ${what} should be`);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Characters of numbers, true, false and null. */
function isWord(byte: number | undefined): boolean {
  return byte !== undefined && (isDigit(byte) || (byte >= 0x61 && byte <= 0x7a) || byte === MINUS || byte === 0x2b || byte === 0x2e || byte === 0x45);
}
