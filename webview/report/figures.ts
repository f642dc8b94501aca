import { durationText, magnitudeText, percentText, rankText } from "../../src/shared/figures";
import type { MeasureInfo } from "../../src/shared/measureInfo";
import { fullRank } from "../../src/shared/fullRank";
import type { LayerRow, Measures } from "../../src/shared/report";
import { TEXT } from "./strings";

/** A count with its digits in groups, by the reader's language. */
export const groupedText = (count: number): string => count.toLocaleString();

export const sizeText = (sizes: readonly number[]): string => (sizes.length === 0 ? "scalar" : sizes.join("×"));

/** What an estimate is marked with, wherever a figure stands. */
const ESTIMATE_MARK = "≈ ";

/** Most matrices take milliseconds. */
export const timeText = (ms: number): string => (ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : durationText(ms));

/** A measure as a person reads it. */
export function measureText(info: MeasureInfo, measures: Measures): string {
  const value = info.value(measures);
  if (value === null) return info.key === "conditionNumber" ? TEXT.infinite : TEXT.notDefined;
  return (measures.exact ? "" : ESTIMATE_MARK) + figureText(info, value);
}

function figureText({ format }: MeasureInfo, value: number): string {
  switch (format) {
    case "integer": return Number.isInteger(value) ? groupedText(value) : rankText(value);
    case "real": return rankText(value);
    case "percent": return percentText(value);
    case "scientific": return magnitudeText(value);
  }
}

/** What must be said about a figure beside it: an estimate and its error, a threshold that rounding could tip. */
export function measureRemark(info: MeasureInfo, measures: Measures): string | null {
  const remarks: string[] = [];
  if (!measures.exact) remarks.push(TEXT.estimate(measures.relativeError === null ? null : errorText(measures.relativeError)));
  if (measures.ties.includes(info.key)) remarks.push(TEXT.tie);
  return remarks.length === 0 ? null : remarks.join(". ");
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
