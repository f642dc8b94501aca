import type { ComponentChildren } from "preact";
import { countText } from "../../../src/shared/figures";
import { MEASURE_INFO, type MeasureInfo } from "../../../src/shared/measureInfo";
import type { SortKey, TableLine } from "../../../src/shared/protocol";
import { groupedText, kOf, shownMeasure, sizeText } from "../figures";
import { utilizationColor } from "../map/scale";
import type { ThemeKind } from "../../components/themeKind";
import { TEXT } from "../strings";

export interface Column {
  readonly id: string;
  readonly head: string;
  readonly title: string;
  /** CSS pixels; the name takes what is left. */
  readonly width: number;
  readonly numeric: boolean;
  readonly sort: SortKey | null;
  /** As copied to the clipboard: figures in full. */
  readonly plain: (line: TableLine) => string;
  readonly cell: (line: TableLine, theme: ThemeKind) => ComponentChildren;
}

/** Measures that every table shows, in this order, between K and the columns that a person adds. */
const ALWAYS: readonly SortKey[] = ["effectiveRank", "stableRank", "utilization", "energyRank0.9", "energyRank0.95", "energyRank0.99"];
/** Measures that a person can add; `parameters` is a fact of the matrix. */
export const FURTHER_MEASURES: readonly MeasureInfo[] = MEASURE_INFO.filter(({ key }) => !ALWAYS.includes(key));

const [NARROW, WIDE] = [76, 116];

/** Text that its column may cut off is whole in the title. */
const text = (pick: (line: TableLine) => string): Pick<Column, "plain" | "cell"> => ({ plain: pick, cell: (line) => <span title={pick(line)}>{pick(line)}</span> });

/** What the header of the file says. */
const FACTS: readonly Column[] = [
  { id: "kind", head: TEXT.kind, title: TEXT.kindTitle, width: 84, numeric: false, sort: "kind", ...text(({ row }) => row.kind) },
  { id: "shape", head: TEXT.shape, title: TEXT.shapeTitle, width: 120, numeric: true, sort: "shape", ...text(({ row }) => sizeText(row.shape)) },
  { id: "dtype", head: TEXT.dtype, title: TEXT.dtypeTitle, width: 72, numeric: false, sort: null, ...text(({ row }) => row.dtype) },
];

/** What the ranks are read against. */
const SIZES: readonly Column[] = [
  { id: "matrix", head: TEXT.matrix, title: TEXT.matrixTitle, width: 100, numeric: true, sort: null, ...text(({ row }) => sizeText(row.matrix)) },
  { id: "k", head: TEXT.k, title: TEXT.kTitle, width: 56, numeric: true, sort: "matrix", plain: ({ row }) => String(kOf(row)), cell: ({ row }) => groupedText(kOf(row)) },
];

export const PARAMETERS_COLUMN: Column = {
  id: "parameters", head: TEXT.parameters, title: TEXT.parametersTitle, width: 92, numeric: true, sort: "parameters",
  plain: ({ row }) => String(row.parameters), cell: ({ row }) => countText(row.parameters),
};

/**
 * All columns but the name, which is part of the row itself.
 * @param narrow the ranks are to be seen without scrolling: what the header says comes after them
 */
export function columnsOf(further: readonly SortKey[], narrow: boolean): readonly Column[] {
  const keys = [...ALWAYS, ...FURTHER_MEASURES.map(({ key }) => key).filter((key) => further.includes(key))];
  const measures = keys.flatMap((key) => MEASURE_INFO.filter((info) => info.key === key).map(measureColumn));
  const facts = [...FACTS, ...(further.includes("parameters") ? [PARAMETERS_COLUMN] : [])];
  return narrow ? [...SIZES, ...measures, ...facts] : [...facts, ...SIZES, ...measures];
}

/** The name is at least this wide. CSS pixels. */
export const NAME_WIDTH = 240;

/** Width at which all columns up to utilization are seen in the order of the file's facts. CSS pixels. */
export const widthToUtilization = (columns: readonly Column[]): number =>
  columns.slice(0, columns.findIndex(({ id }) => id === "utilization") + 1).reduce((sum, { width }) => sum + width, NAME_WIDTH);

function measureColumn(info: MeasureInfo): Column {
  const isBar = info.key === "utilization";
  return {
    id: info.key,
    head: capitalized(isBar ? info.label : info.short),
    title: `${info.label}: ${info.definition}`,
    width: isBar ? WIDE : Math.max(NARROW, info.short.length * 7 + 26),
    numeric: true,
    sort: info.key,
    plain: ({ row }) => (row.measures === null ? (shownMeasure(info, row)?.text ?? "") : plainValue(info, info.value(row.measures))),
    cell: (line, theme) => <MeasureCell info={info} line={line} theme={theme} />,
  };
}

/** Heads of facts and of measures begin alike. */
function capitalized(text: string): string {
  return /^[a-z]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

function plainValue(info: MeasureInfo, value: number | null): string {
  return value === null ? (info.key === "conditionNumber" ? "Infinity" : "") : String(value);
}

function MeasureCell({ info, line: { row }, theme }: { readonly info: MeasureInfo; readonly line: TableLine; readonly theme: ThemeKind }): ComponentChildren {
  const shown = shownMeasure(info, row);
  if (shown === null) {
    // The first measure says why the others are missing.
    return row.state === "failed" && info.key === ALWAYS[0] ? TEXT.failedCell : <span class="missing">{TEXT.notDefined}</span>;
  }
  const className = shown.estimate ? "estimate" : shown.tie ? "tie" : "";
  const figure = <span class={className} title={shown.remark ?? undefined}>{shown.text}</span>;
  if (info.key !== "utilization" || row.measures === null) return figure;
  const { utilization } = row.measures;
  return (
    <span class="utilization">
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${100 * Math.min(1, utilization)}%`, backgroundColor: utilizationColor(utilization, theme) }} />
      </span>
      {figure}
    </span>
  );
}

/** Lines as tab-separated values with a head, for a spreadsheet. */
export function tabSeparated(lines: readonly TableLine[], columns: readonly Column[]): string {
  const head = [TEXT.layer, "part", ...columns.map((column) => column.head)];
  const body = lines.map((line) => [line.row.name, line.row.part ?? "", ...columns.map((column) => column.plain(line))]);
  // A tab or a line break within a name would break the grid.
  return [head, ...body].map((cells) => cells.map((cell) => cell.replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");
}
