import { basename } from "node:path";
import { fullRank } from "../shared/fullRank";
import type { LayerRow } from "../shared/report";
import { byReason, unmeasured, untold, type ReportData } from "../engine/export";
import { formatLabel } from "../shared/formatLabel";
import { bytesText, countText, durationText, estimateText, magnitudeText, percentText, rankText } from "../shared/figures";
import { groupLayers } from "../engine/layers";
import { printable } from "../engine/printable";

export interface TableOptions {
  /** Characters a line may have; Infinity where nobody looks at it in a terminal. */
  readonly columns: number;
  readonly color: boolean;
  /** A line for each part of a layer, not only for the layer. */
  readonly parts: boolean;
  /** False when all came from the cache. */
  readonly computed: boolean;
}

interface Column {
  readonly head: string;
  readonly left?: true;
  readonly cell: (row: LayerRow, name: string) => string;
  readonly color?: (row: LayerRow) => string | null;
  /** Columns that go first when a terminal is narrow; the others stay. */
  readonly dropped?: number;
}

const BAR_WIDTH = 10;
const GAP = "  ";
/** A name is shortened to this before columns are dropped, and again after. */
const SHORTEST_NAME = 24;
const [BOLD, DIM, RED, YELLOW, GREEN] = ["1", "2", "31", "33", "32"];
/** Bounds of the bar's colours; they carry no judgement that the figure beside them does not. */
const [LOW, HIGH] = [0.4, 0.7];

const figure = (pick: (measures: NonNullable<LayerRow["measures"]>) => string) => (row: LayerRow): string =>
  row.measures === null ? (row.state === "failed" ? "failed" : "–") : pick(row.measures);

const COLUMNS: readonly Column[] = [
  { head: "Layer", left: true, cell: (_, name) => name },
  { head: "Kind", left: true, cell: (row) => row.kind, dropped: 3 },
  { head: "Matrix", cell: (row) => `${row.matrix[0]} × ${row.matrix[1]}`, dropped: 5 },
  { head: "Effective", cell: figure((m) => rankText(m.effectiveRank)) },
  { head: "Stable", cell: (row) => (row.first === null ? figure((m) => rankText(m.stableRank))(row) : estimateText(row.first.stableRank)) },
  { head: "K", cell: (row) => String(fullRank(row)) },
  { head: "Utilization", left: true, cell: figure((m) => `${bar(m.utilization)} ${percentText(m.utilization).padStart(5)}`), color: utilizationColor, dropped: 4 },
  { head: "90 %", cell: figure((m) => rankText(m.energyRank["0.9"])), dropped: 2 },
  { head: "95 %", cell: figure((m) => rankText(m.energyRank["0.95"])), dropped: 1 },
  { head: "99 %", cell: figure((m) => rankText(m.energyRank["0.99"])), dropped: 2 },
];

/** The report for a person at a terminal: a line for each layer, then what was not measured, by reason. */
export function layerTable(report: ReportData, options: TableOptions): string {
  const paint = (text: string, code: string | null | undefined): string => (options.color && code ? `\u001b[${code}m${text}\u001b[0m` : text);
  const lines = [paint(printable(basename(report.summary.path)), BOLD), summary(report), ""];
  const named = namedRows(report.rows, options.parts);
  if (named.length > 0) lines.push(...grid(named, options, paint), "");
  const reasons = [...byReason(unmeasured(report))];
  if (reasons.length > 0) lines.push("Not measured", ...reasons.map(([reason, names]) => reasonLine(reason, names, options.columns)), "");
  const errors = report.rows.flatMap(({ first }) => first?.relativeError ?? []);
  if (errors.length > 0) lines.push(estimates(errors), "");
  lines.push(paint(closing(report, options.computed), DIM), "");
  return lines.join("\n");
}

