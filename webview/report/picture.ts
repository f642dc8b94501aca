import uPlot from "uplot";
import { formatLabel } from "../../src/shared/formatLabel";
import { bytesText, countText } from "../../src/shared/figures";
import type { ModelMap, Spectrum } from "../../src/shared/protocol";
import type { ModelSummary } from "../../src/shared/report";
import { themeColor, themeFont, themeKind } from "../components/theme";
import { marksOf } from "./detail/marks";
import { spectrumData, spectrumOptions } from "./detail/spectrumOptions";
import { fileName, partText } from "./figures";
import { drawMap } from "./map/drawMap";
import { mapLayout } from "./map/mapLayout";
import { utilizationColor } from "./map/scale";
import { TEXT } from "./strings";

/** Twice the size of the screen, so that it stays sharp in a document. */
const ZOOM = 2;
/** CSS pixels. */
const [WIDTH, MARGIN, TITLE, LEGEND, PLOT] = [1100, 24, 56, 32, 340];

/**
 * The model map, and the spectrum of the selected row, in the colours of the theme.
 * @param spectrum null: none is selected
 * @returns a PNG in base64
 */
export async function reportPicture(summary: ModelSummary, map: ModelMap, spectrum: Spectrum | null): Promise<string> {
  const inner = WIDTH - 2 * MARGIN;
  const layout = mapLayout(map, inner, TEXT.others);
  const drawn = spectrum !== null && (spectrum.singularValues[0] ?? 0) > 0 ? spectrum : null;
  const height = MARGIN + TITLE + LEGEND + layout.height + MARGIN + (drawn === null ? 0 : TITLE + PLOT + MARGIN);
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH * ZOOM;
  canvas.height = height * ZOOM;
  const ctx = canvas.getContext("2d")!;
  ctx.scale(ZOOM, ZOOM);
  ctx.fillStyle = themeColor("editor-background");
  ctx.fillRect(0, 0, WIDTH, height);

  const facts = [formatLabel(summary.format), `${countText(summary.parameters)} ${TEXT.parameters.toLowerCase()}`, bytesText(summary.bytes)].join(" · ");
  heading(ctx, MARGIN, fileName(summary.path), facts);
  scaleLegend(ctx, MARGIN + TITLE);
  ctx.save();
  ctx.translate(MARGIN, MARGIN + TITLE + LEGEND);
  drawMap(ctx, { layout, theme: themeKind(), selected: drawn?.row.id ?? null, view: { x: 0, y: 0, width: layout.width, height: layout.height } });
  ctx.restore();
  if (drawn !== null) {
    const top = height - TITLE - PLOT - MARGIN;
    heading(ctx, top, TEXT.spectrumOf(drawn.row.name), [...(drawn.row.part === null ? [] : [partText(drawn.row)]), ...rankLegend(drawn)].join(" · "));
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    await drawSpectrum(ctx, drawn, MARGIN * ZOOM, (top + TITLE) * ZOOM, inner * ZOOM, PLOT * ZOOM);
  }
  return canvas.toDataURL("image/png").replace(/^data:image\/png;base64,/, "");
}

function heading(ctx: CanvasRenderingContext2D, top: number, title: string, text: string): void {
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillStyle = themeColor("foreground");
  ctx.font = themeFont(16);
  ctx.fillText(title, MARGIN, top, WIDTH - 2 * MARGIN);
  ctx.fillStyle = themeColor("descriptionForeground", "foreground");
  ctx.font = themeFont(12);
  ctx.fillText(text, MARGIN, top + 24, WIDTH - 2 * MARGIN);
}

function scaleLegend(ctx: CanvasRenderingContext2D, top: number): void {
  const [bar, steps] = [160, 80];
  ctx.fillStyle = themeColor("foreground");
  ctx.font = themeFont(11);
  const text = `${TEXT.utilization}  0 %`;
  ctx.fillText(text, MARGIN, top);
  const left = MARGIN + ctx.measureText(text).width + 8;
  for (let step = 0; step < steps; step++) {
    ctx.fillStyle = utilizationColor(step / (steps - 1), themeKind());
    ctx.fillRect(left + (step * bar) / steps, top, bar / steps + 0.5, 11);
  }
  ctx.fillStyle = themeColor("foreground");
  ctx.fillText("100 %", left + bar + 8, top);
}

const rankLegend = ({ row }: Spectrum): string[] => marksOf(row).map(({ label, figure }) => `${label} ${figure}`);

/** uPlot draws for the screen's resolution: the size and the fonts are brought to the picture's. */
async function drawSpectrum(ctx: CanvasRenderingContext2D, spectrum: Spectrum, x: number, y: number, width: number, height: number): Promise<void> {
  const zoom = ZOOM / devicePixelRatio;
  const [plotWidth, plotHeight] = [Math.round(width / devicePixelRatio), Math.round(height / devicePixelRatio)];
  const holder = document.createElement("div");
  const options = spectrumOptions({ spectrum, scale: "logarithmic", width: plotWidth, height: plotHeight, zoom });
  const plot = new uPlot(options, spectrumData(spectrum, "logarithmic"), holder);
  // It draws when this turn of the event loop ends.
  await new Promise((resolve) => setTimeout(resolve, 0));
  ctx.drawImage(plot.ctx.canvas, x, y);
  plot.destroy();
}
