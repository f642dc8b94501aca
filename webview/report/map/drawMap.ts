import { themeColor, themeFont } from "../../components/theme";
import type { ThemeKind } from "../../components/themeKind";
import type { MapLabel, MapLayout, PlacedCell } from "./mapLayout";
import { textOn, utilizationColor } from "./scale";

/** A figure is written into a cell of at least this width and height. CSS pixels. */
const [TEXT_WIDTH, TEXT_HEIGHT] = [20, 13];
const FONT = 10;
const LABEL_FONT = 11;
/** Distance of the hatching of cells that are not measured. */
const HATCH = 5;

export interface MapDrawing {
  readonly layout: MapLayout;
  readonly theme: ThemeKind;
  readonly selected: number | null;
  /** What part of the picture is drawn, at the context's origin. CSS pixels. */
  readonly view: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

/** Draws cells and labels in CSS pixels; the context is scaled by its owner. */
export function drawMap(ctx: CanvasRenderingContext2D, { layout, theme, selected, view }: MapDrawing): void {
  const foreground = themeColor("foreground");
  const quiet = themeColor("descriptionForeground", "foreground");
  const error = themeColor("errorForeground", "foreground");
  const contrast = theme === "highContrast" || theme === "highContrastLight" ? themeColor("contrastBorder", "foreground") : null;
  ctx.save();
  ctx.translate(-view.x, -view.y);
  ctx.lineWidth = 1;
  for (const line of layout.lines) {
    for (const placed of line) {
      if (!inView(placed, view)) continue;
      drawCell(ctx, placed, theme, placed.cell.state === "failed" ? error : quiet);
      if (contrast !== null) outline(ctx, placed, contrast, 0.5);
    }
  }
  // Last, so that no neighbour covers it: a ring that stands out from every colour of the scale.
  for (const placed of layout.lines.flat().filter(({ cell }) => selected !== null && cell.rows.includes(selected))) {
    outline(ctx, placed, themeColor("editor-background"), -0.5, 2);
    outline(ctx, placed, themeColor("focusBorder", "foreground"), -2, 2);
  }
  ctx.font = themeFont(LABEL_FONT);
  ctx.fillStyle = foreground;
  ctx.textBaseline = "middle";
  for (const label of layout.labels) drawLabel(ctx, label);
  ctx.restore();
}

function drawCell(ctx: CanvasRenderingContext2D, placed: PlacedCell, theme: ThemeKind, unmeasured: string): void {
  const { x, y, width, height, cell: { utilization, state } } = placed;
  if (utilization === null) return state === "failed" ? cross(ctx, placed, unmeasured) : hatch(ctx, placed, unmeasured);
  ctx.fillStyle = utilizationColor(utilization, theme);
  ctx.fillRect(x, y, width, height);
  if (width < TEXT_WIDTH || height < TEXT_HEIGHT) return;
  ctx.font = themeFont(FONT);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = textOn(utilization, theme);
  ctx.fillText(String(Math.round(100 * utilization)), x + width / 2, y + height / 2 + 0.5);
}

/** Not measured: an outline and a hatching, no colour of the scale. */
function hatch(ctx: CanvasRenderingContext2D, { x, y, width, height }: PlacedCell, color: string): void {
  ctx.save();
  ctx.globalAlpha = 0.55;
  ctx.strokeStyle = color;
  ctx.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.beginPath();
  for (let at = -height; at < width; at += HATCH) {
    ctx.moveTo(x + at, y + height);
    ctx.lineTo(x + at + height, y);
  }
  ctx.stroke();
  ctx.restore();
}

/** Could not be measured: crossed out. */
function cross(ctx: CanvasRenderingContext2D, placed: PlacedCell, color: string): void {
  const { x, y, width, height } = placed;
  outline(ctx, placed, color, 0.5);
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x + width, y + height);
  ctx.moveTo(x, y + height);
  ctx.lineTo(x + width, y);
  ctx.stroke();
}

function outline(ctx: CanvasRenderingContext2D, { x, y, width, height }: PlacedCell, color: string, inset: number, lineWidth = 1): void {
  ctx.strokeStyle = color;
  ctx.lineWidth = lineWidth;
  ctx.strokeRect(x + inset, y + inset, width - 2 * inset, height - 2 * inset);
  ctx.lineWidth = 1;
}

function drawLabel(ctx: CanvasRenderingContext2D, { text, x, y, width, align }: MapLabel): void {
  ctx.textAlign = align;
  ctx.fillText(shortened(ctx, text, width), x, y);
}

/** The end of a name tells modules apart more often than its beginning. */
function shortened(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text;
  const letters = [...text];
  // A letter is never narrower than a pixel: what cannot fit is not tried.
  let start = Math.max(1, letters.length - Math.ceil(width));
  while (start < letters.length && ctx.measureText(`…${letters.slice(start).join("")}`).width > width) start++;
  return `…${letters.slice(start).join("")}`;
}

function inView({ x, y, width, height }: PlacedCell, view: MapDrawing["view"]): boolean {
  return x < view.x + view.width && x + width > view.x && y < view.y + view.height && y + height > view.y;
}
