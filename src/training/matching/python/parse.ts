import { cased, characterClass, dot, literal, NO_FLAGS, range, type Flags } from "./characters";
import { PatternFault, type CharacterSet, type Expression } from "./syntax";

/** Python's MAXREPEAT, less one. */
const MOST_REPEATS = 4_294_967_294;
const DEEPEST = 100;
const CONTROL: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7 };
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const REPEAT = /^\{(?:(\d+)(,(\d*))?|,(\d+))\}|^\{,\}/;
const GLOBAL_FLAGS = /^\(\?([aiLmsux]+)\)/;
const SCOPED_FLAGS = /^\(\?([aiLmsux]*)(?:-([imsx]+))?:/;
const NAMED = /^\(\?P<([A-Za-z_]\w*)>/;

/**
 * Parses an expression as `re` of Python 3.11 and later does (docs.python.org/3/library/re.html, "Regular Expression Syntax").
 * @throws PatternFault
 */
export function parsePython(source: string): Expression {
  return new Parser(source).all();
}

class Parser {
  private at = 0;
  private groups = 0;
  private readonly names = new Set<string>();
  private depth = 0;
  private flags = NO_FLAGS;

  constructor(private readonly source: string) {}

  all(): Expression {
    for (let flags = GLOBAL_FLAGS.exec(this.source); flags !== null; flags = GLOBAL_FLAGS.exec(this.source.slice(this.at))) {
      this.flags = this.flagged(this.flags, flags[1]!, "");
      this.at += flags[0].length;
    }
    const parsed = this.choice();
    if (this.at < this.source.length) throw this.invalid("a closing parenthesis without its opening one");
    return parsed;
  }

  private choice(): Expression {
    if (++this.depth > DEEPEST) throw new PatternFault("unsupported", `groups nested more than ${DEEPEST} deep`, this.at);
    const branches = [this.sequence()];
    while (this.take("|")) branches.push(this.sequence());
    this.depth--;
    return branches.length === 1 ? branches[0]! : { kind: "choice", branches };
  }

  private sequence(): Expression {
    const parts: Expression[] = [];
    for (;;) {
      const next = this.source[this.at];
      if (next === undefined || next === "|" || next === ")") return { kind: "sequence", parts };
      const part = this.item();
      if (part !== null) parts.push(this.repeated(part));
      else if (this.isRepeat()) throw new PatternFault("unsupported", "a repeat after a comment", this.at);
    }
  }

  /** One item; null for a comment, which is nothing. */
  private item(): Expression | null {
    const start = this.at;
    const character = this.next();
    switch (character) {
      case ".": return { kind: "character", has: dot(this.flags) };
      case "^": return { kind: "at", where: this.flags.multiline ? "lineStart" : "start" };
      case "$": return { kind: "at", where: this.flags.multiline ? "lineEnd" : "finalNewline" };
      case "[": return { kind: "character", has: this.set(start) };
      case "(": return this.group(start);
      case "\\": return this.escape();
      case "*": case "+": case "?": throw new PatternFault("invalid", "nothing to repeat", start);
      case "{":
        this.at = start;
        if (REPEAT.test(this.source.slice(start))) throw this.invalid("nothing to repeat");
        this.at++;
        return this.literal(character);
      default: return this.literal(character);
    }
  }

  private literal(character: string): Expression {
    return { kind: "character", has: literal(character.codePointAt(0)!, this.flags) };
  }

  private repeated(part: Expression): Expression {
    const found = this.repeat();
    if (found === null) return part;
    if (part.kind === "at") throw this.invalid("nothing to repeat");
    const mode = this.take("?") ? "lazy" : this.take("+") ? "possessive" : "greedy";
    if (this.isRepeat()) throw this.invalid("a repeat of a repeat");
    return { kind: "repeat", part, ...found, mode };
  }

  private repeat(): { least: number; most: number } | null {
    if (this.take("*")) return { least: 0, most: Infinity };
    if (this.take("+")) return { least: 1, most: Infinity };
    if (this.take("?")) return { least: 0, most: 1 };
    const counted = REPEAT.exec(this.source.slice(this.at));
    if (counted === null) return null;
    const [whole, least, comma, most, upTo] = counted;
    this.at += whole.length;
    const from = Number(least ?? 0);
    const to = upTo !== undefined ? Number(upTo) : comma === undefined && least !== undefined ? from : most === undefined || most === "" ? Infinity : Number(most);
    if (to < from) throw this.invalid("a repeat whose least is more than its most");
    if (from > MOST_REPEATS) throw this.invalid("too large a repeat");
    return { least: from, most: to };
  }

  private isRepeat(): boolean {
    return /^[*+?]/.test(this.source.slice(this.at)) || REPEAT.test(this.source.slice(this.at));
  }

  private group(start: number): Expression | null {
    const rest = this.source.slice(start);
    if (!rest.startsWith("(?")) return this.captured();
    const named = NAMED.exec(rest);
    if (named !== null) {
      if (this.names.has(named[1]!)) throw new PatternFault("invalid", `the group ${named[1]!} a second time`, start);
      this.names.add(named[1]!);
      this.at = start + named[0].length;
      return this.captured();
    }
    for (const [opening, make] of OPENINGS) {
      if (!rest.startsWith(opening)) continue;
      this.at = start + opening.length;
      return make(this.closed());
    }
    if (rest.startsWith("(?#")) {
      const end = this.source.indexOf(")", start);
      if (end < 0) throw this.invalid("a comment that does not end");
      this.at = end + 1;
      return null;
    }
    if (rest.startsWith("(?P=")) throw new PatternFault("unsupported", "a back reference", start);
    if (rest.startsWith("(?(")) throw new PatternFault("unsupported", "a condition on a group", start);
    const scoped = SCOPED_FLAGS.exec(rest);
    if (scoped !== null) {
      this.at = start + scoped[0].length;
      const before = this.flags;
      this.flags = this.flagged(before, scoped[1]!, scoped[2] ?? "");
      const part = this.closed();
      this.flags = before;
      return part;
    }
    throw new PatternFault("invalid", GLOBAL_FLAGS.test(rest) ? "flags that are not at the start of the expression" : "an unknown extension of a group", start);
  }

  private captured(): Expression {
    const number = ++this.groups;
    return { kind: "group", part: this.closed(), number };
  }

  private closed(): Expression {
    const part = this.choice();
    if (!this.take(")")) throw this.invalid("a group that is not closed");
    return part;
  }

  private flagged(flags: Flags, on: string, off: string): Flags {
    if (on.includes("L")) throw this.invalid("the flag L, which text does not have");
    if (on.includes("x")) throw new PatternFault("unsupported", "the verbose flag x", this.at);
    const set = (letter: string, before: boolean): boolean => (off.includes(letter) ? false : before || on.includes(letter));
    return { ignoreCase: set("i", flags.ignoreCase), dotAll: set("s", flags.dotAll), multiline: set("m", flags.multiline), ascii: on.includes("u") ? false : set("a", flags.ascii) };
  }

  private escape(): Expression {
    const start = this.at - 1;
    const letter = this.next("an expression that ends in a backslash");
    switch (letter) {
      case "A": return { kind: "at", where: "start" };
      case "Z": return { kind: "at", where: "end" };
      case "b": return { kind: "at", where: "boundary" };
      case "B": return { kind: "at", where: "notBoundary" };
      case "d": case "D": case "w": case "W": case "s": case "S": return { kind: "character", has: characterClass(letter, this.flags) };
    }
    if (/[1-9]/.test(letter) && !/^[0-7]{3}/.test(this.source.slice(this.at - 1))) throw new PatternFault("unsupported", "a back reference", start);
    return { kind: "character", has: literal(this.escapedCode(letter, start), this.flags) };
  }

  /** The code point of an escape that stands for one, after its first letter. */
  private escapedCode(letter: string, start: number): number {
    const control = CONTROL[letter];
    if (control !== undefined) return control;
    const digits = HEX_DIGITS[letter];
    if (digits !== undefined) {
      const hex = this.source.slice(this.at, this.at + digits);
      if (!/^[0-9A-Fa-f]+$/.test(hex) || hex.length < digits || parseInt(hex, 16) > 0x10ffff) throw new PatternFault("invalid", `an incomplete escape \\${letter}`, start);
      this.at += digits;
      return parseInt(hex, 16);
    }
    if (/[0-7]/.test(letter)) {
      const octal = /^[0-7]{1,3}/.exec(this.source.slice(this.at - 1))![0];
      this.at += octal.length - 1;
      if (parseInt(octal, 8) > 0o377) throw new PatternFault("invalid", "an octal escape above \\377", start);
      return parseInt(octal, 8);
    }
    if (letter === "N") throw new PatternFault("unsupported", "a character by its name", start);
    if (/[A-Za-z0-9]/.test(letter)) throw new PatternFault("invalid", `a bad escape \\${letter}`, start);
    return letter.codePointAt(0)!;
  }

  private set(start: number): CharacterSet {
    const unclosed = "a set that is not closed";
    const negated = this.take("^");
    const members: CharacterSet[] = [];
    for (let first = true; first || this.source[this.at] !== "]"; first = false) {
      const from = this.member(unclosed);
      if (this.source[this.at] === "-" && this.source[this.at + 1] !== "]" && this.at + 1 < this.source.length) {
        this.at++;
        const to = this.member(unclosed);
        if (typeof from !== "number" || typeof to !== "number" || to < from) throw new PatternFault("invalid", "a bad range in a set", start);
        members.push(range(from, to));
      } else members.push(typeof from === "number" ? range(from, from) : from);
      if (this.at >= this.source.length) throw new PatternFault("invalid", unclosed, start);
    }
    this.at++;
    const has = cased((code) => members.some((member) => member(code)), this.flags);
    return negated ? (code) => !has(code) : has;
  }

  private member(unclosed: string): number | CharacterSet {
    const start = this.at;
    const character = this.next(unclosed);
    if (character !== "\\") return character.codePointAt(0)!;
    const letter = this.next(unclosed);
    if (/[dDwWsS]/.test(letter)) return characterClass(letter, this.flags);
    if (letter === "b") return 8;
    if (/[89]/.test(letter)) throw new PatternFault("invalid", `a bad escape \\${letter}`, start);
    return this.escapedCode(letter, start);
  }

  private next(missing = "an expression that ends too early"): string {
    const code = this.source.codePointAt(this.at);
    if (code === undefined) throw this.invalid(missing);
    const character = String.fromCodePoint(code);
    this.at += character.length;
    return character;
  }

  private take(character: string): boolean {
    if (this.source[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private invalid(what: string): PatternFault {
    return new PatternFault("invalid", what, this.at);
  }
}

const look = (ahead: boolean, negative: boolean) => (part: Expression): Expression => ({ kind: "look", part, ahead, negative });
const OPENINGS: readonly (readonly [string, (part: Expression) => Expression])[] = [
  ["(?:", (part) => part],
  ["(?=", look(true, false)], ["(?!", look(true, true)], ["(?<=", look(false, false)], ["(?<!", look(false, true)],
  ["(?>", (part) => ({ kind: "atomic", part })],
];
