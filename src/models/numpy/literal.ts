import type { Fault } from "../../shared/fault";

/** Deepest value that is skipped: fields of records of fields. */
const MOST_DEPTH = 32;
const SPACE = /\s/;
const LARGEST_DIGITS = 16;

/** Reads the literals of Python that .npy headers are made of: dicts, tuples, lists, strings, whole numbers, True, False, None. */
export class PythonLiteral {
  private at = 0;

  constructor(private readonly text: string, private readonly malformed: (at: number, has: string) => Fault) {}

  /** Reads a dict, calling `entry` for each key; it must read or skip the value. */
  dict(entry: (key: string) => void): void {
    this.expect("{");
    while (!this.take("}")) {
      const key = this.string();
      this.expect(":");
      entry(key);
      if (!this.take(",") && this.peek() !== "}") throw this.malformed(this.at, "no comma between entries");
    }
  }

  /** A tuple or list of whole numbers from 0 on; Python 2 wrote them as 3L. */
  integers(most: number): number[] {
    const close = this.take("(") ? ")" : (this.expect("["), "]");
    const out: number[] = [];
    while (!this.take(close)) {
      if (out.length === most) throw this.malformed(this.at, `more than ${most} numbers`);
      out.push(this.integer());
      if (!this.take(",") && this.peek() !== close) throw this.malformed(this.at, "no comma between numbers");
    }
    return out;
  }

  isString(): boolean {
    return /^[ub]?['"]/.test(this.rest(2));
  }

  string(): string {
    if (/^[ub]/.test(this.rest(1))) this.at++;
    const quote = this.peek();
    if (quote !== "'" && quote !== '"') throw this.malformed(this.at, "something else where a string should be");
    const start = ++this.at;
    for (; this.text[this.at] !== quote; this.at++) {
      if (this.at >= this.text.length) throw this.malformed(start, "a string that does not end");
      if (this.text[this.at] === "\\") this.at++;
    }
    // Names of types and keys hold no escapes; field names may, and are skipped.
    return this.text.slice(start, this.at++);
  }

  boolean(): boolean {
    const word = this.word();
    if (word !== "True" && word !== "False") throw this.malformed(this.at, "something else where True or False should be");
    return word === "True";
  }

  /** Passes over any literal. */
  skip(depth = 0): void {
    if (depth > MOST_DEPTH) throw this.malformed(this.at, `values nested more than ${MOST_DEPTH} deep`);
    const open = this.peek();
    if (open === "{") {
      this.dict(() => this.skip(depth + 1));
      return;
    }
    if (open === "(" || open === "[") {
      this.at++;
      const close = open === "(" ? ")" : "]";
      while (!this.take(close)) {
        this.skip(depth + 1);
        if (!this.take(",") && this.peek() !== close) throw this.malformed(this.at, "no comma between values");
      }
      return;
    }
    if (this.isString()) this.string();
    else if (this.word() === "") throw this.malformed(this.at, "something else where a value should be");
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.peek() !== "") throw this.malformed(this.at, "more after its end");
  }

  private integer(): number {
    const word = this.word().replace(/L$/, "");
    const value = /^\d+$/.test(word) && word.length <= LARGEST_DIGITS ? Number(word) : NaN;
    if (!Number.isSafeInteger(value)) throw this.malformed(this.at, "something else where a whole number should be");
    return value;
  }

  private word(): string {
    this.peek();
    const start = this.at;
    while (/[\w+-]/.test(this.text[this.at] ?? "")) this.at++;
    return this.text.slice(start, this.at);
  }

  private expect(character: string): void {
    if (!this.take(character)) throw this.malformed(this.at, `something else where ${character} should be`);
  }

  private take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  /** The next character that is no white space; empty at the end. */
  private peek(): string {
    while (SPACE.test(this.text[this.at] ?? "")) this.at++;
    return this.text[this.at] ?? "";
  }

  private rest(length: number): string {
    this.peek();
    return this.text.slice(this.at, this.at + length);
  }
}
