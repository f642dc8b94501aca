import { efficient } from "./budget/choices";
import { candidateLadder, positionsOf } from "./candidateRungs";
import type { Candidate } from "./candidates";
import { wholeRung, type Rung } from "./ladder";
import type { LayerLatency } from "./latency";
import type { AllocationId } from "./propose";
import type { SchemeId } from "./scheme";

/**
 * Ranks of a mode that a budget chooses among: with every one of a large layer's a model of hundreds of layers would have
 * a million choices, which differ by less than its budget's rounding.
 */
const MOST_RANKS = 256;
/** One budget after another is tried on the same candidates, by the same costs. */
const RUNGS = new WeakMap<object, WeakMap<Candidate, Map<string, readonly Rung[]>>>();
/** Sizes and multiply-adds follow from the candidate alone. */
const BY_CANDIDATE = {};
/** In which factors are smaller than their layer. */
export type Measure = "parameters" | "multiplyAdds";

/** Schemes whose spectral errors are of one matrix, the layer's own unfolding: ALDS chooses k by them. */
const COMPARABLE: readonly SchemeId[] = ["svd", "channel", "groups2", "groups4", "groups8"];

/**
 * The layer as it is, and every rank of every scheme that makes it smaller (in the measure of the budget). Of two schemes at
 * one size the one that loses less is left: by its own bound for minimax, where the schemes' bounds compare, else by the
 * Frobenius norm.
 */
export function rungsOf(candidate: Candidate, measure: Measure = "parameters", allocation?: AllocationId): readonly Rung[] {
  return rungsBy(candidate, BY_CANDIDATE, measure, errorFor(candidate, allocation), (rung) => rung[measure]);
}

/** As `rungsOf`, those that take less time than the layer by its measured latency. */
export function timedRungs(candidate: Candidate, latency: LayerLatency, allocation?: AllocationId): readonly Rung[] {
  return rungsBy(candidate, latency, "parameters", errorFor(candidate, allocation), latency);
}

/** What `efficientRungs` gives, once. @param costs what the costs follow from */
function rungsBy(candidate: Candidate, costs: object, measure: Measure, error: "spectralError" | "error2", costOf: (rung: Rung) => number): readonly Rung[] {
  const byCosts = RUNGS.get(costs) ?? new WeakMap<Candidate, Map<string, readonly Rung[]>>();
  RUNGS.set(costs, byCosts);
  const own = byCosts.get(candidate) ?? new Map<string, readonly Rung[]>();
  byCosts.set(candidate, own);
  const known = own.get(`${measure}/${error}`);
  if (known !== undefined) return known;
  const rungs = efficientRungs(candidate, measure, (rung) => rung[error], costOf);
  own.set(`${measure}/${error}`, rungs);
  return rungs;
}

/** @param measure in which factors are smaller than the layer @param costOf what the budget counts; that of factors must be less too */
export function efficientRungs(candidate: Candidate, measure: Measure, errorOf: (rung: Rung) => number, costOf: (rung: Rung) => number): readonly Rung[] {
  const whole = wholeRung(candidate.target, positionsOf(candidate));
  const most = costOf(whole);
  const all = [whole, ...smallerRungs(candidate, measure).flat().filter((rung) => costOf(rung) < most)];
  return efficient(all.map((rung) => ({ cost: costOf(rung), error: errorOf(rung) }))).map((index) => all[index]!);
}

/** Of each scheme the ranks that make the layer smaller, smallest first. */
export function smallerRungs(candidate: Candidate, measure: Measure): readonly (readonly Rung[])[] {
  const { target, schemes } = candidate;
  const positions = positionsOf(candidate);
  const whole = wholeRung(target, positions);
  return schemes.map((each) => candidateLadder(candidate, each, positions, MOST_RANKS).filter((rung) => rung[measure] < whole[measure]));
}

export function errorFor({ schemes }: Candidate, allocation: AllocationId | undefined): "spectralError" | "error2" {
  return allocation === "minimax" && schemes.every(({ scheme }) => COMPARABLE.includes(scheme.id)) ? "spectralError" : "error2";
}
