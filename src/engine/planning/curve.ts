import type { Curve, CurvePoint, Draft } from "../../shared/planning";
import { rungsOf, timedRungs } from "../../factorize/budgetRungs";
import { positionsOf } from "../../factorize/candidateRungs";
import type { Candidate } from "../../factorize/candidates";
import { wholeRung, type Rung } from "../../factorize/ladder";
import { bytesOf } from "../../factorize/propose";
import type { PreparedModel } from "./preparedModel";
import { draftedLayers, estimate, plannedLayers, saved, totalOf, type Drafted } from "./proposal";
import { isUnit, isWhole, type Unit } from "./words";

/** Enough for a smooth line across a side bar. */
const POINTS = 33;

/**
 * Size against error: the proposal for every size between the smallest possible and the model as it is.
 * Lets others go on after each point.
 * @param current false once nobody waits for it
 * @returns null when nobody waited any more. @throws Fault
 */
export async function curve(model: PreparedModel, draft: Draft, current: () => boolean): Promise<Curve | null> {
  // A rule has no size of its own to go along: what budgets would do is drawn.
  const { unit: named, allocation } = draft.wish.kind === "budget" ? draft.wish : { unit: "params", allocation: "least-total" };
  const unit: Unit = isUnit(named) ? named : "params";
  const drafted = draftedLayers(model, draft);
  const total = totalOf(model, unit);
  const least = leastPossible(model, drafted, unit);
  const points: CurvePoint[] = [];
  for (let index = 0; index < POINTS; index++) {
    if (!current()) return null;
    const exact = least + ((total - least) * index) / (POINTS - 1);
    const amount = isWhole(unit) ? Math.ceil(exact) : exact;
    const layers = plannedLayers(model, { ...draft, wish: { kind: "budget", unit, amount, allocation } }, drafted);
    const taken = layers.reduce((sum, layer, at) => sum - saved(model, layer, unit, model.considered[at]!.dtype), total);
    const { error, worst } = estimate(model, layers);
    points.push({ amount: taken, error, worst: worst?.error ?? 0 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { unit, points, least, total };
}

/** Every candidate at its smallest. */
function leastPossible(model: PreparedModel, { considered, locked }: Drafted, unit: Unit): number {
  return considered.reduce((sum, { name, dtype, candidate }) => {
    const fixed = locked.get(name);
    if (fixed !== undefined) return sum - saved(model, fixed, unit, dtype);
    return candidate === null ? sum : sum - mostSaved(model, candidate, unit, dtype);
  }, totalOf(model, unit));
}

function mostSaved({ latency }: PreparedModel, candidate: Candidate, unit: Unit, dtype: string): number {
  const whole = wholeRung(candidate.target, positionsOf(candidate));
  const most = (rungs: readonly Rung[], costOf: (rung: Rung) => number): number => costOf(whole) - Math.min(...rungs.map(costOf));
  switch (unit) {
    case "params": return most(rungsOf(candidate), (rung) => rung.parameters);
    case "bytes": return bytesOf(dtype) * most(rungsOf(candidate), (rung) => rung.parameters);
    case "macs": return candidate.positions === undefined ? 0 : most(rungsOf(candidate, "multiplyAdds"), (rung) => rung.multiplyAdds);
    case "latency": {
      const own = latency?.layers.get(candidate.target.name);
      return own === undefined ? 0 : most(timedRungs(candidate, own), own);
    }
  }
}
