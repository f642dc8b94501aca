import { basename, dirname, join } from "node:path";
import { rankForMost, wholeLayers, type Comparison, type ListedLayer, type MatrixDifference } from "../compare/comparison";
import { titleOf } from "../engine/title";
import { printable } from "../engine/printable";
import { magnitudeText, rankText } from "../shared/figures";
import { formatLabel } from "../shared/formatLabel";

/** The schema is stable: other programs read it. */
export function comparisonJson(comparison: Comparison): string {
  return `${JSON.stringify({ schema: "ranklens.comparison/1", ...comparison, rankForMost: mostOf(comparison) }, null, 2)}\n`;
}

interface Column {
  readonly head: string;
  readonly cell: (difference: MatrixDifference) => string;
}

const COLUMNS: readonly Column[] = [
  { head: "Layer", cell: (difference) => printable(titleOf(difference)) },
  { head: "Matrix", cell: ({ matrix: [rows, columns] }) => `${rows} × ${columns}` },
  { head: "‖Δ‖/‖A‖", cell: ({ relativeNorm, withinRounding }) => (relativeNorm === null ? "–" : `${magnitudeText(relativeNorm)}${withinRounding && relativeNorm > 0 ? "*" : ""}`) },
  { head: "Effective", cell: ({ effectiveRank }) => rankText(effectiveRank) },
  { head: "Stable", cell: ({ stableRank }) => rankText(stableRank) },
  { head: "K", cell: ({ fullRank }) => String(fullRank) },
  { head: "90 %", cell: ({ energyRank }) => String(energyRank["0.9"]) },
  { head: "95 %", cell: ({ energyRank }) => String(energyRank["0.95"]) },
  { head: "99 %", cell: ({ energyRank }) => String(energyRank["0.99"]) },
];
const GAP = "  ";
/** However narrow the terminal: the end of a name, which tells layers apart. */
const SHORTEST_NAME = 24;
/** Names of a list, after which only their number is told. */
const LISTED = 20;

/** For a person at a terminal: a line for each matrix of the difference, then what could not be compared. */
export function comparisonText(comparison: Comparison, columns: number): string {
  const { a, b, adapter, layers, onlyInA, onlyInB, shapesDiffer, untouched } = comparison;
  // Files of one name are told apart by their folders.
  const nameOf = basename(a.path) === basename(b.path) ? (path: string) => join(basename(dirname(path)), basename(path)) : basename;
  const named = ({ path, format }: Comparison["a"]): string => `${printable(nameOf(path))} (${formatLabel(format)})`;
  const lines = [`A  ${named(a)}`, `B  ${named(b)}`, adapter ? "Δ is what the adapter adds." : "Δ = B − A.", ""];
  if (layers.length > 0) lines.push(...grid(layers, columns), "");
  if (layers.some(({ withinRounding, relativeNorm }) => withinRounding && relativeNorm !== 0)) lines.push("* no larger than the rounding of the stored types: it may be nothing else", "");
  const same = layers.filter(({ frobeniusNorm }) => frobeniusNorm === 0).length;
  if (same > 0) lines.push(`${same} of ${layers.length} matrices are the same in both.`);
  if (untouched > 0) lines.push(`The adapter leaves ${untouched === 1 ? "1 layer" : `${untouched} layers`} of A alone.`);
  lines.push(...listed("Only in A", onlyInA.map(shaped)), ...listed(adapter ? "Not found in A" : "Only in B", onlyInB.map(shaped)),
    ...listed("Shapes differ", shapesDiffer.map(({ name, shapes: [before, after] }) => `${name} ${sides(before)} and ${sides(after)}`)));
  const most = mostOf(comparison);
  if (most > 0) lines.push(`Rank ${most} keeps 90 % of the energy of Δ in 90 % of the changed layers.`);
  return `${lines.join("\n").trimEnd()}\n`;
}

function mostOf({ layers }: Comparison): number {
  return rankForMost(wholeLayers(layers).filter(({ frobeniusNorm }) => frobeniusNorm > 0).map(({ energyRank }) => energyRank["0.9"]));
}

function grid(layers: readonly MatrixDifference[], columns: number): string[] {
  const cells = layers.map((layer) => COLUMNS.map(({ cell }) => cell(layer)));
  const widths = COLUMNS.map(({ head }, index) => cells.reduce((width, row) => Math.max(width, row[index]!.length), head.length));
  const others = widths.slice(1).reduce((sum, width) => sum + GAP.length + width, 0);
  const room = Math.min(widths[0]!, Math.max(SHORTEST_NAME, columns - others));
  const line = ([name = "", ...figures]: readonly string[]): string =>
    [(name.length <= room ? name : `…${name.slice(name.length - room + 1)}`).padEnd(room), ...figures.map((figure, index) => figure.padStart(widths[index + 1]!))].join(GAP);
  return [COLUMNS.map(({ head }) => head), ...cells].map(line);
}

function listed(title: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length - LISTED;
  return [`${title} (${names.length})`, ...names.slice(0, LISTED).map((name) => `  ${printable(name)}`), ...(more > 0 ? [`  and ${more} more`] : []), ""];
}

const sides = (shape: readonly number[]): string => `[${shape.join(", ")}]`;
const shaped = ({ name, shape }: ListedLayer): string => `${name} ${sides(shape)}`;
