import { entropyRanks } from "../rank/entropyRanks";
import { relativeSpectrum } from "../rank/relativeSpectrum";
import type { Scheme } from "./scheme";
import type { Spectra } from "./ladder";

/**
 * Effective rank over the rank that is kept, for several modes the largest. Where the largest of all layers is as small as
 * possible, every layer keeps a rank in proportion to its effective rank (the signal of Swift-SVD: Qi et al., 2026).
 */
export function effectiveShare(scheme: Scheme, ranks: readonly number[], spectra: Spectra): number {
  return ranks.reduce((most, rank, mode) => {
    // Fitted errors are no spectrum: there the layer's own tells how evenly it is spread.
    const groups = (scheme.fit === undefined ? spectra[mode] : spectra[ranks.length]) ?? [];
    return groups.reduce((all, values) => Math.max(all, effectiveRank(values) / rank), most);
  }, 0);
}

/** A ladder asks for the same spectrum at every rank. */
const KNOWN = new WeakMap<Float64Array, number>();

function effectiveRank(values: Float64Array): number {
  const known = KNOWN.get(values);
  if (known !== undefined) return known;
  const found = entropyRanks(relativeSpectrum(values)).effectiveRank;
  KNOWN.set(values, found);
  return found;
}
