import { Fault } from "../../shared/fault";
import type { Draft, Lock, ModelEstimate, Proposal } from "../../shared/planning";
import type { Considered } from "../../factorize/candidates";
import { candidateRung, positionsOf } from "../../factorize/candidateRungs";
import { wholeRung } from "../../factorize/ladder";
import { plannedMultiplyAdds } from "../../factorize/multiplyAdds";
import { bytesOf, onDataFlags, propose, type Wish } from "../../factorize/propose";
import { parseRankRule } from "../../factorize/rankRule";
import type { MeasuredLatency } from "../../factorize/latency";
import type { SchemeWish } from "../../factorize/scheme";
import type { PlanLayer } from "../../factorize/plan";
import type { PreparedModel } from "./preparedModel";
import { amountWords, isAllocation, isSchemeWish, isUnit, makesSmaller, schemesNeeded, type Unit } from "./words";

/** A draft as the core reads it: layers by their scheme, and those that a person has set. */
export interface Drafted {
  readonly considered: readonly Considered[];
  readonly locked: ReadonlyMap<string, PlanLayer>;
}

/** @throws Fault usage for what no page of this version asks */
export function draftedLayers(model: PreparedModel, draft: Draft): Drafted {
  const { scheme, included, excluded, locks } = draft;
  const candidates = model.candidates(schemeOf(scheme));
  if (schemesNeeded(draft).some((id) => !model.ready.includes(id))) throw new Fault("usage", `The ranks of the ${scheme} scheme are not found yet.`, "Choose the scheme again.");
  const [on, off] = [new Set(included), new Set(excluded)];
  const locked = new Map<string, PlanLayer>();
  const considered = model.considered.map((layer): Considered => {
    const { name, candidate } = layer;
    const without = (reason: string): Considered => ({ ...layer, candidate: null, reason });
    if (candidate === null) return layer;
    if (off.has(name)) return without("excluded");
    const offReason = model.off.get(name);
    if (offReason !== undefined && !on.has(name)) return without(offReason);
    const lock = locks[name];
    if (lock !== undefined) {
      locked.set(name, lockedLayer(layer, lock));
      return without("set by hand");
    }
    const chosen = candidates.get(name);
    return chosen === undefined ? without(`the ${scheme} scheme does not fit it`) : { ...layer, candidate: chosen };
  });
  return { considered, locked };
}

/** Ranks for all layers of a draft. @throws Fault budget-impossible, usage */
export function proposal(model: PreparedModel, draft: Draft): Proposal {
  const layers = plannedLayers(model, draft, draftedLayers(model, draft));
  return { layers, before: { parameters: model.summary.parameters, bytes: model.summary.bytes }, after: estimate(model, layers), multiplyAdds: plannedOf(model, layers), latency: latencyOf(model, layers) };
}

/** @throws Fault budget-impossible, usage */
export function plannedLayers(model: PreparedModel, draft: Draft, { considered, locked }: Drafted): readonly PlanLayer[] {
  const wish = wishOf(model, draft);
  const unit = unitOf(wish);
  const total = [...locked.values()].reduce((sum, layer) => sum - saved(model, layer, unit, dtypeOf(considered, layer.name)), totalOf(model, unit));
  const { layers } = propose(considered, wish, total, amountWords(unit));
  return layers.map((layer) => locked.get(layer.name) ?? layer);
}

function unitOf(wish: Wish): Unit {
  switch (wish.kind) {
    case "rule": return "params";
    case "budget": return wish.budget.unit;
    case "multiply-adds": return "macs";
    case "latency": return "latency";
  }
}

/** @throws Fault usage for what was not counted or measured */
export function totalOf(model: PreparedModel, unit: Unit): number {
  const total = model.totals[unit];
  if (total !== null) return total;
  throw new Fault("usage", unit === "macs" ? "The multiply-adds of the model are not counted." : "The latency of the model is not measured.", "Choose the budget's unit again.");
}

/** null where a scheme of the plan has no times. */
function latencyOf({ latency, times }: PreparedModel, layers: readonly PlanLayer[]): Proposal["latency"] {
  if (latency === null || layers.some(({ scheme }) => scheme !== null && times?.schemes.includes(scheme) !== true)) return null;
  return { before: latency.total, after: layers.reduce((sum, layer) => sum - savedTime(latency, layer), latency.total) };
}

function savedTime({ layers }: MeasuredLatency, { name, scheme, parametersBefore, parametersAfter }: PlanLayer): number {
  const own = layers.get(name);
  return own === undefined ? 0 : own({ scheme: null, parameters: parametersBefore }) - own({ scheme, parameters: parametersAfter });
}

