import type { PlainFault } from "../shared/fault";
import type { FirstFigures, Measures } from "../shared/report";

/** What one matrix came to. */
export interface RowResult {
  readonly measures: Measures;
  /** Largest first. */
  readonly singularValues: Float64Array;
  readonly readMs: number;
  readonly computeMs: number;
}

/** First figures may come before the result; a result or a fault settles the row. */
export type RowOutcome = { readonly result: RowResult } | { readonly fault: PlainFault } | { readonly first: FirstFigures };

/** Measures that every matrix has; the others are null where they are not defined. */
const REQUIRED = [
  "frobeniusNorm", "spectralNorm", "nuclearNorm", "stableRank", "effectiveRank", "participationRatio", "numericalRank",
  "utilization", "evbmfRank", "breakEvenRank", "ms",
] as const satisfies readonly (keyof Measures)[];

const OPTIONAL = ["conditionNumber", "hardThresholdRank", "powerLawAlpha", "spectralRadius", "relativeError"] as const satisfies readonly (keyof Measures)[];

/** True when all numbers are finite and of the right type: measures that can be stored, shown and sent as JSON. */
export function areMeasures(value: unknown): value is Measures {
  if (!isObject(value)) return false;
  const { energyRank, marchenkoPastur, ties, exact } = value;
  return (
    REQUIRED.every((key) => Number.isFinite(value[key])) &&
    OPTIONAL.every((key) => value[key] === null || Number.isFinite(value[key])) &&
    isObject(energyRank) && ["0.9", "0.95", "0.99"].every((key) => Number.isFinite(energyRank[key])) &&
    (marchenkoPastur === null || (isObject(marchenkoPastur) && ["spikes", "softRank", "edge"].every((key) => Number.isFinite(marchenkoPastur[key])))) &&
    Array.isArray(ties) && ties.every((tie) => typeof tie === "string") &&
    typeof exact === "boolean"
  );
}

const FIRST = ["frobeniusNorm", "spectralNorm", "stableRank", "relativeError"] as const satisfies readonly (keyof FirstFigures)[];

export function areFirstFigures(value: unknown): value is FirstFigures {
  return isObject(value) && FIRST.every((key) => Number.isFinite(value[key]));
}

/** JSON has no ∞ and no NaN: an optional measure that is not finite is not defined. */
export function withFiniteOptions(measures: Measures): Measures {
  const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);
  const bulk = measures.marchenkoPastur;
  return {
    ...measures,
    conditionNumber: finite(measures.conditionNumber),
    hardThresholdRank: finite(measures.hardThresholdRank),
    powerLawAlpha: finite(measures.powerLawAlpha),
    spectralRadius: finite(measures.spectralRadius),
    relativeError: finite(measures.relativeError),
    marchenkoPastur: bulk !== null && [bulk.spikes, bulk.softRank, bulk.edge].every(Number.isFinite) ? bulk : null,
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
