import { durationText, magnitudeText, percentText, rankText } from "../../src/shared/figures";
import type { MeasureInfo } from "../../src/shared/measureInfo";
import { fullRank } from "../../src/shared/fullRank";
import type { FirstFigures, LayerRow } from "../../src/shared/report";
import { TEXT } from "./strings";

/** A count with its digits in groups, by the reader's language. */
export const groupedText = (count: number): string => count.toLocaleString();

export const sizeText = (sizes: readonly number[]): string => (sizes.length === 0 ? "scalar" : sizes.join("×"));

/** What an estimate is marked with, wherever a figure stands. */
const ESTIMATE_MARK = "≈ ";

/** Most matrices take milliseconds. */
export const timeText = (ms: number): string => (ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : durationText(ms));

/** A measure of a row as a person reads it, and what must be said beside it. */
export interface ShownMeasure {
  readonly text: string;
  readonly estimate: boolean;
  /** A tie is a count that rounding could tip. */
  readonly tie: boolean;
  readonly remark: string | null;
  /** The row's measures are known and this one has no value. */
  readonly isUndefined: boolean;
}

/** @returns null while nothing is known of it */
export function shownMeasure(info: MeasureInfo, { measures, first }: LayerRow): ShownMeasure | null {
  if (measures === null) return first === null ? null : firstMeasure(info, first);
  const value = info.value(measures);
  const tie = measures.ties.includes(info.key);
  const remarks = [
    ...(measures.exact ? [] : [TEXT.estimate(measures.relativeError === null ? null : errorText(measures.relativeError))]),
    ...(tie ? [TEXT.tie] : []),
  ];
  const infinite = info.key === "conditionNumber";
  return {
    text: value === null ? (infinite ? TEXT.infinite : TEXT.notDefined) : (measures.exact ? "" : ESTIMATE_MARK) + figureText(info, value),
    estimate: !measures.exact, tie, remark: remarks.length === 0 ? null : remarks.join(". "), isUndefined: value === null && !infinite,
  };
}

/** What the sweep ahead of the spectra finds; the stable rank's error is twice that of σ₁. */
function firstMeasure(info: MeasureInfo, first: FirstFigures): ShownMeasure | null {
  const exact = { estimate: false, tie: false, remark: null, isUndefined: false };
  const estimate = (value: number, error: number): ShownMeasure =>
    ({ ...exact, text: ESTIMATE_MARK + figureText(info, value), estimate: true, remark: TEXT.estimate(errorText(error)) });
  switch (info.key) {
    case "frobeniusNorm": return { ...exact, text: figureText(info, first.frobeniusNorm) };
    case "spectralNorm": return estimate(first.spectralNorm, first.relativeError);
    case "stableRank": return estimate(first.stableRank, 2 * first.relativeError);
    default: return null;
  }
}

function figureText({ format }: MeasureInfo, value: number): string {
  switch (format) {
    case "integer": return Number.isInteger(value) ? groupedText(value) : rankText(value);
    case "real": return rankText(value);
    case "percent": return percentText(value);
    case "scientific": return magnitudeText(value);
  }
}

/** An error bound keeps two digits: 0.4 % must not become 0 %. */
function errorText(relative: number): string {
  return `${Number((relative * 100).toPrecision(2))} %`;
}

/** How the row's matrix differs from the other rows of its layer; null when it stands for the layer. */
export function partText(row: LayerRow): string {
  if (row.part !== null && row.unfolding !== "none" && row.unfolding !== "channel") return `${row.part}, ${TEXT.unfolding[row.unfolding]}`;
  return row.part ?? TEXT.unfolding[row.unfolding];
}

export const kOf = fullRank;

/** The last part of a path of any system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}

/** The last folder of a path of any system; empty where there is none. */
export function folderName(path: string): string {
  return path.split(/[\\/]/).at(-2) ?? "";
}
