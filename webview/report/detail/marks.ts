import { rankText } from "../../../src/shared/figures";
import { MEASURE_INFO } from "../../../src/shared/measureInfo";
import type { SortKey } from "../../../src/shared/protocol";
import type { LayerRow } from "../../../src/shared/report";

/** A rank as a line across the spectrum. */
export interface Mark {
  readonly key: SortKey;
  readonly label: string;
  readonly figure: string;
  /** Position on the axis of indices, which counts from 1. */
  readonly rank: number;
}

/** The ranks that are drawn, the extension's own first. */
export const MARKED: readonly SortKey[] = ["stableRank", "effectiveRank", "energyRank0.9", "energyRank0.95", "energyRank0.99"];

export function marksOf({ measures }: LayerRow): readonly Mark[] {
  if (measures === null) return [];
  return MARKED.flatMap((key) => {
    const info = MEASURE_INFO.find((each) => each.key === key);
    const rank = info?.value(measures) ?? null;
    return info === undefined || rank === null ? [] : [{ key, label: info.label, figure: rankText(rank), rank }];
  });
}

/** The singular value at the upper edge of the Marchenko–Pastur bulk: below, the spectrum looks like noise. null where no bulk was found. */
export function noiseEdge({ measures }: LayerRow): number | null {
  return measures?.marchenkoPastur?.edge ?? null;
}

/** Share of the energy in the first k singular values, for k = 1 … K; zeros for a zero matrix. */
export function cumulativeEnergy(singularValues: readonly number[]): number[] {
  const total = singularValues.reduce((sum, value) => sum + value * value, 0);
  let sum = 0;
  return singularValues.map((value) => {
    sum += value * value;
    return total === 0 ? 0 : sum / total;
  });
}
