import type uPlot from "uplot";
import { themeColor, themeFont } from "../../components/theme";

/** The grid is there to read by, not to be seen. */
const GRID_PERCENT = 14;
/** CSS pixels. */
const FONT = 10;

export interface PlotLook {
  readonly text: string;
  readonly quiet: string;
  readonly grid: string;
  readonly background: string;
  readonly line: string;
  readonly second: string;
  readonly mark: string;
}

/** The theme's colours of charts, as they are now, on a side bar. */
export function plotLook(): PlotLook {
  return {
    text: themeColor("foreground"),
    quiet: themeColor("descriptionForeground", "foreground"),
    grid: `color-mix(in srgb, ${themeColor("foreground")} ${GRID_PERCENT}%, transparent)`,
    background: themeColor("sideBar-background", "editor-background"),
    line: themeColor("charts-blue", "textLink-foreground"),
    second: themeColor("charts-green", "descriptionForeground"),
    mark: themeColor("charts-orange", "foreground"),
  };
}

/** What all axes of the wizard's plots share. */
export function axisLook(look: PlotLook): Partial<uPlot.Axis> {
  const grid = { stroke: look.grid, width: 1 };
  return { stroke: look.text, font: themeFont(FONT), labelFont: themeFont(FONT), grid, ticks: { ...grid, size: 3 }, gap: 3, labelSize: 15, labelGap: 0 };
}

/** A line from top to bottom at x, with a handle that says that it can be dragged. */
export function drawHandle({ ctx, bbox, valToPos }: uPlot, ratio: number, x: number, color: string): void {
  const at = valToPos(x, "x", true);
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.setLineDash([]);
  ctx.lineWidth = 1.5 * ratio;
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(at, bbox.top + bbox.height / 2, 4 * ratio, 0, 2 * Math.PI);
  ctx.fill();
  ctx.restore();
}