function plannedOf({ multiplyAdds, as }: PreparedModel, layers: readonly PlanLayer[]): Proposal["multiplyAdds"] {
  if (multiplyAdds === null) return null;
  const planned = plannedMultiplyAdds(multiplyAdds, layers);
  return makesSmaller(as) ? planned : { ...planned, after: planned.before };
}

/** What a plan makes of the model's size, and what it loses. */
export function estimate(model: PreparedModel, layers: readonly PlanLayer[]): ModelEstimate {
  const { params, bytes } = model.totals;
  const smaller = makesSmaller(model.as);
  const saving = (unit: Unit): number => layers.reduce((sum, layer, index) => sum + saved(model, layer, unit, model.considered[index]!.dtype), 0);
  const free = layers.filter(({ relativeError }, index) => relativeError > 0 || model.considered[index]!.candidate !== null);
  const worst = layers.reduce<ModelEstimate["worst"]>((most, { name, relativeError }) => (relativeError > (most?.error ?? 0) ? { name, error: relativeError } : most), null);
  return {
    parameters: smaller ? params - saving("params") : params,
    bytes: smaller ? bytes - saving("bytes") : bytes,
    error: free.length === 0 ? 0 : Math.sqrt(free.reduce((sum, { relativeError }) => sum + relativeError ** 2, 0) / free.length),
    worst,
    factorized: layers.filter(({ action }) => action === "factorize").length,
  };
}

/** What a layer's factors save, in a unit. */
export function saved({ latency }: PreparedModel, layer: PlanLayer, unit: Unit, dtype: string): number {
  const { parametersBefore, parametersAfter, multiplyAddsBefore = 0, multiplyAddsAfter = 0 } = layer;
  switch (unit) {
    case "params": return parametersBefore - parametersAfter;
    case "bytes": return (parametersBefore - parametersAfter) * bytesOf(dtype);
    case "macs": return multiplyAddsBefore - multiplyAddsAfter;
    case "latency": return latency === null ? 0 : savedTime(latency, layer);
  }
}

function schemeOf(id: string): SchemeWish {
  if (!isSchemeWish(id)) throw unknown("scheme", id);
  return id;
}

function wishOf(model: PreparedModel, draft: Draft): Wish {
  const { wish } = draft;
  if (wish.kind === "rule") return { kind: "rule", rule: parseRankRule(wish.rule) };
  const { unit, amount, allocation } = wish;
  if (!isUnit(unit)) throw unknown("unit", unit);
  if (!isAllocation(allocation)) throw unknown("way to share a budget", allocation);
  if (unit === "macs") return { kind: "multiply-adds", budget: { amount, allocation } };
  if (unit === "latency") {
    const { latency, times } = model;
    if (latency === null || schemesNeeded(draft).some((id) => times?.schemes.includes(id) !== true)) throw new Fault("usage", "The latency of the model is not measured in this scheme.", "Choose latency as the budget's unit again.");
    return { kind: "latency", budget: { amount, allocation }, measured: latency };
  }
  return { kind: "budget", budget: { unit, amount, allocation } };
}

function lockedLayer({ name, parameters, candidate }: Considered, { scheme: id, ranks }: Lock): PlanLayer {
  const own = { name, parametersBefore: parameters };
  if (id === null) return { ...own, action: "keep", scheme: null, ranks: [], reason: "kept by hand", parametersAfter: parameters, relativeError: 0 };
  const found = candidate?.schemes.find(({ scheme }) => scheme.id === id);
  if (candidate === null || found === undefined) throw new Fault("plan-mismatch", `The ${id} scheme does not fit layer ${name}.`, "Choose another scheme for it.");
  const { scheme } = found;
  const full = scheme.fullRanks(candidate.target);
  if (ranks.length !== full.length || ranks.some((rank, mode) => !Number.isSafeInteger(rank) || rank < 1 || rank > full[mode]!)) {
    throw new Fault("plan-mismatch", `Ranks ${ranks.join(" × ")} of layer ${name} are out of range: the highest are ${full.join(" × ")}.`, "Choose lower ones.");
  }
  const rung = candidateRung(candidate, found, ranks, positionsOf(candidate));
  const multiplied = candidate.positions === undefined ? {} : { multiplyAddsBefore: wholeRung(candidate.target, candidate.positions).multiplyAdds, multiplyAddsAfter: rung.multiplyAdds };
  return { ...own, action: "factorize", scheme: scheme.id, ranks, reason: "set by hand", parametersAfter: rung.parameters, ...multiplied, relativeError: Number(Math.sqrt(rung.error2).toPrecision(6)), ...onDataFlags(found) };
}

function dtypeOf(considered: readonly Considered[], name: string): string {
  return considered.find((layer) => layer.name === name)?.dtype ?? "float32";
}

function unknown(what: string, id: string): Fault {
  return new Fault("usage", `There is no ${what} named "${id}".`, "Choose another one.");
}
