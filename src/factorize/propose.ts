import { epsilonOf } from "../models/dtypes";
import { assertPossible, type Allocation, type Choice } from "./budget/choices";
import { equalRatio } from "./budget/equalRatio";
import { leastTotal } from "./budget/leastTotal";
import { minimax } from "./budget/minimax";
import { efficientRungs, errorFor, rungsOf, timedRungs, type Measure } from "./budgetRungs";
import type { Candidate, CandidateScheme, Considered } from "./candidates";
import { candidateLadder, candidateRung, positionsOf } from "./candidateRungs";
import { breakEven, wholeRung, type Rung } from "./ladder";
import type { LayerLatency, MeasuredLatency } from "./latency";
import type { PlanLayer } from "./plan";
import { rankOf, ruleText, type RankRule } from "./rankRule";
import type { MeasuredSensitivity } from "./sensitivity";

/** How a budget is shared over layers. */
export const ALLOCATIONS = { minimax, "least-total": leastTotal, "equal-ratio": equalRatio, "effective-rank": minimax } as const;
export type AllocationId = keyof typeof ALLOCATIONS;

/** What of a rung each of them spreads or sums. */
const OBJECTIVES: Readonly<Record<AllocationId, (rung: Rung) => number>> = {
  minimax: ({ spectralError }) => spectralError, "least-total": ({ error2 }) => error2, "equal-ratio": ({ error2 }) => error2, "effective-rank": (rung) => rung.effectiveShare,
};

export interface Budget {
  readonly unit: "params" | "bytes";
  /** In the unit, for the whole model. */
  readonly amount: number;
  readonly allocation: AllocationId;
  /** The errors that are shared, as measured on data; those of the layers themselves where it is left out. */
  readonly sensitivity?: MeasuredSensitivity;
}

/** Of all layers that are counted; those that are not stay as they are. */
export type MultiplyAddsBudget = Pick<Budget, "amount" | "allocation" | "sensitivity">;

export type Wish =
  | { readonly kind: "rule"; readonly rule: RankRule }
  | { readonly kind: "budget"; readonly budget: Budget }
  | { readonly kind: "multiply-adds"; readonly budget: MultiplyAddsBudget }
  /** In milliseconds. */
  | { readonly kind: "latency"; readonly budget: MultiplyAddsBudget; readonly measured: MeasuredLatency };

/** Sums of milliseconds have it: the whole model's time is possible. */
const ROUNDING = 1e-9;

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
  switch (wish.kind) {
    case "rule": return { layers: considered.map((layer) => (layer.candidate === null ? kept(layer, layer.reason) : byRule(layer, layer.candidate, wish.rule))), allocation: null };
    case "budget": {
      const { unit } = wish.budget;
      return byBudget(considered, wish.budget, total, words, { rungs: (candidate) => rungsUnder(candidate, "parameters", wish.budget), costOf: (layer, rung) => (unit === "params" ? rung.parameters : rung.parameters * bytesOf(layer.dtype)) });
    }
    case "multiply-adds": return byBudget(considered.map(counted), wish.budget, total, words, { rungs: (candidate) => rungsUnder(candidate, "multiplyAdds", wish.budget), costOf: (_, rung) => rung.multiplyAdds });
    case "latency": {
      const { budget, measured } = wish;
      const costOf = ({ name }: Pick<Considered, "name">, rung: Rung): number => measured.layers.get(name)?.(rung) ?? 0;
      return byBudget(considered.map((layer) => timed(layer, measured)), { ...budget, amount: budget.amount * (1 + ROUNDING) }, total, words, { rungs: (candidate) => timedRungsUnder(candidate, measured.layers.get(candidate.target.name)!, budget), costOf });
    }
  }
}

/** A layer whose multiply-adds are not known is no candidate under a budget of them. */
function counted(layer: Considered): Considered {
  if (layer.candidate === null || layer.candidate.positions !== undefined) return layer;
  return { ...layer, candidate: null, reason: "how often it is applied is not known, so its multiply-adds are not counted" };
}

