import type { LayerRow, Measures } from "../../../src/shared/report";

/** Measures of a diagonal matrix diag(2, 1), but for what a test changes. */
export function measuresOf(changes: Partial<Measures> = {}): Measures {
  return {
    frobeniusNorm: Math.sqrt(5), spectralNorm: 2, nuclearNorm: 3, stableRank: 1.25, effectiveRank: 1.89, participationRatio: 25 / 17, numericalRank: 2,
    energyRank: { "0.9": 2, "0.95": 2, "0.99": 2 }, utilization: 0.945, conditionNumber: 2, hardThresholdRank: null, evbmfRank: 1,
    marchenkoPastur: null, powerLawAlpha: null, breakEvenRank: 1, spectralRadius: null, exact: true, relativeError: null, ties: [], ms: 1,
    ...changes,
  };
}

export function pendingRow(id: number, changes: Partial<LayerRow> = {}): LayerRow {
  return {
    id, name: `layer${id}`, kind: "linear", shape: [2, 2], dtype: "f32", parameters: 4, matrix: [2, 2], factorRank: null, unfolding: "none", part: null, input: "columns",
    block: null, module: `layer${id}`, notes: [], state: "pending", first: null, measures: null, fault: null, ...changes,
  };
}

export function doneRow(id: number, changes: Partial<LayerRow> = {}, measures: Partial<Measures> = {}): LayerRow {
  return { ...pendingRow(id, changes), state: "done", measures: measuresOf(measures) };
}

export function failedRow(id: number, message: string, changes: Partial<LayerRow> = {}): LayerRow {
  return { ...pendingRow(id, changes), state: "failed", fault: { code: "not-finite", message, next: "" } };
}
