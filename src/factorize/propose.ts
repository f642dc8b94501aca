import { epsilonOf } from "../models/dtypes";
import { assertPossible, efficient, type Allocation, type Choice } from "./budget/choices";
import { equalRatio } from "./budget/equalRatio";
import { leastTotal } from "./budget/leastTotal";
import { minimax } from "./budget/minimax";
import type { Candidate, Considered } from "./candidates";
import { breakEven, ladderOf, rungAt, wholeRung, type ModeSpectra, type Rung } from "./ladder";
import type { PlanLayer } from "./plan";
import { rankOf, ruleText, type RankRule } from "./rankRule";
import type { Positions, Scheme } from "./scheme";
import type { Target } from "./target";

/** How a budget is shared over layers. */
export const ALLOCATIONS = { minimax, "least-total": leastTotal, "equal-ratio": equalRatio } as const;
export type AllocationId = keyof typeof ALLOCATIONS;

export interface Budget {
  readonly unit: "params" | "bytes";
  /** In the unit, for the whole model. */
  readonly amount: number;
  readonly allocation: AllocationId;
}

export type Wish = { readonly kind: "rule"; readonly rule: RankRule } | { readonly kind: "budget"; readonly budget: Budget };

/**
 * Ranks of a mode that a budget chooses among: with every one of a large layer's a model of hundreds of layers would have
 * a million choices, which differ by less than its budget's rounding.
 */
const MOST_RANKS = 256;
/** One budget after another is tried on the same candidates. */
const RUNGS = new WeakMap<Candidate, readonly Rung[]>();

/** Sizes of activations are not known: multiply-adds are then those of one output position. */
const ONE_POSITION: Positions = { before: [], after: [] };

/** Layers of a plan, and how an allocation ended. */
export interface Proposal {
  readonly layers: readonly PlanLayer[];
  readonly allocation: Allocation | null;
}

/**
 * Chooses ranks for all candidates.
 * @param total of the whole model in the budget's unit, and in words
 * @throws Fault budget-impossible
 */
export function propose(considered: readonly Considered[], wish: Wish, total: number, words: (amount: number) => string): Proposal {
  return wish.kind === "rule"
    ? { layers: considered.map((layer) => (layer.candidate === null ? kept(layer, layer.reason) : byRule(layer, layer.candidate, wish.rule))), allocation: null }
    : byBudget(considered, wish.budget, total, words);
}

function byRule(layer: Considered, candidate: Candidate, rule: RankRule): PlanLayer {
  const whole = wholeRung(candidate.target, ONE_POSITION);
  const proposals = candidate.schemes.map(({ scheme, spectra }) => ruled(candidate.target, scheme, spectra, rule, whole)).filter((found) => found !== null);
  if (proposals.length === 0) return kept(layer, "the rule places no rank for its spectrum");
  const { rung, limit } = proposals.reduce((best, other) => (other.rung.parameters < best.rung.parameters ? other : best));
  if (rung.parameters < whole.parameters) return factorized(layer, rung, ruleText(rule));
  const most = limit === null ? "no rank would make it smaller" : `its break-even rank is ${limit.ranks.join(" × ")}`;
  return kept(layer, `${ruleText(rule)}${rule.kind === "fixed" ? "" : `, ${rung.ranks.join(" × ")},`} does not make it smaller: ${most}`);
}

function ruled(target: Target, scheme: Scheme, spectra: readonly ModeSpectra[], rule: RankRule, whole: Rung): { rung: Rung; limit: Rung | null } | null {
  const full = scheme.fullRanks(target);
  const ladder = ladderOf(target, scheme, spectra, ONE_POSITION);
  const limit = breakEven(ladder, whole);
  if (rule.kind === "ratio") return { rung: ladder.findLast(({ parameters }) => parameters <= rule.share * whole.parameters) ?? ladder[0]!, limit };
  const longer = target.shape.reduce((all, size) => all * size, 1);
  const ranks = spectra.map((mode, index) => {
    const groups = mode.length;
    const found = mode.map((values) => rankOf(shared(rule, spectra.length), values, values.length, Math.max(values.length, Math.round(longer / (groups * values.length))), epsilonOf(target.dtype)));
    // All groups have one rank: that of the group that needs most.
    return found.includes(null) ? null : Math.min(full[index]!, Math.max(1, ...found.map((rank) => rank ?? 1)));
  });
  return ranks.includes(null) ? null : { rung: rungAt(target, scheme, ranks.map((rank) => rank ?? 1), spectra, ONE_POSITION), limit };
}

