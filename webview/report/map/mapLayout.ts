import type { MapCell, ModelMap } from "../../../src/shared/protocol";

/** A cell where it is drawn. CSS pixels, from the top left of the picture. */
export interface PlacedCell {
  readonly cell: MapCell;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface MapLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly align: "left" | "right" | "center";
}

export interface MapLayout {
  readonly width: number;
  readonly height: number;
  /** Lines of cells from top to bottom, each from left to right: what the arrow keys move through. */
  readonly lines: readonly (readonly PlacedCell[])[];
  readonly labels: readonly MapLabel[];
}

const GAP = 1;
/** Names of modules take this share of the width, between these bounds. */
const [LABEL_SHARE, LABEL_LEAST, LABEL_MOST] = [0.2, 90, 220];
const [CELL_LEAST, CELL_MOST] = [7, 40];
/** A map of few blocks can be higher than a map of many. */
const [ROW_LEAST, ROW_MOST] = [14, 20];
const HEAD = 16;
const STRIP_HEIGHT = 36;
const [STRIP_LEAST, STRIP_MOST] = [9, 40];
const SPACE = 8;

/** Blocks from left to right by depth, modules from top to bottom, the other layers as a strip below. */
export function mapLayout(map: ModelMap, width: number, othersLabel: string): MapLayout {
  const labelWidth = map.blocks.length === 0 ? 0 : Math.round(Math.min(LABEL_MOST, Math.max(LABEL_LEAST, width * LABEL_SHARE)));
  const grid = gridLayout(map, labelWidth, width);
  const strip = stripLayout(map.strip, labelWidth, grid.height === 0 ? 0 : grid.height + SPACE, width);
  const others: MapLabel[] = map.strip.length > 0 && labelWidth > 0
    ? [{ text: othersLabel, x: labelWidth - SPACE, y: grid.height + SPACE + STRIP_HEIGHT / 2, width: labelWidth - SPACE, align: "right" }]
    : [];
  return {
    width: Math.max(grid.width, strip.width),
    height: strip.height,
    lines: [...grid.lines, ...strip.lines],
    labels: [...grid.labels, ...others],
  };
}

function gridLayout({ blocks, modules, cells }: ModelMap, labelWidth: number, width: number): MapLayout {
  if (blocks.length === 0) return { width: 0, height: 0, lines: [], labels: [] };
  const stacks = stacksOf(blocks);
  const gaps = (stacks.length - 1) * SPACE;
  const pitch = Math.max(CELL_LEAST, Math.min(CELL_MOST, Math.floor((width - labelWidth - gaps) / blocks.length)));
  const rowHeight = modules.length > 12 ? ROW_LEAST : ROW_MOST;
  const head = stacks.length > 1 ? 2 * HEAD : HEAD;
  const xs = stacks.flatMap(({ start, count }, stack) => Array.from({ length: count }, (_, index) => labelWidth + (start + index) * pitch + stack * SPACE));
  const lines = modules.map((): PlacedCell[] => []);
  for (const cell of cells) {
    lines[cell.module]?.push({ cell, x: xs[cell.block] ?? 0, y: head + cell.module * rowHeight, width: pitch - GAP, height: rowHeight - GAP });
  }
  for (const line of lines) line.sort((a, b) => a.x - b.x);
  const names = modules.map((text, index): MapLabel => (
    { text, x: labelWidth - SPACE, y: head + (index + 0.5) * rowHeight, width: labelWidth - SPACE, align: "right" }));
  const numbers = stacks.flatMap((stack) => stackLabels(stack, xs[stack.start] ?? 0, pitch, head, stacks.length > 1));
  return { width: labelWidth + gaps + blocks.length * pitch, height: head + modules.length * rowHeight, lines, labels: [...names, ...numbers] };
}

/** Blocks that differ only in their number: an encoder and a decoder are two stacks. */
interface Stack {
  readonly name: string;
  readonly numbers: readonly string[];
  readonly start: number;
  readonly count: number;
}

function stacksOf(blocks: readonly string[]): Stack[] {
  const split = blocks.map((block) => /^(.*?)[^\w]?(\d+)$/s.exec(block) ?? [block, "", block]);
  const starts = split.flatMap(([, name], index) => (index > 0 && split[index - 1]![1] === name ? [] : [index]));
  // Blocks without numbers would be a stack each, which tells nothing.
  const usable = starts.length <= blocks.length / 2 ? starts : [0];
  return usable.map((start, index) => {
    const count = (usable[index + 1] ?? blocks.length) - start;
    return { name: split[start]![1] ?? "", numbers: split.slice(start, start + count).map(([, , number]) => number ?? ""), start, count };
  });
}

