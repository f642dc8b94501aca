import type { ExportFormat } from "../shared/protocol";
import type { LayerRow, ModelSummary, SkippedTensor, Timing } from "../shared/report";
import { reportAsCsv } from "./exportCsv";
import { reportAsJson } from "./exportJson";
import { reportAsMarkdown } from "./exportMarkdown";
import { titleOf } from "./title";

/** A report as it is written out: everything that is known, nothing that computes. */
export interface ReportData {
  readonly summary: ModelSummary;
  readonly rows: readonly LayerRow[];
  readonly skipped: readonly SkippedTensor[];
  timing(): Timing;
  /** Singular values of a row, largest first; empty while not computed. */
  spectrum(id: number): ArrayLike<number>;
}

/** @param spectrum with all singular values (JSON only; the other formats have no place for them) */
export function exportReport(report: ReportData, format: ExportFormat, spectrum: boolean): string {
  switch (format) {
    case "json": return reportAsJson(report, spectrum);
    case "csv": return reportAsCsv(report);
    case "markdown": return reportAsMarkdown(report);
  }
}

/** Everything without figures: tensors that are listed only, matrices that failed or were not reached. */
export function unmeasured(report: ReportData): SkippedTensor[] {
  const rows = report.rows.filter(({ state, first }) => state !== "done" && first === null).map((row) => ({
    name: titleOf(row),
    shape: row.shape,
    dtype: row.dtype,
    reason: row.fault === null ? "not analyzed yet" : row.fault.message,
  }));
  return [...rows, ...report.skipped];
}

/** Names by reason, in the order the reasons first occur. */
export function byReason(skipped: readonly SkippedTensor[]): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  for (const { name, reason } of skipped) {
    const names = reasons.get(reason);
    if (names === undefined) reasons.set(reason, [name]);
    else names.push(name);
  }
  return reasons;
}

/** Names that are yet to be told beside a reason: a sentence that begins with its only layer has told it. */
export function untold(reason: string, names: readonly string[]): readonly string[] {
  return names.length === 1 && reason.startsWith(`${names[0]!} `) ? [] : names;
}
