import { fullRank } from "../shared/fullRank";
import type { LayerRow, Measures } from "../shared/report";
import type { ReportData } from "./export";

type Cell = string | number | boolean | null;

const measure = (pick: (measures: Measures) => Cell) => (row: LayerRow): Cell => (row.measures === null ? null : pick(row.measures));

/** Of the spectrum, or of first figures where it is not known. */
const known = (key: "stableRank" | "spectralNorm" | "frobeniusNorm") => (row: LayerRow): Cell => row.measures?.[key] ?? row.first?.[key] ?? null;

const COLUMNS: readonly (readonly [header: string, value: (row: LayerRow) => Cell])[] = [
  ["name", (row) => row.name],
  ["part", (row) => row.part],
  ["unfolding", (row) => row.unfolding],
  ["kind", (row) => row.kind],
  ["dtype", (row) => row.dtype],
  ["shape", (row) => row.shape.join("x")],
  ["rows", (row) => row.matrix[0]],
  ["columns", (row) => row.matrix[1]],
  ["fullRank", fullRank],
  ["parameters", (row) => row.parameters],
  ["effectiveRank", measure((m) => m.effectiveRank)],
  ["stableRank", known("stableRank")],
  ["utilization", measure((m) => m.utilization)],
  ["energyRank0.9", measure((m) => m.energyRank["0.9"])],
  ["energyRank0.95", measure((m) => m.energyRank["0.95"])],
  ["energyRank0.99", measure((m) => m.energyRank["0.99"])],
  ["numericalRank", measure((m) => m.numericalRank)],
  ["participationRatio", measure((m) => m.participationRatio)],
  ["hardThresholdRank", measure((m) => m.hardThresholdRank)],
  ["evbmfRank", measure((m) => m.evbmfRank)],
  ["breakEvenRank", measure((m) => m.breakEvenRank)],
  // The only measure that can be infinite, which an empty cell would not tell.
  ["conditionNumber", measure((m) => m.conditionNumber ?? "inf")],
  ["spectralNorm", known("spectralNorm")],
  ["frobeniusNorm", known("frobeniusNorm")],
  ["nuclearNorm", measure((m) => m.nuclearNorm)],
  ["marchenkoPasturSpikes", measure((m) => m.marchenkoPastur?.spikes ?? null)],
  ["marchenkoPasturSoftRank", measure((m) => m.marchenkoPastur?.softRank ?? null)],
  ["powerLawAlpha", measure((m) => m.powerLawAlpha)],
  ["spectralRadius", measure((m) => m.spectralRadius)],
  ["exact", (row) => row.measures?.exact ?? (row.first === null ? null : false)],
  ["relativeError", (row) => row.measures?.relativeError ?? row.first?.relativeError ?? null],
  ["ms", measure((m) => m.ms)],
  ["notes", (row) => row.notes.join("; ")],
  ["state", (row) => row.state],
  ["reason", (row) => row.fault?.message ?? null],
];

/** RFC 4180 with a header, one line a matrix; matrices without measures have a state and a reason. */
export function reportAsCsv(report: ReportData): string {
  const lines = [COLUMNS.map(([header]) => header), ...report.rows.map((row) => COLUMNS.map(([, value]) => cellText(value(row))))];
  return lines.map((cells) => `${cells.join(",")}\r\n`).join("");
}

function cellText(value: Cell): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  // A spreadsheet would run a text that begins like a formula: an apostrophe makes it a text again.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
