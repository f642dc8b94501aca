import type { ConfigFix } from "../../shared/configReading";
import { firstInLine, indentAt, lineStart } from "../documents/edits/lines";
import { styleOf } from "../documents/edits/style";
import type { ConfigDocument } from "../documents/located";

/** Hides a finding by a comment above its line; JSON has no comments. */
export function suppress(document: ConfigDocument, code: string, at: number): ConfigFix[] {
  if (document.language === "json") return [];
  const { text } = document;
  const start = lineStart(text, at);
  const comment = `${indentAt(text, firstInLine(text, start))}# ranklens-disable-next-line ${code}${styleOf(document).lineBreak}`;
  return [{ title: `Hide ${code} here`, edits: [{ range: { start, end: start }, text: comment }], isPreferred: false, isSafe: false }];
}
