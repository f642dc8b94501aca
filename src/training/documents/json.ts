import { createScanner, parseTree, type Node, type ParseError, type SyntaxKind } from "jsonc-parser";
import { type Located, type LocatedEntry, type LocatedMapping, type Range } from "./located";

export interface ParsedJson {
  readonly root: LocatedMapping | null;
  readonly comments: readonly Range[];
  readonly whole: boolean;
}

export const JSON_OPTIONS = { allowTrailingComma: true, disallowComments: false } as const;

/** Reads JSON, with comments and trailing commas where somebody writes them. Never throws. */
export function parseJson(text: string): ParsedJson {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, JSON_OPTIONS);
  return { root: root?.type === "object" ? mapping(root) : null, comments: commentsOf(text), whole: errors.length === 0 };
}

function mapping(node: Node): LocatedMapping {
  const entries: LocatedEntry[] = [];
  let completeness: LocatedMapping["completeness"] = "whole";
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key === undefined || value === undefined) {
      completeness = "broken";
      continue;
    }
    const keyRange = rangeOf(key);
    const located = valueOf(value);
    entries.push({ key: String(key.value), keyRange, value: located, range: { start: keyRange.start, end: located.range.end }, borrowed: false });
  }
  return { kind: "mapping", entries, range: rangeOf(node), style: "flow", call: null, completeness };
}

function valueOf(node: Node): Located {
  const range = rangeOf(node);
  if (node.type === "object") return mapping(node);
  if (node.type === "array") return { kind: "sequence", items: (node.children ?? []).map(valueOf), range, style: "flow" };
  const value: unknown = node.value;
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return { kind: "scalar", value, range };
  return { kind: "unresolved", range, why: "syntax" };
}

function rangeOf(node: Node): Range {
  return { start: node.offset, end: node.offset + node.length };
}

/** jsonc-parser's own numbers: its enumeration is not there at run time. */
const LINE_COMMENT = 12 satisfies SyntaxKind.LineCommentTrivia;
const BLOCK_COMMENT = 13 satisfies SyntaxKind.BlockCommentTrivia;
const END_OF_FILE = 17 satisfies SyntaxKind.EOF;

function commentsOf(text: string): Range[] {
  const comments: Range[] = [];
  // Scanning twice is not free, and hardly any JSON has comments.
  if (!text.includes("//") && !text.includes("/*")) return comments;
  const scanner = createScanner(text, false);
  for (let kind: number = scanner.scan(); kind !== END_OF_FILE; kind = scanner.scan()) {
    if (kind === LINE_COMMENT || kind === BLOCK_COMMENT) comments.push({ start: scanner.getTokenOffset(), end: scanner.getPosition() });
  }
  return comments;
}
