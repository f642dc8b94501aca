/** Half-open, in UTF-16 code units of the document's text, as editors count. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** One edit of a text: what is in `range` becomes `text`. */
export interface TextEdit {
  readonly range: Range;
  readonly text: string;
}

export type DocumentLanguage = "yaml" | "json" | "toml" | "python";

/** A value of a config, and where it stands: the same for every language. */
export type Located = LocatedScalar | LocatedSequence | LocatedMapping | LocatedUnresolved;

export interface LocatedScalar {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** Of the value as written, with its quotes. Empty where a key has no value. */
  readonly range: Range;
}

export interface LocatedSequence {
  readonly kind: "sequence";
  readonly items: readonly Located[];
  readonly range: Range;
  /** In lines of their own with dashes (YAML), or between brackets. */
  readonly style: "block" | "flow";
}

/** A mapping, or a call in Python with its keyword arguments as entries. */
export interface LocatedMapping {
  readonly kind: "mapping";
  /** In the order in which they hold: of two with one key the later counts. */
  readonly entries: readonly LocatedEntry[];
  /** With the brackets, or from the first key to the end of the last value. Of a call: its parentheses and what is between. */
  readonly range: Range;
  readonly style: "block" | "flow";
  /** Of a call: what is called. */
  readonly call: LocatedCall | null;
  /**
   * `open` where other entries may come from elsewhere (`**kwargs`), so that absence proves nothing;
   * `broken` where the text does not parse within it.
   */
  readonly completeness: "whole" | "open" | "broken";
}

export interface LocatedCall {
  /** As written, with its dots: `peft.LoraConfig`. */
  readonly name: string;
  readonly range: Range;
  /** Arguments without a keyword. */
  readonly positional: readonly Located[];
}

export interface LocatedEntry {
  readonly key: string;
  /** Of the key as written, with its quotes. */
  readonly keyRange: Range;
  readonly value: Located;
  /** From the key to the end of the value. */
  readonly range: Range;
  /**
   * True where the entry stands elsewhere than in its mapping: through an anchor, a merge, a name that was given its
   * value above. It is read there, but an edit there could change more than this mapping.
   */
  readonly borrowed: boolean;
}

/** Something that only a run would tell: an interpolation, an expression, a value that is being typed. No claim is made about it. */
export interface LocatedUnresolved {
  readonly kind: "unresolved";
  readonly range: Range;
  readonly why: "interpolation" | "expression" | "syntax";
}

/** A config as it stands in an editor. */
export interface ConfigDocument {
  readonly language: DocumentLanguage;
  /** The name of the file without its folder, or of the editor's tab. */
  readonly fileName: string;
  readonly text: string;
  /** Of YAML, JSON and TOML: the document (the first, of several). Null where there is none, and in Python. */
  readonly root: LocatedMapping | null;
  /** Of Python: every call, in the order of the text. Empty elsewhere. */
  readonly calls: readonly LocatedMapping[];
  /** Comments with their marks, in the order of the text. */
  readonly comments: readonly Range[];
  /** False while the text does not parse: what is absent may only not be typed yet. In Python each call says so for itself. */
  readonly whole: boolean;
}

export function textOf(text: string, range: Range): string {
  return text.slice(range.start, range.end);
}

export function emptyMapping(at: number): LocatedMapping {
  return { kind: "mapping", entries: [], range: { start: at, end: at }, style: "block", call: null, completeness: "whole" };
}

/** The entry that holds, of several with one key. */
export function entryOf(mapping: LocatedMapping, key: string): LocatedEntry | null {
  return mapping.entries.findLast((entry) => entry.key === key) ?? null;
}

/** The mapping under a path of keys. */
export function mappingAt(mapping: LocatedMapping, ...path: readonly string[]): LocatedMapping | null {
  let here: LocatedMapping = mapping;
  for (const key of path) {
    const value = entryOf(here, key)?.value;
    if (value?.kind !== "mapping") return null;
    here = value;
  }
  return here;
}

/** The string under a path of keys; null where there is none, or only a run tells. */
export function stringAt(mapping: LocatedMapping, ...path: readonly string[]): string | null {
  const parent = mappingAt(mapping, ...path.slice(0, -1));
  const value = parent === null ? null : entryOf(parent, path.at(-1) ?? "")?.value;
  return value?.kind === "scalar" && typeof value.value === "string" ? value.value : null;
}
