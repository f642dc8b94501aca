import { isAlias, isMap, isPair, isScalar, isSeq, Lexer, parseAllDocuments, type Alias, type Document, type Node, type Pair, type Scalar, type YAMLMap } from "yaml";
import { emptyMapping, textOf, type Located, type LocatedEntry, type LocatedMapping, type Range } from "./located";

/** What a config of YAML holds, and whether all of it parses. */
export interface ParsedYaml {
  readonly root: LocatedMapping | null;
  readonly comments: readonly Range[];
  readonly whole: boolean;
}

/** Anchors inside anchors can stand for more values than memory holds: beyond this many the rest stays unresolved. */
const VALUES_AT_MOST = 100_000;
/** Deeper nesting is no config. */
const DEPTH_AT_MOST = 60;

/** The libraries that read these files take YAML 1.1's words for yes and no (PyYAML), but not its `y` and `n`. */
const TRUE_WORDS = /^(?:yes|on)$/i;
const FALSE_WORDS = /^(?:no|off)$/i;
const GROUPED_INTEGER = /^[-+]?\d+(?:_\d+)+$/;

export const YAML_OPTIONS = { uniqueKeys: false, merge: true, strict: false, logLevel: "silent", prettyErrors: false } as const;

/** Reads the first document of a YAML text. Never throws. */
export function parseYaml(text: string): ParsedYaml {
  const documents = parseAllDocuments(text, YAML_OPTIONS);
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (document === undefined) return { root: null, comments: commentsOf(text), whole: true };
  const reader = new YamlReader(document, text);
  const contents = document.contents;
  return {
    root: isMap(contents) ? reader.mapping(contents, 0) : null,
    comments: commentsOf(text),
    whole: document.errors.length === 0 && !reader.incomplete,
  };
}

class YamlReader {
  incomplete = false;
  private readonly within = new Set<unknown>();
  private readonly targets = new Map<Alias, Node | undefined>();
  private values = 0;

  constructor(private readonly document: Document, private readonly text: string) {}

  mapping(map: YAMLMap, depth: number): LocatedMapping {
    const from = map.range?.[0] ?? 0;
    if (this.tooMuch(depth) || this.within.has(map)) return { ...emptyMapping(from), completeness: "open" };
    this.within.add(map);
    const merged: LocatedEntry[] = [];
    const own: LocatedEntry[] = [];
    let completeness: LocatedMapping["completeness"] = "whole";
    for (const pair of map.items) {
      const key = keyText(pair);
      if (key === "<<") {
        const others = this.merged(pair.value, depth);
        if (others === null) completeness = "open";
        else merged.push(...others);
      } else if (key !== null) own.push(this.entry(key, pair, from, depth));
    }
    this.within.delete(map);
    const flow = map.flow === true;
    const end = flow ? (map.range?.[1] ?? from) : (own.at(-1)?.range.end ?? map.range?.[1] ?? from);
    return { kind: "mapping", entries: [...merged, ...own], range: { start: from, end }, style: flow ? "flow" : "block", call: null, completeness };
  }

  private entry(key: string, pair: Pair, from: number, depth: number): LocatedEntry {
    const keyRange = rangeOf(pair.key, from);
    const value = this.value(pair.value, keyRange.end, depth + 1);
    return { key, keyRange, value, range: { start: keyRange.start, end: Math.max(keyRange.end, value.range.end) }, borrowed: isAlias(pair.value) };
  }

  /** The entries of `<<: *a` and `<<: [*a, *b]`, of which the earlier one counts; null where they are not to be found. */
  private merged(node: unknown, depth: number): LocatedEntry[] | null {
    if (isSeq(node)) {
      const each = node.items.map((item) => this.merged(item, depth));
      return each.some((entries) => entries === null) ? null : each.toReversed().flatMap((entries) => entries ?? []);
    }
    const target = isAlias(node) ? this.resolved(node) : node;
    if (!isMap(target) || this.within.has(target)) return null;
    return this.mapping(target, depth + 1).entries.map((entry) => ({ ...entry, borrowed: true }));
  }

  private value(node: unknown, after: number, depth: number): Located {
    const range = rangeOf(node, after);
    if (this.tooMuch(depth)) return { kind: "unresolved", range, why: "syntax" };
    if (isAlias(node)) {
      const target = this.resolved(node);
      // The value is that of the anchor, the place that of the alias.
      return target === undefined ? { kind: "unresolved", range, why: "expression" } : this.value(target, after, depth + 1);
    }
    if (isMap(node)) return this.mapping(node, depth);
    if (isSeq(node)) {
      if (this.within.has(node)) return { kind: "unresolved", range, why: "expression" };
      this.within.add(node);
      const items = node.items.map((item) => this.value(isPair(item) ? item.value : item, range.start, depth + 1));
      this.within.delete(node);
      const flow = node.flow === true;
      const end = flow ? range.end : Math.max(range.start + 1, items.at(-1)?.range.end ?? 0);
      return { kind: "sequence", items, range: { start: range.start, end }, style: flow ? "flow" : "block" };
    }
    if (isScalar(node)) return { kind: "scalar", value: scalarValue(node, textOf(this.text, range)), range: this.trimmed(range, node) };
    return { kind: "scalar", value: null, range: { start: after, end: after } };
  }

  /** Kept: finding an anchor walks through the document. */
  private resolved(alias: Alias): Node | undefined {
    if (!this.targets.has(alias)) this.targets.set(alias, alias.resolve(this.document));
    return this.targets.get(alias);
  }

  /** Block scalars end with their line break, which is not part of what an edit replaces. */
  private trimmed(range: Range, node: Scalar): Range {
    if (node.type !== "BLOCK_LITERAL" && node.type !== "BLOCK_FOLDED") return range;
    return { start: range.start, end: range.start + textOf(this.text, range).trimEnd().length };
  }

  private tooMuch(depth: number): boolean {
    this.values++;
    if (depth <= DEPTH_AT_MOST && this.values <= VALUES_AT_MOST) return false;
    this.incomplete = true;
    return true;
  }
}

function keyText(pair: Pair): string | null {
  const key = pair.key;
  if (!isScalar(key)) return null;
  if (key.type === "PLAIN" && typeof key.source === "string") return key.source;
  return typeof key.value === "symbol" ? "<<" : String(key.value);
}

function rangeOf(node: unknown, otherwise: number): Range {
  const range = isScalar(node) || isAlias(node) || isMap(node) || isSeq(node) ? node.range : null;
  return range ? { start: range[0], end: range[1] } : { start: otherwise, end: otherwise };
}

function scalarValue(node: Scalar, source: string): string | number | boolean | null {
  const value = node.value;
  if (node.type === "PLAIN" && typeof value === "string") {
    if (TRUE_WORDS.test(source)) return true;
    if (FALSE_WORDS.test(source)) return false;
    if (GROUPED_INTEGER.test(source)) return Number(source.replaceAll("_", ""));
  }
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return source;
}

/** A token that begins with the mark is a comment: plain text carries a control character of the lexer before it. */
function commentsOf(text: string): Range[] {
  const comments: Range[] = [];
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    if (LEXER_MARKS.has(token)) continue;
    if (token.startsWith("#")) comments.push({ start: offset, end: offset + token.length });
    offset += token.length;
  }
  return comments;
}

/** Tokens of the lexer that stand for no text: document mode, flow error, scalar (yaml's CST). */
const LEXER_MARKS = new Set(["\u0002", "\u0018", "\u001f"]);
