import type { Measures } from "../../src/shared/report";

/** What measures.py says of a matrix. */
export type Reference = Omit<Measures, "exact" | "relativeError" | "ms"> & { readonly singularValues: number[] };

/** Fields of `ties` for the integers, by what can be read off the measures. */
const integers: Record<string, (m: Flat) => number | null> = {
  numericalRank: (m) => m.numericalRank,
  "energyRank0.9": (m) => m.energyRank["0.9"],
  "energyRank0.95": (m) => m.energyRank["0.95"],
  "energyRank0.99": (m) => m.energyRank["0.99"],
  hardThresholdRank: (m) => m.hardThresholdRank,
  evbmfRank: (m) => m.evbmfRank,
  spikes: (m) => m.marchenkoPastur?.spikes ?? null,
};

const reals: Record<string, (m: Flat) => number | null> = {
  frobeniusNorm: (m) => m.frobeniusNorm,
  spectralNorm: (m) => m.spectralNorm,
  nuclearNorm: (m) => m.nuclearNorm,
  stableRank: (m) => m.stableRank,
  effectiveRank: (m) => m.effectiveRank,
  participationRatio: (m) => m.participationRatio,
  utilization: (m) => m.utilization,
  conditionNumber: (m) => m.conditionNumber,
  softRank: (m) => m.marchenkoPastur?.softRank ?? null,
  edge: (m) => m.marchenkoPastur?.edge ?? null,
  powerLawAlpha: (m) => m.powerLawAlpha,
  spectralRadius: (m) => m.spectralRadius,
};

/** A measure follows the tie that decides it. */
const decidedBy: Record<string, string> = { conditionNumber: "numericalRank", softRank: "spikes", edge: "spikes" };

type Flat = Omit<Measures, "exact" | "relativeError" | "ms" | "ties">;

/**
 * Measures that differ, as sentences; none when all agree: reals within `tolerance` of each other, integers equal.
 * A measure that the product itself tells as a tie may differ, if the reference sees the tie too.
 */
export function disagreements(ours: Flat & { readonly ties: readonly string[] }, theirs: Reference, tolerance: number): string[] {
  const shared = ours.ties.filter((name) => theirs.ties.includes(name));
  const open = (name: string) => shared.includes(decidedBy[name] ?? name);
  const found: string[] = [];
  for (const [name, read] of Object.entries({ ...integers, ...reals })) {
    const [a, b] = [read(ours), read(theirs)];
    const same = a === b || (a !== null && b !== null && name in reals && Math.abs(a - b) <= tolerance * Math.abs(b) + 4 * Number.MIN_VALUE);
    if (!same && !open(name)) found.push(`${name}: ${a} instead of ${b}`);
  }
  const told = [...ours.ties].sort().join(" ");
  if (told !== theirs.ties.join(" ")) found.push(`ties: ${told} instead of ${theirs.ties.join(" ")}`);
  return found;
}
