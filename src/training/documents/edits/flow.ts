import { type Range, type TextEdit } from "../located";
import { beginsLine, firstInLine, indentAt, lineEnd, lineStart, nextLine } from "./lines";
import { type DocumentStyle } from "./style";

/** A comma or none, then a comment or none: nothing else follows in the line. */
const REST_OF_LINE = /^[ \t]*(,?)[ \t]*(?:#.*|\/\/.*)?$/;

/** The text of a part, for a line of the given indent. */
export type Write = (indent: string) => string;

/**
 * Puts a part between brackets, after one of its parts or after the last. A trailing comma stays trailing, a part in a
 * line of its own is followed by one in a line of its own, comments stay where they are.
 * @param container from bracket to bracket
 * @param writes the texts of one part or more, each for a line of the given indent
 * @returns null where the brackets hold something that is no part
 */
export function insertInFlow(text: string, container: Range, parts: readonly Range[], after: number | null, style: DocumentStyle, writes: readonly Write[]): TextEdit | null {
  const at = after ?? parts.length - 1;
  const previous = parts[at];
  if (previous === undefined) return insertFirst(text, container, style, writes);
  const end = lineEnd(text, previous.end);
  const rest = text.slice(previous.end, end);
  const match = REST_OF_LINE.exec(rest);
  const ownLine = beginsLine(text, previous.start) && lineStart(text, previous.start) > container.start && match !== null && end < container.end;
  if (!ownLine) {
    const indent = indentAt(text, firstInLine(text, previous.start));
    return { range: { start: previous.end, end: previous.end }, text: writes.map((write) => `, ${write(indent)}`).join("") };
  }
  const indent = indentAt(text, previous.start);
  const comma = match[1] === ",";
  const lines = writes.map((write) => `${style.lineBreak}${indent}${write(indent)}`).join(",");
  return { range: { start: previous.end, end }, text: `${comma ? "" : ","}${rest}${lines}${comma ? "," : ""}` };
}

function insertFirst(text: string, container: Range, style: DocumentStyle, writes: readonly Write[]): TextEdit | null {
  const inside = { start: container.start + 1, end: container.end - 1 };
  if (inside.end < inside.start || text.slice(inside.start, inside.end).trim() !== "") return null;
  const indent = indentAt(text, firstInLine(text, container.start));
  if (style.language !== "json" || !style.spread) return { range: inside, text: writes.map((write) => write(indent)).join(", ") };
  const inner = indent + style.unit;
  return { range: inside, text: `${writes.map((write) => `${style.lineBreak}${inner}${write(inner)}`).join(",")}${style.lineBreak}${indent}` };
}

/** Takes a part out from between brackets, with its comma, and its line where it has one to itself. */
export function removeFromFlow(text: string, container: Range, parts: readonly Range[], at: number): TextEdit | null {
  const part = parts[at];
  if (part === undefined) return null;
  const end = lineEnd(text, part.end);
  const match = REST_OF_LINE.exec(text.slice(part.end, end));
  const ownLine = beginsLine(text, part.start) && lineStart(text, part.start) > container.start && match !== null && end < container.end;
  const previous = parts[at - 1], next = parts[at + 1];
  if (!ownLine) {
    if (next !== undefined) return { range: { start: part.start, end: next.start }, text: "" };
    if (previous !== undefined) return { range: { start: previous.end, end: part.end }, text: "" };
    const comma = /^\s*,[ \t]*/.exec(text.slice(part.end))?.[0].length ?? 0;
    return { range: { start: part.start, end: part.end + comma }, text: "" };
  }
  const lines = { start: lineStart(text, part.start), end: nextLine(text, part.end) };
  if (next !== undefined || previous === undefined || match[1] === ",") return { range: lines, text: "" };
  // The last one without a comma: the one before it loses its own.
  return { range: { start: previous.end, end: lines.end }, text: text.slice(previous.end, lines.start).replace(",", "") };
}
