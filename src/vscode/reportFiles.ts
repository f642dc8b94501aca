import { MODEL_ENDINGS } from "./modelFiles";
import type { ExportFormat } from "../shared/protocol";

/** Files that a report is written to. */
export type ReportFileKind = ExportFormat | "png";

const ENDINGS: Readonly<Record<ReportFileKind, string>> = { json: "json", csv: "csv", markdown: "md", png: "png" };

export const REPORT_FILE_LABELS: Readonly<Record<ReportFileKind, string>> = { json: "JSON", csv: "CSV", markdown: "Markdown", png: "PNG" };

export function reportFileEnding(kind: ReportFileKind): string {
  return ENDINGS[kind];
}

/** "nets/digits.onnx" → "nets/digits.ranks.csv": beside the model, and told apart from it. */
export function reportFileName(modelPath: string, kind: ReportFileKind): string {
  const longestFirst = [...MODEL_ENDINGS].sort((a, b) => b.length - a.length);
  const ending = longestFirst.find((each) => modelPath.toLowerCase().endsWith(each)) ?? "";
  // An ending that is a whole name keeps its stem: saved_model.pb → saved_model.ranks.csv.
  return `${modelPath.slice(0, modelPath.length - ending.slice(Math.max(0, ending.indexOf("."))).length)}.ranks.${ENDINGS[kind]}`;
}
