import { countAbove, TIE, type Count } from "./thresholdCount";

/**
 * The rank that empirical variational Bayesian matrix factorization finds (Nakajima, Sugiyama, Babacan & Tomioka,
 * Global analytic solution of fully-observed variational Bayesian matrix factorization, JMLR 14, 2013; noise variance
 * as in their Perfect dimensionality recovery by variational Bayesian PCA, NIPS 2012): singular values above
 * √(M σ̂² x̄), with the noise variance σ̂² that minimises the free energy.
 *
 * A matrix whose rank is exactly so low that the free energy falls without bound as σ̂² → 0 has no noise:
 * then all its singular values above rounding count.
 * @param s σ/σ₁, largest first; at least one
 * @param noise relative size of rounding; values at or below it are taken as zero
 */
export function evbmfRank(s: Float64Array, rows: number, columns: number, noise: number): Count {
  const energy = freeEnergy(s.map((value) => (value > noise ? value * value : 0)), rows, columns);
  const [low, high] = noiseBounds(energy);
  if (low === -Infinity) return countAbove(s, noise);
  let [rank, least, second] = [0, Infinity, Infinity];
  // σ̂² falls from piece to piece, and each piece keeps one component more.
  for (let kept = 0; kept <= s.length; kept++) {
    const from = Math.max(low, energy.takesNext(kept));
    const to = kept === 0 ? high : Math.min(high, energy.takesNext(kept - 1));
    if (from > to) continue;
    const value = energy.at(kept, lowestPoint(energy, kept, from, to));
    if (value < least) [rank, least, second] = [kept, value, least];
    else second = Math.min(second, value);
    if (from === low) break;
  }
  return { count: rank, tie: second - least <= TIE * s.length };
}

/** Numerical solution for the τ̄ at which a component starts to lower the free energy, over √α. */
const TAU_PER_ROOT_ALPHA = 2.5129;

/**
 * The free energy as a function of t = ln(M σ̂²), over M/2 and up to a constant, in pieces by the number of components
 * that are kept: those with x = σ²/(M σ̂²) > x̄. It jumps a little between pieces, as 2.5129 is not exact, and has a
 * valley in many of them: a search that starts somewhere and goes down ends in another one for every tenth layer.
 */
interface FreeEnergy {
  /** σ², largest first; rounding errors are zero. */
  readonly squares: Float64Array;
  readonly alpha: number;
  /** x̄ */
  readonly edge: number;
  /** The t below which component `index` is kept; −∞ for a zero one and past the last. */
  takesNext(index: number): number;
  at(kept: number, t: number): number;
  slope(kept: number, t: number): number;
}

/**
 * Noise components contribute x − ln x, kept ones, whose τ solves x = (1 + τ)(1 + α/τ),
 * x − τ + ln((τ + 1)/x) + α ln(τ/α + 1), here without the cancellation of x − τ.
 */
function freeEnergy(squares: Float64Array, rows: number, columns: number): FreeEnergy {
  const alpha = Math.min(rows, columns) / Math.max(rows, columns);
  const tauBar = TAU_PER_ROOT_ALPHA * Math.sqrt(alpha);
  const edge = (1 + tauBar) * (1 + alpha / tauBar);
  const k = squares.length;
  const sums = tailSums(squares, (square) => square);
  const logs = tailSums(squares, (square) => (square > 0 ? Math.log(square) : 0));
  const tau = (index: number, t: number): number => {
    const half = squares[index]! * Math.exp(-t) - (1 + alpha);
    return (half + Math.sqrt(Math.max(0, half * half - 4 * alpha))) / 2;
  };
  return {
    squares, alpha, edge,
    takesNext: (index) => Math.log((squares[index] ?? 0) / edge),
    at(kept, t) {
      let energy = sums[kept]! * Math.exp(-t) - logs[kept]! + (k - kept) * t;
      for (let i = 0; i < kept; i++) {
        const root = tau(i, t);
        energy += 1 + alpha + alpha / root - Math.log1p(alpha / root) + alpha * Math.log1p(root / alpha);
      }
      return energy;
    },
    slope(kept, t) {
      let slope = k - kept - sums[kept]! * Math.exp(-t);
      for (let i = 0; i < kept; i++) slope -= alpha * (1 + 1 / tau(i, t));
      return slope;
    },
  };
}

/** Σ f(values[i]) over i ≥ k, for k from 0 to the length. */
function tailSums(values: Float64Array, f: (value: number) => number): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let i = values.length - 1; i >= 0; i--) sums[i] = sums[i + 1]! + f(values[i]!);
  return sums;
}

/** The interval that holds t: at most so many components as the noise allows are kept, at least none. */
function noiseBounds({ squares, alpha, edge }: FreeEnergy): [number, number] {
  const l = squares.length;
  const rest = squares.subarray(Math.min(Math.ceil(l / (1 + alpha)) - 1, l));
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const high = Math.log(mean(squares));
  return [Math.min(high, Math.log(Math.max(rest[0]! / edge, mean(rest)))), high];
}

/** Halvings of a piece: to the last digit. */
const HALVINGS = 60;

/** Where a piece is lowest: at the zero of its slope, which grows as long as noise components prevail, or at an end. */
function lowestPoint({ slope }: FreeEnergy, kept: number, from: number, to: number): number {
  if (slope(kept, from) >= 0) return from;
  if (slope(kept, to) <= 0) return to;
  let [low, high] = [from, to];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (slope(kept, middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
