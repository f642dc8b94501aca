import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { percentText } from "../../../src/shared/figures";
import type { Curve } from "../../../src/shared/planning";
import { themeFont } from "../../components/theme";
import { TEXT } from "../strings";
import { DragPlot } from "./dragPlot";
import { axisLook, drawHandle, plotLook } from "./look";

/** CSS pixels. */
const HEIGHT = 170;
/** An arrow key moves the budget by this share of the model. */
const STEP = 0.01;

/** A preset on the plot, by the size and error of its own proposal. */
export interface CurveMark {
  readonly label: string;
  readonly amount: number;
  readonly error: number;
}

interface CurvePlotProps {
  readonly curve: Curve;
  /** Of the proposal: where the handle stands. */
  readonly at: number;
  readonly marks: readonly CurveMark[];
  readonly text: string;
  /** Amounts of its unit are whole numbers. */
  readonly whole: boolean;
  /** Of the axis along its unit. */
  readonly axis: string;
  readonly onAmount: (amount: number) => void;
}

/** Size against error. The handle is the budget. */
export function CurvePlot({ curve, at, marks, text, whole, axis, onAmount }: CurvePlotProps): JSX.Element {
  const { total, least } = curve;
  const share = at / total;
  const data = useMemo((): uPlot.AlignedData => {
    const points = curve.points.filter(({ amount }, index, all) => index === 0 || amount > all[index - 1]!.amount);
    return [points.map(({ amount }) => amount / total), points.map(({ error }) => error), points.map(({ worst }) => worst)];
  }, [curve]);
  const set = (wanted: number): void => {
    const amount = Math.max(least, Math.min(total, wanted * total));
    onAmount(whole ? Math.round(amount) : amount);
  };
  return (
    <DragPlot data={data} height={HEIGHT} options={() => curveOptions(least / total, axis)} label={TEXT.curveLabel}
      value={{ least: Math.round((100 * least) / total), most: 100, now: Math.round(100 * share), text }}
      draw={(plot, ratio) => {
        const look = plotLook();
        drawMarks(plot, ratio, marks.map((mark) => ({ ...mark, share: mark.amount / total })));
        drawHandle(plot, ratio, share, look.mark);
      }}
      onDrag={set} onStep={(steps) => set(Number.isFinite(steps) ? share + steps * STEP : steps < 0 ? 0 : 1)} />
  );
}

function curveOptions(least: number, name: string): Omit<uPlot.Options, "width" | "height" | "hooks"> {
  const look = plotLook();
  const axis = axisLook(look);
  return {
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [Math.min(least, 0.98), 1] }, y: { range: (_, __, most) => [0, Math.max(most * 1.05, 0.01)] } },
    series: [
      {},
      { stroke: look.line, width: 2, points: { show: false } },
      { stroke: look.second, width: 1.25, dash: [4, 3], points: { show: false } },
    ],
    axes: [
      { ...axis, size: 22, label: name, values: (_, splits) => splits.map(percentText), space: 40 },
      { ...axis, size: 34, label: TEXT.curveError, values: (_, splits) => splits.map((value) => String(Number(value.toFixed(3)))), space: 28 },
    ],
  };
}

/** Dots with names, kept within the plot and off each other. */
function drawMarks({ ctx, bbox, valToPos }: uPlot, ratio: number, marks: readonly (CurveMark & { readonly share: number })[]): void {
  const look = plotLook();
  ctx.save();
  ctx.font = themeFont(10 * ratio);
  ctx.textBaseline = "middle";
  const taken: { left: number; right: number; y: number }[] = [];
  for (const { label, share, error } of marks) {
    const [x, y] = [valToPos(share, "x", true), Math.max(bbox.top, valToPos(error, "y", true))];
    if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
    ctx.fillStyle = look.text;
    ctx.beginPath();
    ctx.arc(x, y, 3 * ratio, 0, 2 * Math.PI);
    ctx.fill();
    const width = ctx.measureText(label).width;
    const left = Math.min(x + 6 * ratio, bbox.left + bbox.width - width);
    const free = [-9, 9, -21, 21].map((offset) => y + offset * ratio).find((line) =>
      line > bbox.top + 5 * ratio && line < bbox.top + bbox.height - 5 * ratio && taken.every((other) => Math.abs(other.y - line) > 11 * ratio || other.right < left || other.left > left + width));
    if (free === undefined) continue;
    taken.push({ left, right: left + width, y: free });
    ctx.fillStyle = look.background;
    ctx.fillRect(left - 2 * ratio, free - 6 * ratio, width + 4 * ratio, 12 * ratio);
    ctx.fillStyle = look.text;
    ctx.fillText(label, left, free);
  }
  ctx.restore();
}
