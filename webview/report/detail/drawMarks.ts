import type uPlot from "uplot";
import { EDGE_DASH, MARK_DASHES, type PlotColors } from "./plotColors";
import type { Mark } from "./marks";

/** Room around a label, and between two lines of labels. CSS pixels. */
const [PAD, LEADING] = [3, 13];

interface MarksDrawing {
  readonly marks: readonly Mark[];
  readonly edge: number | null;
  readonly colors: PlotColors;
  readonly font: (size: number) => string;
  /** How much larger than on the screen: 1, or 2 for a picture. */
  readonly zoom: number;
}

/** Draws the ranks as vertical lines with labels that do not cover each other, and the noise edge across. */
export function drawMarks(plot: uPlot, pixelRatio: number, { marks, edge, colors, font, zoom }: MarksDrawing): void {
  const { ctx, bbox } = plot;
  const unit = pixelRatio * zoom;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = 1.25 * unit;
  if (edge !== null) {
    const y = plot.valToPos(edge, "σ", true);
    stroke(ctx, colors.edge, EDGE_DASH, unit, [bbox.left, y], [bbox.left + bbox.width, y]);
  }
  for (const { key, rank } of marks) {
    const x = plot.valToPos(rank, "x", true);
    stroke(ctx, colors.marks[key] ?? colors.text, MARK_DASHES[key] ?? [], unit, [x, bbox.top], [x, bbox.top + bbox.height]);
  }
  ctx.font = font(10 * unit);
  ctx.textBaseline = "top";
  const ends: number[] = [];
  for (const mark of [...marks].sort((a, b) => a.rank - b.rank)) {
    const text = labelOf(mark);
    const width = ctx.measureText(text).width + 2 * PAD * unit;
    const x = Math.min(plot.valToPos(mark.rank, "x", true), bbox.left + bbox.width - width);
    const free = ends.findIndex((end) => end <= x);
    const level = free < 0 ? ends.length : free;
    ends[level] = x + width;
    const y = bbox.top + (PAD + level * LEADING) * unit;
    ctx.fillStyle = colors.background;
    ctx.fillRect(x + unit, y - unit, width - unit, LEADING * unit);
    ctx.fillStyle = colors.text;
    ctx.fillText(text, x + PAD * unit, y);
  }
  ctx.restore();
}

/** Short: the legend beside the plot has the whole names. */
function labelOf({ key, figure }: Mark): string {
  return key.startsWith("energyRank") ? `${Math.round(100 * Number(key.slice("energyRank".length)))} %` : figure;
}

function stroke(ctx: CanvasRenderingContext2D, color: string, dash: readonly number[], unit: number, from: readonly [number, number], to: readonly [number, number]): void {
  ctx.strokeStyle = color;
  ctx.setLineDash(dash.map((length) => length * unit));
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
}