function summary({ summary: { format, parameters, bytes, tensors, notes } }: ReportData): string {
  return [formatLabel(format), `${countText(parameters)} parameters`, bytesText(bytes), countOf(tensors, "tensor"), ...notes.map(printable)].join(" · ");
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function namedRows(rows: readonly LayerRow[], parts: boolean): { row: LayerRow; name: string }[] {
  return groupLayers(rows).flatMap(({ main, mean, children }) => {
    const more = children.length === 0 || parts ? "" : mean ? ` (mean of ${children.length})` : ` (+${children.length})`;
    const own = { row: main, name: printable(main.name + (main.part === null ? "" : ` (${main.part})`)) + more };
    return parts ? [own, ...children.map((row) => ({ row, name: `  ${printable(row.part ?? `${row.unfolding} unfolding`)}` }))] : [own];
  });
}

function grid(named: readonly { row: LayerRow; name: string }[], options: TableOptions, paint: (text: string, code: string | null | undefined) => string): string[] {
  let columns = [...COLUMNS];
  const widthOf = ({ head, cell }: Column): number => named.reduce((width, { row, name }) => Math.max(width, cell(row, name).length), head.length);
  const widths = new Map(COLUMNS.map((column) => [column, widthOf(column)]));
  const others = (): number => columns.slice(1).reduce((sum, column) => sum + GAP.length + (widths.get(column) ?? 0), 0);
  const nameWidth = widths.get(COLUMNS[0]!) ?? 0;
  for (let drop = 1; others() + Math.min(nameWidth, SHORTEST_NAME) > options.columns && columns.some(({ dropped }) => dropped !== undefined); drop++) {
    columns = columns.filter(({ dropped }) => dropped !== drop);
  }
  const room = Math.min(nameWidth, Math.max(SHORTEST_NAME, options.columns - others()));
  const pad = (column: Column, text: string): string => {
    const width = column === COLUMNS[0] ? room : (widths.get(column) ?? 0);
    return column.left ? shorten(text, width).padEnd(width) : text.padStart(width);
  };
  const head = columns.map((column) => pad(column, column.head)).join(GAP).trimEnd();
  const body = named.map(({ row, name }) =>
    columns.map((column) => paint(pad(column, column.cell(row, name)), row.state === "failed" ? RED : column.color?.(row))).join(GAP).trimEnd());
  return [paint(head, BOLD), ...body];
}

/** The end of a name tells layers apart more often than its beginning. */
function shorten(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}

function bar(fraction: number): string {
  const filled = Math.min(BAR_WIDTH, Math.max(0, Math.round(fraction * BAR_WIDTH)));
  return "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
}

function utilizationColor({ measures }: LayerRow): string | null {
  if (measures === null) return null;
  return (measures.utilization < LOW ? RED : measures.utilization < HIGH ? YELLOW : GREEN) ?? null;
}

/** Count, reason and as many names as fit; the count says how many there are. */
function reasonLine(reason: string, names: readonly string[], columns: number): string {
  const line = `${String(names.length).padStart(5)}  ${printable(reason.replace(/\.$/, ""))}`;
  const width = Math.min(columns, 120);
  let shown = "";
  for (const [index, name] of untold(reason, names).entries()) {
    const next = `${shown}${index === 0 ? ": " : ", "}${printable(name)}`;
    if (line.length + next.length + 3 > width) return `${line}${shown}${shown === "" ? "" : ", …"}`;
    shown = next;
  }
  return line + shown;
}

/** What ≈ stands for; the stable rank's error is twice that of σ₁. */
function estimates(errors: readonly number[]): string {
  return `≈ Stable ranks of ${errors.length} ${errors.length === 1 ? "matrix" : "matrices"} are estimates, by σ₁ from an iteration: off by ${magnitudeText(200 * Math.max(...errors))} % at most.`;
}

function closing(report: ReportData, computed: boolean): string {
  if (report.rows.length === 0) return "No layer was measured.";
  const { totalMs, readMs, computeMs } = report.timing();
  const times = `reading ${durationText(readMs)}, computing ${durationText(computeMs)} over all processes`;
  return computed ? `Took ${durationText(totalMs)} (${times}).` : `From the cache; measuring took ${durationText(totalMs)} (${times}).`;
}
