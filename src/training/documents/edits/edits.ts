import { entryOf, textOf, type ConfigDocument, type Located, type LocatedEntry, type LocatedMapping, type LocatedScalar, type LocatedSequence, type Range, type TextEdit } from "../located";
import { insertInFlow, removeFromFlow, type Write } from "./flow";
import { beginsLine, firstInLine, indentAt, lineEnd, lineStart, nextLine } from "./lines";
import { blockText, inlineText, keyText, scalarText, separator, type Plain } from "./plain";
import { styleOf, type DocumentStyle } from "./style";

/*
 * Every function gives one edit, or null where there is none that leaves the rest of the file as it is: in a text that
 * does not parse, and for values that stand elsewhere (anchors, names).
 */

/** Another scalar in the place of one, quoted as it was. */
export function replaceScalar(document: ConfigDocument, node: LocatedScalar, value: string | number | boolean | null): TextEdit | null {
  if (!document.whole) return null;
  const before = textOf(document.text, node.range);
  const mark = /^[rR]?(["'])/.exec(before)?.[1];
  if (/^[rR]?(?:"""|''')/.test(before) || /^[|>]/.test(before)) return null;
  const quote = mark === '"' || mark === "'" ? mark : typeof node.value === "string" && document.language === "yaml" ? "" : null;
  const text = scalarText(value, styleOf(document), quote);
  return { range: node.range, text: before === "" && document.language === "yaml" ? ` ${text}` : text };
}

/** Another value for a key, of any form. */
export function replaceValue(document: ConfigDocument, mapping: LocatedMapping, entry: LocatedEntry, value: Plain): TextEdit | null {
  if (!editable(document, mapping) || entry.borrowed) return null;
  if (entry.value.kind === "scalar" && (value === null || typeof value !== "object")) return replaceScalar(document, entry.value, value);
  const style = styleOf(document);
  const { text } = document;
  if (document.language !== "yaml" || mapping.style === "flow") {
    return { range: entry.value.range, text: inlineText(value, style, indentAt(text, firstInLine(text, entry.keyRange.start))) };
  }
  const colon = text.indexOf(":", entry.keyRange.end);
  // An anchor or a comment between the colon and the value would be lost.
  if (colon < 0 || text.slice(colon + 1, entry.value.range.start).trim() !== "") return null;
  return { range: { start: colon + 1, end: Math.max(colon + 1, entry.value.range.end) }, text: blockText(value, style, indentAt(text, entry.keyRange.start)) };
}

/** A new key at the end of a mapping, or after one of its entries. */
export function insertEntry(document: ConfigDocument, mapping: LocatedMapping, key: string, value: Plain, after: LocatedEntry | null = null): TextEdit | null {
  return insertEntries(document, mapping, [[key, value]], after);
}

/** Several new keys at one place, which are one edit: two edits at one place would come in either order. */
export function insertEntries(document: ConfigDocument, mapping: LocatedMapping, added: readonly (readonly [key: string, value: Plain])[], after: LocatedEntry | null = null): TextEdit | null {
  if (!editable(document, mapping) || added.length === 0 || added.some(([key]) => entryOf(mapping, key) !== null)) return null;
  const style = styleOf(document);
  const own = ownEntries(mapping);
  if (mapping.style === "block") return insertInBlock(document, mapping, own, after, style, added);
  const at = after === null ? -1 : own.indexOf(after);
  const writes = added.map(([key, value]): Write => (indent) => (mapping.call === null ? `${keyText(key, style)}${separator(style)}${inlineText(value, style, indent)}` : `${key}=${inlineText(value, style, indent)}`));
  return insertInFlow(document.text, mapping.range, partsOf(mapping, own), at < 0 ? null : at + (mapping.call?.positional.length ?? 0), style, writes);
}

function insertInBlock(document: ConfigDocument, mapping: LocatedMapping, own: readonly LocatedEntry[], after: LocatedEntry | null, style: DocumentStyle, added: readonly (readonly [key: string, value: Plain])[]): TextEdit | null {
  const { text, language } = document;
  const rows = language === "toml" ? own.filter((entry) => !isTable(entry.value)) : own;
  const first = rows[0];
  const previous = after !== null && rows.includes(after) ? after : rows.at(-1);
  const indent = first === undefined ? "" : indentAt(text, first.keyRange.start);
  const lines = added.map(([key, value]) => (language === "toml" ? `${keyText(key, style)} = ${inlineText(value, style, indent)}` : `${keyText(key, style)}:${blockText(value, style, indent)}`));
  if (previous === undefined) {
    if (language !== "toml") return null;
    // A table with nothing but its header, or a file that begins with one.
    const isRoot = mapping === document.root;
    const at = isRoot ? 0 : lineEnd(text, mapping.range.end);
    return { range: { start: at, end: at }, text: lines.map((line) => (isRoot ? `${line}${style.lineBreak}` : `${style.lineBreak}${line}`)).join("") };
  }
  const at = lineEnd(text, previous.range.end);
  return { range: { start: at, end: at }, text: lines.map((line) => `${style.lineBreak}${indent}${line}`).join("") };
}

/** Values of several keys: those that are there replaced, the others inserted by one edit. Null where one of them cannot be. */
export function setEntries(document: ConfigDocument, mapping: LocatedMapping, values: readonly (readonly [key: string, value: Plain])[], after: LocatedEntry | null = null): TextEdit[] | null {
  const missing = values.filter(([key]) => entryOf(mapping, key) === null);
  const replaced = values.flatMap(([key, value]) => {
    const entry = entryOf(mapping, key);
    return entry === null ? [] : [replaceValue(document, mapping, entry, value)];
  });
  const edits = missing.length === 0 ? replaced : [...replaced, insertEntries(document, mapping, missing, after)];
  return edits.every((edit) => edit !== null) ? edits : null;
}

/** The key's value replaced, or the key inserted. */
export function setEntry(document: ConfigDocument, mapping: LocatedMapping, key: string, value: Plain, after: LocatedEntry | null = null): TextEdit | null {
  const entry = entryOf(mapping, key);
  return entry === null ? insertEntry(document, mapping, key, value, after) : replaceValue(document, mapping, entry, value);
}

/** A key and its value taken out. Null for the only one of a block, which would leave nothing to stand for the mapping. */
export function removeEntry(document: ConfigDocument, mapping: LocatedMapping, entry: LocatedEntry): TextEdit | null {
  if (!editable(document, mapping) || entry.range.end < entry.keyRange.end) return null;
  const own = ownEntries(mapping);
  if (mapping.style === "flow") return removeFromFlow(document.text, mapping.range, partsOf(mapping, own), own.indexOf(entry) + (mapping.call?.positional.length ?? 0));
  return own.length > 1 || mapping === document.root ? removeLines(document.text, entry.range) : null;
}

/** An item taken out; null for the only one of a list with dashes. */
export function removeItem(document: ConfigDocument, sequence: LocatedSequence, item: Located): TextEdit | null {
  if (!document.whole) return null;
  const { text } = document;
  const at = sequence.items.indexOf(item);
  if (sequence.style === "flow") return removeFromFlow(text, sequence.range, sequence.items.map(({ range }) => range), at);
  if (document.language !== "yaml" || sequence.items.length < 2) return null;
  return removeLines(text, { start: text.lastIndexOf("-", item.range.start - 1), end: item.range.end });
}

function removeLines(text: string, range: Range): TextEdit | null {
  if (!beginsLine(text, range.start)) return null;
  const end = nextLine(text, range.end);
  const start = lineStart(text, range.start);
  // The last line of a file without a final break takes the break before it along.
  return end === text.length && !text.endsWith("\n") ? { range: { start: Math.max(0, start - (text.slice(0, start).endsWith("\r\n") ? 2 : 1)), end }, text: "" } : { range: { start, end }, text: "" };
}

function editable(document: ConfigDocument, mapping: LocatedMapping): boolean {
  return document.whole && mapping.completeness !== "broken";
}

/** Entries whose key stands in this mapping, not in one that was merged. */
function ownEntries(mapping: LocatedMapping): LocatedEntry[] {
  return mapping.entries.filter(({ keyRange }) => keyRange.start >= mapping.range.start && keyRange.end <= mapping.range.end);
}

function partsOf(mapping: LocatedMapping, own: readonly LocatedEntry[]): Range[] {
  return [...(mapping.call?.positional ?? []).map(({ range }) => range), ...own.map(({ range }) => range)].toSorted((a, b) => a.start - b.start);
}

function isTable(value: Located): boolean {
  return (value.kind === "mapping" || value.kind === "sequence") && value.style === "block";
}
