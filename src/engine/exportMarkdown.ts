import { basename } from "node:path";
import { fullRank } from "../shared/fullRank";
import type { LayerRow } from "../shared/report";
import { byReason, unmeasured, untold, type ReportData } from "./export";
import { formatLabel } from "../shared/formatLabel";
import { bytesText, countText, estimateText, percentText, rankText } from "../shared/figures";
import { groupLayers } from "./layers";
import { printable } from "./printable";

/** Names given for each reason; the count says how many there are. */
const NAMES_PER_REASON = 3;

const HEAD = [
  "| Layer | Kind | Matrix | K | Effective rank | Stable rank | Utilization | 90 % | 95 % | 99 % |",
  "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
];

/** A report for people: a summary, a line for each layer and its parts, and what was not measured by reason. */
export function reportAsMarkdown(report: ReportData): string {
  const { path, format, parameters, bytes, tensors, notes } = report.summary;
  const groups = groupLayers(report.rows);
  const facts = [formatLabel(format), `${countText(parameters)} parameters`, bytesText(bytes), `${tensors} ${tensors === 1 ? "tensor" : "tensors"}`, ...notes].map(prose);
  const lines = [`# Ranks of ${code(basename(path))}`, "", facts.join(" · "), ""];
  if (groups.length > 0) {
    lines.push(...HEAD);
    for (const { main, mean, children } of groups) {
      lines.push(line(main, `${code(main.name)}${mean ? ` (mean of ${children.length} parts)` : ""}`));
      for (const child of children) lines.push(line(child, `↳ ${code(child.part ?? child.unfolding)}`));
    }
    lines.push("", "K is the largest rank that the matrix can have: its smaller side, or the rank of its factors. Utilization is the effective rank divided by K; 90 %, 95 % and 99 % are the ranks that keep so much of the energy Σσ².", "");
  }
  const reasons = byReason(unmeasured(report));
  if (reasons.size > 0) lines.push("## Not measured", "", ...[...reasons].map(([reason, names]) => reasonLine(reason, names)), "");
  return lines.join("\n");
}

function line(row: LayerRow, name: string): string {
  const matrix = `${row.matrix[0]} × ${row.matrix[1]}`;
  const k = String(fullRank(row));
  const m = row.measures;
  const figures = m === null
    ? [row.state === "failed" ? "failed" : "–", row.first === null ? "–" : estimateText(row.first.stableRank), "–", "–", "–", "–"]
    : [rankText(m.effectiveRank), rankText(m.stableRank), percentText(m.utilization), ...[m.energyRank["0.9"], m.energyRank["0.95"], m.energyRank["0.99"]].map(rankText)];
  return `| ${[name, row.kind, matrix, k, ...figures].join(" | ")} |`;
}

function reasonLine(reason: string, names: readonly string[]): string {
  const told = untold(reason, names);
  const shown = told.slice(0, NAMES_PER_REASON).map(code).join(", ");
  const more = names.length - NAMES_PER_REASON;
  return `- ${names.length} × ${prose(reason)}${shown === "" ? "" : `: ${shown}`}${more > 0 ? ` and ${more} more` : ""}`;
}

/**
 * A name as code. Names come from the file: where one holds more than letters, digits and plain punctuation,
 * all else is written as entities, which neither Markdown nor HTML reads as markup.
 */
function code(name: string): string {
  const text = printable(name);
  return /^[\w./:() -]+$/.test(text) ? `\`${text}\`` : `<code>${entities(text)}</code>`;
}

/** A sentence that may quote a name. */
function prose(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>|~&#]/g, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

function entities(text: string): string {
  return text.replace(/[^\p{L}\p{N} ./:()-]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`);
}
