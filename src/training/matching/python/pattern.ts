import { parsePython } from "./parse";
import { compile, type Program } from "./program";
import { run } from "./run";
import { PatternFault } from "./syntax";

/** A regular expression with the meaning that it has in Python's `re`, safe to run on any text. */
export class PythonPattern {
  private constructor(private readonly program: Program) {}

  /** The expression, or why it cannot be used. */
  static of(source: string): PythonPattern | PatternFault {
    if (source.length > LONGEST) return new PatternFault("unsupported", `an expression of more than ${LONGEST} characters`, LONGEST);
    try {
      return new PythonPattern(compile(parsePython(source)));
    } catch (error) {
      if (error instanceof PatternFault) return error;
      throw error;
    }
  }

  /** `re.fullmatch` */
  matchesAll(text: string): boolean {
    return run(this.program, codePoints(text), 0, true) !== null;
  }

  /** `re.match`: from the start, not necessarily to the end. */
  matchesStart(text: string): boolean {
    return run(this.program, codePoints(text), 0, false) !== null;
  }

  /** Text of one group of `re.match`: null when the expression does not match, undefined when the group took no part. */
  group(number: number, text: string): string | null | undefined {
    const points = codePoints(text);
    const slots = run(this.program, points, 0, false);
    if (slots === null) return null;
    const from = slots[2 * number], to = slots[2 * number + 1];
    return from === undefined || to === undefined ? undefined : String.fromCodePoint(...points.slice(from, to));
  }
}

/** An alternative of 1,000 module names is shorter. */
const LONGEST = 100_000;

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0)!);
}
