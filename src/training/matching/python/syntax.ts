/** A regular expression of Python's `re`, taken apart. Matching works on code points, as Python's does on `str`. */
export type Expression =
  | { readonly kind: "character"; readonly has: CharacterSet }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  | { readonly kind: "choice"; readonly branches: readonly Expression[] }
  | { readonly kind: "repeat"; readonly part: Expression; readonly least: number; readonly most: number; readonly mode: "greedy" | "lazy" | "possessive" }
  | { readonly kind: "group"; readonly part: Expression; readonly number: number }
  | { readonly kind: "look"; readonly part: Expression; readonly ahead: boolean; readonly negative: boolean }
  | { readonly kind: "atomic"; readonly part: Expression }
  | { readonly kind: "at"; readonly where: Place };

/** Whether a code point belongs. */
export type CharacterSet = (code: number) => boolean;

/** `finalNewline`: Python's `$`, at the end or before a newline there. */
export type Place = "start" | "end" | "finalNewline" | "lineStart" | "lineEnd" | "boundary" | "notBoundary";

/**
 * Why an expression is not used: Python itself refuses it (`invalid`), or it has what RankLens does not decide
 * (`unsupported`): back references, conditions, verbose mode, names of characters.
 */
export class PatternFault extends Error {
  override readonly name = "PatternFault";
  /** @param at offset in the expression */
  constructor(readonly reason: "invalid" | "unsupported", message: string, readonly at: number) {
    super(message);
  }
}
