import type { ConfigDocument } from "../documents/located";
import { textOf } from "../documents/located";

/*
 * `# ranklens-disable-next-line CODE, CODE` hides findings that begin in the next line, `# ranklens-disable-line` those of
 * its own line, `# ranklens-disable` those of the whole file; without a code, all.
 */
const SWITCH = /\branklens-disable(-next-line|-line)?\b[ \t:]*([\w\-/, \t]*)/;

/** Whether the file's comments switch a finding off. */
export function switchedOff(document: ConfigDocument): (code: string, offset: number) => boolean {
  const { text } = document;
  const rules = document.comments.flatMap((comment) => {
    const match = SWITCH.exec(textOf(text, comment));
    if (match === null) return [];
    const codes = (match[2] ?? "").split(/[\s,]+/).filter((code) => code !== "").map((code) => code.replace(/^ranklens\//, ""));
    const line = lineOf(text, comment.start);
    return [{ codes, line: match[1] === undefined ? null : match[1] === "-line" ? line : line + 1 }];
  });
  if (rules.length === 0) return () => false;
  return (code, offset) => rules.some(({ codes, line }) => (line === null || line === lineOf(text, offset)) && (codes.length === 0 || codes.includes(code)));
}

function lineOf(text: string, offset: number): number {
  let line = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
