import { latin1, utf8, type PickleCursor } from "./cursor";
import type { Operation, PickleMachine } from "./machine";
import type { PickleValue } from "./values";

/** Bytes of the longest whole number that is read: PyTorch's magic number has 10. */
const LONGEST_INTEGER = 1024;
/** Text may be as long as the file: what is read of it is bounded by its size. */
const ANY_LENGTH = Number.MAX_SAFE_INTEGER;

/** What Python's raw-unicode-escape makes of characters beyond Latin-1, and of newlines and backslashes. */
const UNICODE_ESCAPE = /\\u([0-9a-fA-F]{4})|\\U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})/g;
const INTEGER = /^[+-]?\d{1,2048}$/;

const pushed = (read: (cursor: PickleCursor, machine: PickleMachine) => PickleValue): Operation => (machine) => machine.push(read(machine.cursor, machine));
const constant = (value: PickleValue): Operation => (machine) => machine.push(value);
/** Text and bytes take memory of their own. */
const sized = (length: (cursor: PickleCursor) => number, make: (bytes: Uint8Array) => PickleValue): Operation => (machine) => {
  machine.countObjects(1);
  machine.push(make(machine.cursor.bytes(length(machine.cursor))));
};
const byte = (cursor: PickleCursor): number => cursor.byte();
const uint32 = (cursor: PickleCursor): number => cursor.uint32();
const int32 = (cursor: PickleCursor): number => cursor.int32();
const length = (cursor: PickleCursor): number => cursor.length();
const asIs = (bytes: Uint8Array): Uint8Array => bytes;

/** Opcodes of numbers, texts and bytes, by their byte. */
export const SCALARS: readonly (readonly [string, Operation])[] = [
  ["N", constant(null)],
  ["\x88", constant(true)],
  ["\x89", constant(false)],
  ["J", pushed(int32)],
  ["K", pushed(byte)],
  ["M", pushed((cursor) => cursor.uint16())],
  ["I", pushed((cursor) => integerLine(cursor))],
  ["L", pushed((cursor) => integerLine(cursor))],
  ["\x8a", pushed((cursor) => longInteger(cursor, cursor.byte()))],
  ["\x8b", pushed((cursor) => longInteger(cursor, cursor.int32()))],
  ["F", pushed((cursor) => floatLine(cursor))],
  ["G", pushed((cursor) => cursor.float64())],
  // A Python 2 string, which may be bytes as well as text.
  ["T", sized(int32, utf8)],
  ["U", sized(byte, utf8)],
  ["X", sized(uint32, utf8)],
  ["\x8c", sized(byte, utf8)],
  ["\x8d", sized(length, utf8)],
  ["B", sized(uint32, asIs)],
  ["C", sized(byte, asIs)],
  ["\x8e", sized(length, asIs)],
  ["\x96", sized(length, asIs)],
  ["S", (machine) => {
    machine.countObjects(1);
    machine.push(quoted(machine.cursor));
  }],
  ["V", (machine) => {
    machine.countObjects(1);
    machine.push(machine.cursor.line(ANY_LENGTH).replace(UNICODE_ESCAPE, (_, short: string | undefined, long: string) => String.fromCodePoint(parseInt(short ?? long, 16))));
  }],
];

/** A line such as "12", "12L", or "01" and "00" for true and false. */
function integerLine(cursor: PickleCursor): PickleValue {
  const line = cursor.line();
  if (line === "01") return true;
  if (line === "00") return false;
  const digits = line.endsWith("L") ? line.slice(0, -1) : line;
  if (!INTEGER.test(digits)) throw cursor.malformed("a whole number that is none");
  return smallest(BigInt(digits));
}

const WORDS: ReadonlyMap<string, number> = new Map([["inf", Infinity], ["-inf", -Infinity], ["nan", NaN], ["-nan", NaN]]);

/** A line such as "0.5", "1e-310", "-inf". */
function floatLine(cursor: PickleCursor): number {
  const line = cursor.line();
  const value = WORDS.get(line) ?? Number(line);
  if (Number.isNaN(value) && !line.endsWith("nan")) throw cursor.malformed("a number that is none");
  return value;
}

/** Little-endian two's complement of any length. */
function longInteger(cursor: PickleCursor, size: number): PickleValue {
  if (size > LONGEST_INTEGER) throw cursor.malformed(`a whole number of ${size} bytes`);
  const bytes = cursor.bytes(size);
  if (size === 0) return 0;
  const magnitude = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  return smallest(BigInt.asIntN(size * 8, magnitude));
}

function smallest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\", "'": "'", '"': '"' };

/** A string as Python 2 wrote it in source code: 'it\'s\n'. */
function quoted(cursor: PickleCursor): string {
  const line = cursor.line(ANY_LENGTH);
  const quote = line[0];
  if (line.length < 2 || (quote !== "'" && quote !== '"') || line.at(-1) !== quote) throw cursor.malformed("a string without its quotes");
  const plain = line.slice(1, -1).replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (all, hex: string | undefined, letter: string) => (hex === undefined ? ESCAPES[letter] ?? all : String.fromCharCode(parseInt(hex, 16))));
  return utf8(Buffer.from(plain, "latin1"));
}

/** A text, from what old pickles keep as bytes. */
export function textOf(value: PickleValue): string | null {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? latin1(value) : null;
}