/** A layer without a time of its own stays as it is. */
function timed(layer: Considered, { layers }: MeasuredLatency): Considered {
  if (layer.candidate === null || layers.has(layer.name)) return layer;
  return { ...layer, candidate: null, reason: "its latency could not be measured alone" };
}

/** A layer whose sensitivity was not measured stays as it is. */
function sensed(layer: Considered, { sensitivity }: MultiplyAddsBudget): Considered {
  if (layer.candidate === null || sensitivity === undefined || sensitivity.layers.has(layer.name)) return layer;
  return { ...layer, candidate: null, reason: "what its cuts do to the outputs could not be measured" };
}

function byRule(layer: Considered, candidate: Candidate, rule: RankRule): PlanLayer {
  const whole = wholeRung(candidate.target, positionsOf(candidate));
  const proposals = candidate.schemes.map((each) => ruled(candidate, each, rule, whole)).filter((found) => found !== null);
  if (proposals.length === 0) return kept(layer, "the rule places no rank for its spectrum");
  const { rung, limit } = proposals.reduce((best, other) => (other.rung.parameters < best.rung.parameters ? other : best));
  if (rung.parameters < whole.parameters) return factorized(layer, rung, ruleText(rule));
  const most = limit === null ? "no rank would make it smaller" : `its break-even rank is ${limit.ranks.join(" × ")}`;
  return kept(layer, `${ruleText(rule)}${rule.kind === "fixed" ? "" : `, ${rung.ranks.join(" × ")},`} does not make it smaller: ${most}`);
}

function ruled(candidate: Candidate, each: CandidateScheme, rule: RankRule, whole: Rung): { rung: Rung; limit: Rung | null } | null {
  const { target } = candidate;
  const { scheme, spectra, weightSpectra } = each;
  const positions = positionsOf(candidate);
  const full = scheme.fullRanks(target);
  const ladder = candidateLadder(candidate, each, positions);
  const limit = breakEven(ladder, whole);
  if (rule.kind === "ratio") return { rung: ladder.findLast(({ parameters }) => parameters <= rule.share * whole.parameters) ?? ladder[0]!, limit };
  if ((scheme.fit !== undefined && rule.kind !== "fixed") || (each.outputError !== undefined && rule.kind === "energy")) {
    // Fitted errors are no spectrum, nor are those of outputs: the energy that a rank keeps can be read from them, and no more.
    const rung = rule.kind === "energy" ? ladder.find(({ error2 }) => 1 - error2 >= rule.share) : undefined;
    return rung === undefined ? null : { rung, limit };
  }
  const longer = target.shape.reduce((all, size) => all * size, 1);
  const ranks = full.map((_, index) => {
    // Energy is kept of what is lost; other rules judge the weight itself.
    const mode = (rule.kind === "energy" ? spectra : (weightSpectra ?? spectra))[index]!;
    const groups = mode.length;
    const found = mode.map((values) => rankOf(shared(rule, full.length), values, values.length, Math.max(values.length, Math.round(longer / (groups * values.length))), epsilonOf(target.dtype)));
    // All groups have one rank: that of the group that needs most.
    return found.includes(null) ? null : Math.min(full[index]!, Math.max(1, ...found.map((rank) => rank ?? 1)));
  });
  return ranks.includes(null) ? null : { rung: candidateRung(candidate, each, ranks.map((rank) => rank ?? 1), positions), limit };
}

/** What each of several modes may lose adds up: they share what the rule lets the layer lose. */
function shared(rule: RankRule, modes: number): RankRule {
  return rule.kind === "energy" ? { kind: "energy", share: 1 - (1 - rule.share) / modes } : rule;
}

interface Costs {
  /** What a candidate can be: the layer as it is among them. */
  rungs(candidate: Candidate): readonly Rung[];
  costOf(layer: Considered, rung: Rung): number;
}