/** What each of several modes may lose adds up: they share what the rule lets the layer lose. */
function shared(rule: RankRule, modes: number): RankRule {
  return rule.kind === "energy" ? { kind: "energy", share: 1 - (1 - rule.share) / modes } : rule;
}

function byBudget(considered: readonly Considered[], budget: Budget, total: number, words: (amount: number) => string): Proposal {
  const candidates = considered.flatMap((layer) => (layer.candidate === null ? [] : [{ layer, rungs: rungsOf(layer.candidate) }]));
  const costOf = (layer: Considered, parameters: number): number => (budget.unit === "params" ? parameters : parameters * bytesOf(layer.dtype));
  const choices = candidates.map(({ layer, rungs }) => rungs.map((rung): Choice => ({ cost: costOf(layer, rung.parameters), error: budget.allocation === "minimax" ? rung.spectralError : rung.error2 })));
  const fixed = total - candidates.reduce((sum, { layer }) => sum + costOf(layer, layer.parameters), 0);
  assertPossible(choices, fixed, budget.amount, words);
  const allocation = ALLOCATIONS[budget.allocation](choices, budget.amount - fixed);
  const chosen = new Map(candidates.map(({ layer, rungs }, index) => [layer.name, rungs[allocation.chosen[index]!]!]));
  const layers = considered.map((layer) => {
    const rung = chosen.get(layer.name);
    if (rung === undefined) return kept(layer, layer.reason);
    return rung.scheme === null ? kept(layer, "the budget leaves room for it as it is") : factorized(layer, rung, `${budget.allocation} under a budget of ${words(budget.amount)}`);
  });
  return { layers, allocation };
}

/**
 * The layer as it is, and every rank of every scheme that makes it smaller. Of two schemes at one size the one that loses less
 * is left: errors in the spectral norm, which minimax spreads, compare layers and not schemes.
 */
export function rungsOf(candidate: Candidate): readonly Rung[] {
  const known = RUNGS.get(candidate);
  if (known !== undefined) return known;
  const { target, schemes } = candidate;
  const whole = wholeRung(target, ONE_POSITION);
  const all = [whole, ...schemes.flatMap(({ scheme, spectra }) => ladderOf(target, scheme, spectra, ONE_POSITION, MOST_RANKS).filter(({ parameters }) => parameters < whole.parameters))];
  const rungs = efficient(all.map(({ parameters, error2 }) => ({ cost: parameters, error: error2 }))).map((index) => all[index]!);
  RUNGS.set(candidate, rungs);
  return rungs;
}

const BYTES: Readonly<Record<string, number>> = { float64: 8, float32: 4, float16: 2, bfloat16: 2 };

export function bytesOf(dtype: string): number {
  return BYTES[dtype] ?? 4;
}

function kept({ name, parameters }: Considered, reason: string): PlanLayer {
  return { name, action: "keep", scheme: null, ranks: [], reason, parametersBefore: parameters, parametersAfter: parameters, relativeError: 0 };
}

function factorized({ name, parameters }: Considered, rung: Rung, reason: string): PlanLayer {
  return {
    name, action: "factorize", scheme: rung.scheme, ranks: rung.ranks, reason, parametersBefore: parameters, parametersAfter: rung.parameters,
    relativeError: Number(Math.sqrt(rung.error2).toPrecision(6)),
  };
}
