import { effectiveShare } from "./effectiveShare";
import { multiplyAddsOf, parametersOf, wholeStep, type Positions, type Scheme, type SchemeId } from "./scheme";
import { isConvolution, product, type Target } from "./target";

/** One way to write a layer, with what it costs and what it loses. */
export interface Rung {
  /** null: the layer as it is. */
  readonly scheme: SchemeId | null;
  readonly ranks: readonly number[];
  readonly parameters: number;
  readonly multiplyAdds: number;
  /** ‖W − Ŵ‖_F² / ‖W‖_F²: exact for one mode (Eckart–Young), the bound of HOSVD for two; of cp a bound too, exact at ranks it tried. */
  readonly error2: number;
  /** A bound of ‖W − Ŵ‖₂ / ‖W‖₂, which ALDS spreads over the layers. */
  readonly spectralError: number;
  /** @see effectiveShare; 0 for the layer as it is. */
  readonly effectiveShare: number;
}

/** Singular values of one mode: one list for each group. */
export type ModeSpectra = readonly Float64Array[];

/**
 * Spectra of a scheme's modes; after them, where the scheme's bound is not `apart`, those of the layer's own unfolding,
 * whose largest value is its norm.
 */
export type Spectra = readonly ModeSpectra[];

/** The layer as it is. */
export function wholeRung(target: Target, positions: Positions): Rung {
  return { scheme: null, ranks: [], parameters: product(target.shape), multiplyAdds: multiplyAddsOf([wholeStep(target)], positions), error2: 0, spectralError: 0, effectiveShare: 0 };
}

export function rungAt(target: Target, scheme: Scheme, ranks: readonly number[], spectra: Spectra, positions: Positions): Rung {
  const steps = scheme.steps(target, ranks);
  return {
    scheme: scheme.id, ranks, parameters: parametersOf(steps), multiplyAdds: multiplyAddsOf(steps, positions),
    error2: Math.min(1, ranks.reduce((sum, rank, mode) => sum + tailEnergy(spectra[mode]!, rank), 0)),
    spectralError: spectralBound(target, scheme, ranks, spectra), effectiveShare: effectiveShare(scheme, ranks, spectra),
  };
}

/**
 * Every rank of a scheme from 1 on, smallest first. Two modes are climbed together, each next step on the side that
 * takes more error away for what it costs.
 * @param most ranks of a mode; above it they are climbed in even steps
 */
export function ladderOf(target: Target, scheme: Scheme, spectra: Spectra, positions: Positions, most = Infinity): Rung[] {
  if (scheme.fit !== undefined) return triedRanks(spectra[0]!).map((rank) => rungAt(target, scheme, [rank], spectra, positions));
  const full = scheme.fullRanks(target);
  const above = (rank: number, mode: number): number => {
    const step = Math.ceil(full[mode]! / most) || 1;
    return Math.min(full[mode]!, rank === 1 && step > 1 ? step : rank + step);
  };
  let ranks: readonly number[] = full.map(() => 1);
  const rungs = [rungAt(target, scheme, ranks, spectra, positions)];
  while (ranks.some((rank, mode) => rank < full[mode]!)) {
    const current = rungs.at(-1)!;
    const next = ranks.flatMap((rank, mode) => (rank < full[mode]! ? [rungAt(target, scheme, ranks.with(mode, above(rank, mode)), spectra, positions)] : []));
    const gain = (rung: Rung): number => (current.error2 - rung.error2) / (rung.parameters - current.parameters);
    const best = next.reduce((chosen, rung) => (gain(rung) > gain(chosen) ? rung : chosen));
    rungs.push(best);
    ranks = best.ranks;
  }
  return rungs;
}

/** Those at which fitted errors fall; the last of the values is what is left at all of them. */
function triedRanks(groups: ModeSpectra): number[] {
  return Array.from({ length: (groups[0]?.length ?? 1) - 1 }, (_, index) => index + 1).filter((rank) => rank === 1 || groups.some((values) => values[rank - 1]! > 0));
}

/** The largest rung that is smaller than the layer: beyond it factors gain nothing. Null when there is none. */
export function breakEven(rungs: readonly Rung[], whole: Rung): Rung | null {
  return rungs.findLast(({ parameters }) => parameters < whole.parameters) ?? null;
}

/** @see SpectralBound */
function spectralBound(target: Target, scheme: Scheme, ranks: readonly number[], spectra: Spectra): number {
  const next = ranks.map((rank, mode) => largest(spectra[mode]!, rank));
  if (scheme.bound === "apart") return next.reduce((sum, value, mode) => sum + ratio(value, largest(spectra[mode]!, 0)), 0);
  const own = spectra[ranks.length] ?? spectra[0]!;
  const norm = largest(own, 0);
  if (scheme.bound === "beside") return ratio(Math.sqrt(spectra[0]!.length / groupsOf(target)) * next[0]!, norm);
  const energy = own.reduce((sum, values) => values.reduce((all, value) => all + value * value, sum), 0);
  return ratio(Math.sqrt(energy * tailEnergy(spectra[0]!, ranks[0]!)), norm);
}

function groupsOf({ form }: Target): number {
  return isConvolution(form) ? form.groups : 1;
}

/** σ_{r+1}, of groups the largest. */
function largest(groups: ModeSpectra, rank: number): number {
  return groups.reduce((most, values) => Math.max(most, values[rank] ?? 0), 0);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Σ_{i>r} σ² / Σσ² over all groups. */
function tailEnergy(groups: ModeSpectra, rank: number): number {
  let [tail, total] = [0, 0];
  for (const values of groups) {
    const tails = tailsOf(values);
    tail += tails[Math.min(rank, values.length)]!;
    total += tails[0]!;
  }
  return total === 0 ? 0 : tail / total;
}

/** Σ_{i≥r} σ² for every r, summed once for each spectrum: a ladder asks for all of them. */
const TAILS = new WeakMap<Float64Array, Float64Array>();

function tailsOf(values: Float64Array): Float64Array {
  const known = TAILS.get(values);
  if (known !== undefined) return known;
  const tails = new Float64Array(values.length + 1);
  for (let i = values.length - 1; i >= 0; i--) tails[i] = tails[i + 1]! + values[i]! ** 2;
  TAILS.set(values, tails);
  return tails;
}