function byBudget(all: readonly Considered[], budget: MultiplyAddsBudget, total: number, words: (amount: number) => string, { rungs: rungsFor, costOf }: Costs): Proposal {
  const considered = all.map((layer) => sensed(layer, budget));
  const candidates = considered.flatMap((layer) => (layer.candidate === null ? [] : [{ layer, whole: wholeRung(layer.candidate.target, positionsOf(layer.candidate)), rungs: rungsFor(layer.candidate) }]));
  const choices = candidates.map(({ layer, rungs }) => rungs.map((rung): Choice => ({ cost: costOf(layer, rung), error: objectiveOf(layer, budget)(rung) })));
  const fixed = total - candidates.reduce((sum, { layer, whole }) => sum + costOf(layer, whole), 0);
  assertPossible(choices, fixed, budget.amount, words);
  const allocation = ALLOCATIONS[budget.allocation](choices, budget.amount - fixed);
  const chosen = new Map(candidates.map(({ layer, rungs }, index) => [layer.name, rungs[allocation.chosen[index]!]!]));
  const layers = considered.map((layer) => {
    const rung = chosen.get(layer.name);
    if (rung === undefined) return kept(layer, layer.reason);
    return rung.scheme === null ? kept(layer, "the budget leaves room for it as it is") : factorized(layer, rung, `${budget.sensitivity === undefined ? budget.allocation : "sensitivity"} under a budget of ${words(budget.amount)}`);
  });
  return { layers, allocation };
}

function objectiveOf({ name }: Pick<Considered, "name">, { allocation, sensitivity }: MultiplyAddsBudget): (rung: Rung) => number {
  return sensitivity?.layers.get(name) ?? OBJECTIVES[allocation];
}

/** What of a rung tells which of two of one size is better. */
function errorUnder(candidate: Candidate, budget: MultiplyAddsBudget): (rung: Rung) => number {
  if (budget.sensitivity !== undefined) return objectiveOf(candidate.target, budget);
  const error = errorFor(candidate, budget.allocation);
  return (rung) => rung[error];
}

function rungsUnder(candidate: Candidate, measure: Measure, budget: MultiplyAddsBudget): readonly Rung[] {
  return budget.sensitivity === undefined ? rungsOf(candidate, measure, budget.allocation) : efficientRungs(candidate, measure, errorUnder(candidate, budget), (rung) => rung[measure]);
}

function timedRungsUnder(candidate: Candidate, latency: LayerLatency, budget: MultiplyAddsBudget): readonly Rung[] {
  return budget.sensitivity === undefined ? timedRungs(candidate, latency, budget.allocation) : efficientRungs(candidate, "parameters", errorUnder(candidate, budget), latency);
}

const BYTES: Readonly<Record<string, number>> = { float64: 8, float32: 4, float16: 2, bfloat16: 2 };

export function bytesOf(dtype: string): number {
  return BYTES[dtype] ?? 4;
}

function kept({ name, parameters }: Considered, reason: string): PlanLayer {
  return { name, action: "keep", scheme: null, ranks: [], reason, parametersBefore: parameters, parametersAfter: parameters, relativeError: 0 };
}

function factorized({ name, parameters, candidate }: Considered, rung: Rung, reason: string): PlanLayer {
  const multiplied = candidate?.positions === undefined ? {} : { multiplyAddsBefore: wholeRung(candidate.target, candidate.positions).multiplyAdds, multiplyAddsAfter: rung.multiplyAdds };
  const own = candidate?.schemes.find(({ scheme }) => scheme.id === rung.scheme);
  return {
    name, action: "factorize", scheme: rung.scheme, ranks: rung.ranks, reason, parametersBefore: parameters, parametersAfter: rung.parameters, ...multiplied,
    relativeError: Number(Math.sqrt(rung.error2).toPrecision(6)), ...(own === undefined ? {} : onDataFlags(own)),
  };
}

/** What a plan says of a layer whose errors, or factors, follow data. */
export function onDataFlags({ weightSpectra, outputError }: CandidateScheme): Pick<PlanLayer, "calibrated" | "errorOf"> {
  return { ...(weightSpectra === undefined ? {} : { calibrated: true }), ...(weightSpectra === undefined && outputError === undefined ? {} : { errorOf: "outputs" }) };
}
