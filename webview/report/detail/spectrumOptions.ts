import uPlot from "uplot";
import { magnitudeText, percentText } from "../../../src/shared/figures";
import type { Spectrum } from "../../../src/shared/protocol";
import { themeFont } from "../../components/theme";
import { groupedText } from "../figures";
import { TEXT } from "../strings";
import type { UiState } from "../uiState";
import { drawMarks } from "./drawMarks";
import { cumulativeEnergy, marksOf, noiseEdge } from "./marks";
import { plotColors } from "./plotColors";

/** Font of the axes, their sizes, and the room above the plot. CSS pixels. */
const [FONT, AXIS_WIDTH, ENERGY_WIDTH, AXIS_HEIGHT, TOP] = [10, 50, 40, 22, 8];
/** A spectrum may fall to zero: a logarithmic axis shows this many decades at most. */
const DECADES = 12;

export interface SpectrumDrawing {
  readonly spectrum: Spectrum;
  readonly scale: UiState["scale"];
  readonly width: number;
  readonly height: number;
  /** 1 on the screen; larger for a picture. */
  readonly zoom: number;
  /** Told the index under the cursor, from 0; null when it left. */
  readonly onCursor?: (index: number | null) => void;
}

/** Index, σ and cumulative energy. On a logarithmic axis values at or below its foot have no point. */
export function spectrumData({ singularValues }: Spectrum, scale: UiState["scale"]): uPlot.AlignedData {
  const foot = (singularValues[0] ?? 0) * 10 ** -DECADES;
  return [
    singularValues.map((_, index) => index + 1),
    singularValues.map((value) => (scale === "logarithmic" && value <= foot ? null : value)),
    cumulativeEnergy(singularValues),
  ];
}

export function spectrumOptions({ spectrum, scale, width, height, zoom, onCursor }: SpectrumDrawing): uPlot.Options {
  const colors = plotColors();
  const count = spectrum.singularValues.length;
  const font = themeFont(FONT * zoom);
  const grid = { stroke: colors.grid, width: zoom };
  const axis = { stroke: colors.text, font, labelFont: font, grid, ticks: { ...grid, size: 4 * zoom }, gap: 3 * zoom, labelSize: 16 * zoom, labelGap: 0 };
  const marks = { marks: marksOf(spectrum.row), edge: noiseEdge(spectrum.row), colors, font: themeFont, zoom };
  return {
    width,
    height,
    padding: [TOP * zoom, 0, 0, 0],
    legend: { show: false },
    cursor: { show: onCursor !== undefined, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: false, range: [Math.min(1, count - 1), Math.max(2, count)] },
      "σ": scale === "logarithmic" ? { distr: 3 } : { range: (_, __, max) => [0, max * 1.05 || 1] },
      energy: { range: [0, 1] },
    },
    series: [
      {},
      { scale: "σ", stroke: colors.sigma, width: 1.75 * zoom, points: { show: count <= 32, size: 4 * zoom, fill: colors.sigma } },
      { scale: "energy", stroke: colors.energy, width: 1.25 * zoom, dash: [4 * zoom, 2 * zoom], points: { show: false } },
    ],
    axes: [
      { ...axis, size: AXIS_HEIGHT * zoom, label: TEXT.index, values: (_, splits) => splits.map((at) => (Number.isInteger(at) ? groupedText(at) : "")) },
      { ...axis, scale: "σ", size: AXIS_WIDTH * zoom, label: TEXT.sigma, values: (_, splits) => splits.map((at) => (at === null ? "" : magnitudeText(at))) },
      { ...axis, scale: "energy", side: 1, size: ENERGY_WIDTH * zoom, label: TEXT.energy, grid: { show: false }, values: (_, splits) => splits.map(percentText) },
    ],
    hooks: {
      draw: [(plot) => drawMarks(plot, uPlot.pxRatio, marks)],
      setCursor: [({ cursor }) => onCursor?.(cursor.idx ?? null)],
    },
  };
}
