import type { ConfigFacts, TextRange } from "../shared/configReading";
import { printable } from "../engine/printable";
import type { CheckedFile } from "./checkCommand";

/** `path:line:column: severity: sentence [code]`, as compilers write and editors read it, and a line of facts for each config. */
export function checkText(files: readonly CheckedFile[]): string {
  const known = files.filter(({ reading }) => reading.configs.length > 0 || reading.findings.length > 0);
  const lines = known.flatMap(({ path, text, reading }) => [
    ...reading.configs.map((config) => `${path}:${positionOf(text, config.range.start).line}: ${factsText(config)}`),
    ...reading.findings.map(({ range, severity, message, code }) => {
      const { line, column } = positionOf(text, range.start);
      return `${path}:${line}:${column}: ${severity}: ${message} [${code}]`;
    }),
  ]);
  const count = known.reduce((sum, { reading }) => sum + reading.findings.length, 0);
  const where = known.length === 1 ? "1 file" : `${known.length} files`;
  return `${[...lines, count === 0 ? `Nothing to correct in ${where}.` : `${count === 1 ? "1 finding" : `${count} findings`} in ${where}.`].map(printable).join("\n")}\n`;
}

function factsText({ ecosystem, base, counts }: ConfigFacts): string {
  const name = base.name ?? "no base model named";
  const state = base.state === "found" ? base.remark : `base model not read: ${base.remark} Only what needs none was checked; --base names one.`;
  return [ecosystem, name, counts, state].filter((part) => part !== null && part !== "").join(" · ");
}

/** The schema is stable: other programs read it. Lines and columns count from 1, columns in UTF-16 code units. */
export function checkJson(files: readonly CheckedFile[]): string {
  const written = files.map(({ path, text, reading: { configs, findings } }) => ({
    path,
    configs: configs.map(({ ecosystem, base, counts, range }) => ({ ecosystem, line: positionOf(text, range.start).line, base, counts })),
    findings: findings.map(({ code, severity, message, range, link, fixes }) => ({ code, severity, message, ...span(text, range), link, fixes: fixes.map(({ title }) => title) })),
  }));
  return `${JSON.stringify({ schema: "ranklens.check/1", files: written }, null, 2)}\n`;
}

function span(text: string, { start, end }: TextRange): { line: number; column: number; endLine: number; endColumn: number } {
  const from = positionOf(text, start), to = positionOf(text, end);
  return { ...from, endLine: to.line, endColumn: to.column };
}

function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - (before.lastIndexOf("\n") + 1) + 1 };
}