/** Numbers of blocks, as many as have room, under the name of their stack where there are several. */
function stackLabels({ name, numbers }: Stack, left: number, pitch: number, head: number, named: boolean): MapLabel[] {
  const room = 8 * Math.max(...numbers.map((number) => number.length)) + SPACE;
  const every = Math.max(1, Math.ceil(room / pitch));
  const labels = numbers.flatMap((text, index): MapLabel[] =>
    (index % every === 0 ? [{ text, x: left + (index + 0.5) * pitch, y: head - HEAD / 2, width: every * pitch, align: "center" }] : []));
  return named ? [...labels, { text: name, x: left, y: HEAD / 2, width: numbers.length * pitch, align: "left" }] : labels;
}

/** Layers in the order of the model; the logarithm of its size is the height of a cell. */
function stripLayout(strip: readonly MapCell[], left: number, top: number, width: number): MapLayout {
  if (strip.length === 0) return { width: 0, height: Math.max(0, top - SPACE), lines: [], labels: [] };
  const pitch = Math.max(STRIP_LEAST, Math.min(STRIP_MOST, Math.floor((width - left) / strip.length)));
  const perLine = Math.max(1, Math.floor((width - left) / pitch));
  const sizes = strip.map(({ parameters }) => Math.log10(Math.max(1, parameters)));
  const [least, most] = sizes.reduce(([low, high], size) => [Math.min(low, size), Math.max(high, size)], [Infinity, 0] as [number, number]);
  const lines: PlacedCell[][] = [];
  strip.forEach((cell, index) => {
    const line = Math.floor(index / perLine);
    // The smallest layer is still a third as high as the largest.
    const share = most === least ? 1 : 1 / 3 + ((2 / 3) * (sizes[index]! - least)) / (most - least);
    const height = Math.round(STRIP_HEIGHT * share);
    (lines[line] ??= []).push({ cell, x: left + (index % perLine) * pitch, y: top + line * (STRIP_HEIGHT + SPACE) + STRIP_HEIGHT - height, width: pitch - GAP, height });
  });
  return { width: left + Math.min(perLine, strip.length) * pitch, height: top + lines.length * (STRIP_HEIGHT + SPACE) - SPACE, lines, labels: [] };
}

export function cellAt({ lines }: MapLayout, x: number, y: number): PlacedCell | null {
  const covers = (cell: PlacedCell): boolean => x >= cell.x && x <= cell.x + cell.width && y >= cell.y && y <= cell.y + cell.height;
  for (const line of lines) {
    const found = line.find(covers);
    if (found !== undefined) return found;
  }
  return null;
}

export interface CellPosition {
  readonly line: number;
  readonly at: number;
}

export function positionOf({ lines }: MapLayout, id: number): CellPosition | null {
  for (const [line, cells] of lines.entries()) {
    const at = cells.findIndex(({ cell }) => cell.rows.includes(id));
    if (at >= 0) return { line, at };
  }
  return null;
}

/** Where an arrow key leads: along the line, or to the nearest cell of the next line that has one. */
export function neighbour({ lines }: MapLayout, from: CellPosition, key: string): CellPosition | null {
  const cells = lines[from.line] ?? [];
  const clamped = (at: number): CellPosition => ({ line: from.line, at: Math.max(0, Math.min(cells.length - 1, at)) });
  switch (key) {
    case "ArrowRight": return clamped(from.at + 1);
    case "ArrowLeft": return clamped(from.at - 1);
    case "Home": return clamped(0);
    case "End": return clamped(Infinity);
    case "ArrowDown": return nearest(lines, from, 1);
    case "ArrowUp": return nearest(lines, from, -1);
    default: return null;
  }
}

function nearest(lines: MapLayout["lines"], from: CellPosition, step: 1 | -1): CellPosition {
  const x = lines[from.line]?.[from.at]?.x ?? 0;
  for (let line = from.line + step; line >= 0 && line < lines.length; line += step) {
    const cells = lines[line]!;
    if (cells.length === 0) continue;
    const at = cells.reduce((best, cell, index) => (Math.abs(cell.x - x) < Math.abs(cells[best]!.x - x) ? index : best), 0);
    return { line, at };
  }
  return from;
}
