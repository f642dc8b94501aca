import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { magnitudeText } from "../../../src/shared/figures";
import { TEXT } from "../strings";
import { DragPlot } from "./dragPlot";
import { axisLook, drawHandle, plotLook } from "./look";

/** CSS pixels. */
const HEIGHT = 130;
/** A spectrum may fall to zero: a logarithmic axis shows this many decades at most. */
const DECADES = 8;

interface CutPlotProps {
  /** Singular values of one side of the layer, largest first. */
  readonly values: readonly number[];
  /** How many of them stay. */
  readonly rank: number;
  readonly label: string;
  readonly text: string;
  readonly onRank: (rank: number) => void;
  readonly onDropped: () => void;
}

/** A layer's spectrum with the cut: what is right of the handle goes. */
export function CutPlot({ values, rank, label, text, onRank, onDropped }: CutPlotProps): JSX.Element {
  const data = useMemo((): uPlot.AlignedData => {
    const foot = (values[0] ?? 0) * 10 ** -DECADES;
    return [values.map((_, index) => index + 1), values.map((value) => (value > foot ? value : null))];
  }, [values]);
  const set = (wanted: number): void => onRank(Math.round(Math.max(1, Math.min(values.length, wanted))));
  return (
    <DragPlot data={data} height={HEIGHT} options={() => cutOptions(values.length)} label={label} value={{ least: 1, most: values.length, now: rank, text }}
      draw={(plot, ratio) => {
        const look = plotLook();
        shadeCut(plot, rank, look.grid);
        drawHandle(plot, ratio, rank, look.mark);
      }}
      onDrag={set} onDropped={onDropped} onStep={(steps) => set(Number.isFinite(steps) ? rank + steps : steps < 0 ? 1 : values.length)} />
  );
}

function cutOptions(count: number): Omit<uPlot.Options, "width" | "height" | "hooks"> {
  const look = plotLook();
  const axis = axisLook(look);
  return {
    padding: [6, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [Math.min(1, count - 1), Math.max(2, count)] }, "σ": { distr: 3 } },
    series: [{}, { scale: "σ", stroke: look.line, width: 1.75, points: { show: count <= 32, size: 4, fill: look.line } }],
    axes: [
      { ...axis, size: 20, label: TEXT.index, values: (_, splits) => splits.map((at) => (Number.isInteger(at) ? String(at) : "")) },
      { ...axis, scale: "σ", size: 40, label: "σ", values: (_, splits) => splits.map((at) => (at === null ? "" : magnitudeText(at))) },
    ],
  };
}

function shadeCut({ ctx, bbox, valToPos }: uPlot, rank: number, color: string): void {
  const at = valToPos(rank, "x", true);
  ctx.save();
  ctx.fillStyle = color;
  ctx.fillRect(at, bbox.top, bbox.left + bbox.width - at, bbox.height);
  ctx.restore();
}
