import type { CharacterSet } from "./syntax";

/** What inline flags change: i, s, m, a. */
export interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
  readonly ascii: boolean;
}

export const NO_FLAGS: Flags = { ignoreCase: false, dotAll: false, multiline: false, ascii: false };

const NEWLINE = 0x0a;
const LAST_ASCII = 0x7f;
/** `str.isalnum` and the underscore; `str.isdecimal`; `str.isspace`. */
const WORD = /^[\p{L}\p{N}_]$/u, DIGIT = /^\p{Nd}$/u;
const SPACE = /^[\s\u001c-\u001f\u0085]$/u;
const ASCII_CLASSES: Readonly<Record<string, RegExp>> = { w: /^[A-Za-z0-9_]$/, d: /^[0-9]$/, s: /^[ \t\n\r\f\v]$/ };
const CLASSES: Readonly<Record<string, RegExp>> = { w: WORD, d: DIGIT, s: SPACE };
/** What JavaScript's `\s` has and Python's `isspace` has not: the byte order mark. */
const BYTE_ORDER_MARK = 0xfeff;

/** `\d`, `\w`, `\s` and their complements. */
export function characterClass(letter: string, { ascii }: Flags): CharacterSet {
  const lower = letter.toLowerCase();
  const pattern = (ascii ? ASCII_CLASSES : CLASSES)[lower]!;
  const known = Array.from({ length: LAST_ASCII + 1 }, (_, code) => pattern.test(String.fromCharCode(code)));
  const has = (code: number): boolean => known[code] ?? (code !== BYTE_ORDER_MARK && pattern.test(String.fromCodePoint(code)));
  return lower === letter ? has : (code) => !has(code);
}

export function isWord(code: number | undefined, ascii: boolean): boolean {
  return code !== undefined && (ascii ? ASCII_CLASSES.w! : WORD).test(String.fromCodePoint(code));
}

export function dot({ dotAll }: Flags): CharacterSet {
  return dotAll ? () => true : (code) => code !== NEWLINE;
}

export function literal(code: number, flags: Flags): CharacterSet {
  return cased((other) => other === code, flags);
}

export function range(first: number, last: number): CharacterSet {
  return (code) => code >= first && code <= last;
}

/** The same set, for either case where the flag says so. */
export function cased(has: CharacterSet, { ignoreCase }: Flags): CharacterSet {
  if (!ignoreCase) return has;
  return (code) => {
    const text = String.fromCodePoint(code);
    return has(code) || has(text.toLowerCase().codePointAt(0)!) || has(text.toUpperCase().codePointAt(0)!);
  };
}
