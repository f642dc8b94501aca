import type { Measures } from "../../../src/shared/report";

/** r equal singular values and nothing else: stable, effective and numerical rank are r, by definition. */
export const flatSpectrum = (rank: number, k: number, sigma = 1): number[] => Array.from({ length: k }, (_, index) => (index < rank ? sigma : 0));

/** σᵢ = i^−exponent over a floor: what trained layers look like. */
export const decayingSpectrum = (k: number, exponent: number, floor = 0.02): number[] => Array.from({ length: k }, (_, index) => 4 * ((index + 1) ** -exponent + floor * (1 - index / (2 * k))));

/** Measures of made-up spectra, near enough to look at. What tests compare comes from flat spectra, where they are known. */
export function madeUpMeasures(singularValues: readonly number[], [rows, columns]: readonly [number, number], changes: Partial<Measures> = {}): Measures {
  const sum = singularValues.reduce((total, value) => total + value, 0);
  const energy = singularValues.reduce((total, value) => total + value ** 2, 0);
  const first = singularValues[0] ?? 0;
  const k = singularValues.length;
  const effectiveRank = Math.exp(-singularValues.reduce((total, value) => (value > 0 ? total + (value / sum) * Math.log(value / sum) : total), 0));
  const rankOf = (share: number): number => {
    let reached = 0;
    return singularValues.findIndex((value) => (reached += value ** 2) >= share * energy * (1 - 1e-12)) + 1;
  };
  const numericalRank = singularValues.filter((value) => value > 1e-7 * first).length;
  return {
    frobeniusNorm: Math.sqrt(energy), spectralNorm: first, nuclearNorm: sum,
    stableRank: energy / first ** 2, effectiveRank, participationRatio: energy ** 2 / singularValues.reduce((total, value) => total + value ** 4, 0),
    numericalRank, energyRank: { "0.9": rankOf(0.9), "0.95": rankOf(0.95), "0.99": rankOf(0.99) }, utilization: effectiveRank / k,
    conditionNumber: numericalRank < k ? null : first / singularValues[k - 1]!, hardThresholdRank: Math.ceil(k / 3), evbmfRank: Math.ceil(k / 4),
    marchenkoPastur: { spikes: Math.ceil(k / 20), softRank: 0.12, edge: singularValues[Math.ceil(k / 20)] ?? first }, powerLawAlpha: 3.2,
    breakEvenRank: Math.floor((rows * columns) / (rows + columns)), spectralRadius: null, exact: true, relativeError: null, ties: [], ms: 12,
    ...changes,
  };
}
