import type { Curve, CurvePoint, Draft } from "../../shared/planning";
import { wholeRung } from "../../factorize/ladder";
import { bytesOf, rungsOf } from "../../factorize/propose";
import type { PreparedModel } from "./preparedModel";
import { draftedLayers, estimate, ONE_POSITION, plannedLayers, saved, totalOf, type Drafted } from "./proposal";
import { isUnit, type Unit } from "./words";

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
    const amount = Math.ceil(least + ((total - least) * index) / (POINTS - 1));
    const layers = plannedLayers(model, { ...draft, wish: { kind: "budget", unit, amount, allocation } }, drafted);
    const taken = layers.reduce((sum, layer, at) => sum - saved(layer, unit, model.considered[at]!.dtype), total);
    const { error, worst } = estimate(model, layers);
    points.push({ amount: taken, error, worst: worst?.error ?? 0 });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { unit, points, least, total };
}

/** Every candidate at its smallest. */
function leastPossible(model: PreparedModel, { considered, locked }: Drafted, unit: Unit): number {
  const measure = unit === "macs" ? "multiplyAdds" : "parameters";
  return considered.reduce((sum, { name, dtype, candidate }) => {
    const fixed = locked.get(name);
    if (fixed !== undefined) return sum - saved(fixed, unit, dtype);
    if (candidate === null || (unit === "macs" && candidate.positions === undefined)) return sum;
    const whole = wholeRung(candidate.target, candidate.positions ?? ONE_POSITION);
    return sum - (whole[measure] - Math.min(...rungsOf(candidate, measure).map((rung) => rung[measure]))) * (unit === "bytes" ? bytesOf(dtype) : 1);
  }, totalOf(model, unit));
}
