import { ParseError, parseTOML, type AST } from "toml-eslint-parser";
import { emptyMapping, type Located, type LocatedEntry, type LocatedMapping, type Range } from "./located";

export interface ParsedToml {
  readonly root: LocatedMapping | null;
  readonly comments: readonly Range[];
  readonly whole: boolean;
}

export const TOML_OPTIONS = { tomlVersion: "next" } as const;

/** A text with more lines than this that do not parse is no TOML. */
const BROKEN_LINES_AT_MOST = 20;

/**
 * Reads TOML. The parser stops at the first error: the line of the error is then left out, so that what stands around a
 * line being typed is still known. Never throws.
 */
export function parseToml(text: string): ParsedToml {
  let readable = text;
  let parsed = parsedOrFailed(readable);
  for (let left = 0; left < BROKEN_LINES_AT_MOST && "failedAt" in parsed; left++) {
    const { failedAt } = parsed;
    const before = /\S\s*$/.exec(readable.slice(0, failedAt))?.index ?? failedAt;
    // What is missing at the end of a line is only missed at the start of the next: the line whose absence gets further counts.
    const tries = [failedAt, before].map((offset) => withoutLine(readable, offset)).map((candidate) => ({ candidate, result: parsedOrFailed(candidate) }));
    const best = tries.reduce((a, b) => (reach(b.result) > reach(a.result) ? b : a));
    if (best.candidate === readable) break;
    readable = best.candidate;
    parsed = best.result;
  }
  if ("failedAt" in parsed) return { root: null, comments: [], whole: false };
  return { root: rootOf(parsed), comments: parsed.comments.map(rangeOf), whole: readable === text };
}

interface Failed {
  readonly failedAt: number;
}

function parsedOrFailed(text: string): AST.TOMLProgram | Failed {
  try {
    return parseTOML(text, TOML_OPTIONS);
  } catch (error) {
    if (error instanceof ParseError) return { failedAt: error.index };
    throw error;
  }
}

function reach(result: AST.TOMLProgram | Failed): number {
  return "failedAt" in result ? result.failedAt : Infinity;
}

/** Blank where the line was, so that every other offset stays. */
function withoutLine(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const next = text.indexOf("\n", offset);
  const stop = next < 0 ? text.length : next;
  return text.slice(0, start) + " ".repeat(stop - start) + text.slice(stop);
}

function rootOf(program: AST.TOMLProgram): LocatedMapping {
  const root: LocatedEntry[] = [];
  const [top] = program.body;
  for (const element of top.body) {
    if (element.type === "TOMLKeyValue") root.push(entry(element));
    else addTable(root, element);
  }
  const direct = root.filter((e) => !isTable(e.value));
  return { ...emptyMapping(0), entries: root, range: { start: direct[0]?.range.start ?? 0, end: direct.at(-1)?.range.end ?? 0 } };
}

function isTable(value: Located): boolean {
  return value.kind === "mapping" && value.style === "block";
}

/** `[a.b]` and `[[a.b]]`: the outer tables are made where no header of their own made them. */
function addTable(root: LocatedEntry[], table: AST.TOMLTable): void {
  const path = table.key.keys.map(keyText);
  const last = path.at(-1);
  if (last === undefined) return;
  let entries = root;
  for (const key of path.slice(0, -1)) entries = entriesUnder(entries, key, rangeOf(table.key));
  const own = table.body.map(entry);
  const range = { start: rangeOf(table).start, end: own.at(-1)?.range.end ?? headerEnd(table) };
  const value: LocatedMapping = { kind: "mapping", entries: own, range, style: "block", call: null, completeness: "whole" };
  const keyRange = rangeOf(table.key);
  if (table.kind === "standard") {
    entries.push({ key: last, keyRange, value, range, borrowed: false });
    return;
  }
  const before = entries.findIndex((e) => e.key === last && e.value.kind === "sequence");
  const items = before < 0 ? [] : (entries[before]?.value as { items: readonly Located[] }).items;
  const sequence: LocatedEntry = { key: last, keyRange, value: { kind: "sequence", items: [...items, value], range, style: "block" }, range, borrowed: false };
  if (before < 0) entries.push(sequence);
  else entries[before] = sequence;
}

function headerEnd(table: AST.TOMLTable): number {
  return rangeOf(table.key).end + (table.kind === "array" ? "]]".length : "]".length);
}

/** The entries of the table under `key`, which is made where there is none; of an array of tables, those of its last. */
function entriesUnder(entries: LocatedEntry[], key: string, at: Range): LocatedEntry[] {
  const found = entries.findLast((e) => e.key === key)?.value;
  const table = found?.kind === "sequence" ? found.items.at(-1) : found;
  // The entries of a mapping made here are this file's own array.
  if (table?.kind === "mapping") return table.entries as LocatedEntry[];
  const made: LocatedEntry[] = [];
  const value: LocatedMapping = { kind: "mapping", entries: made, range: at, style: "block", call: null, completeness: "open" };
  entries.push({ key, keyRange: at, value, range: at, borrowed: false });
  return made;
}

/** `a.b = 1` is an entry `a` that holds a mapping with `b`. */
function entry(node: AST.TOMLKeyValue): LocatedEntry {
  const keys = node.key.keys;
  const range = rangeOf(node);
  let value = valueOf(node.value);
  for (let at = keys.length - 1; at > 0; at--) {
    const key = keys[at]!;
    const inner: LocatedEntry = { key: keyText(key), keyRange: rangeOf(key), value, range, borrowed: false };
    value = { kind: "mapping", entries: [inner], range, style: "flow", call: null, completeness: "open" };
  }
  return { key: keyText(keys[0]!), keyRange: rangeOf(node.key), value, range, borrowed: false };
}

function valueOf(node: AST.TOMLContentNode): Located {
  const range = rangeOf(node);
  if (node.type === "TOMLArray") return { kind: "sequence", items: node.elements.map(valueOf), range, style: "flow" };
  if (node.type === "TOMLInlineTable") return { kind: "mapping", entries: node.body.map(entry), range, style: "flow", call: null, completeness: "whole" };
  const value = node.value;
  if (value instanceof Date) return { kind: "unresolved", range, why: "expression" };
  return { kind: "scalar", value, range };
}

function keyText(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === "TOMLBare" ? key.name : key.value;
}

function rangeOf(node: { readonly range: readonly [number, number] }): Range {
  return { start: node.range[0], end: node.range[1] };
}
