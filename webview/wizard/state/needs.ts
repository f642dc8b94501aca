import { LATENCY, type DraftWish, type Planning, type PlanningChoices } from "../../../src/shared/planning";
import type { Form } from "./form";

export type ReadyPlanning = Extract<Planning, { state: "ready" }>;

/** What a form asks of a model that is not there yet: ranks of its scheme, or the total of its budget's unit. */
export type Lack = "ladders" | "counts" | "latency";

/** null: proposals can be made of it. */
export function lackOf({ scheme, locks, wish }: Pick<Form, "scheme" | "locks" | "wish">, { choices, ready, latency }: ReadyPlanning): Lack | null {
  const chosen = choices.schemes.find(({ id }) => id === scheme)?.schemes ?? [];
  // A scheme that the output cannot hold is refused by the proposal.
  const byHand = Object.values(locks).flatMap((lock) => (lock.scheme !== null && choices.schemes.some(({ id }) => id === lock.scheme) ? [lock.scheme] : []));
  const needed = [...chosen, ...byHand];
  if (needed.some((id) => !ready.includes(id))) return "ladders";
  if (wish?.kind !== "budget") return null;
  if (wish.unit === LATENCY) return needed.every((id) => latency?.schemes.includes(id) === true) ? null : "latency";
  return totalOf(choices, wish.unit) === null ? "counts" : null;
}

/** The same share of the model in another unit; nothing where that is not counted or measured yet. */
export function inUnit(wish: DraftWish | null, unit: string, choices: PlanningChoices): Pick<Form, "wish"> {
  const before = wish?.kind === "budget" ? totalOf(choices, wish.unit) : null;
  const share = wish?.kind === "budget" && before !== null ? wish.amount / before : 1;
  const allocation = wish?.kind === "budget" ? wish.allocation : (choices.allocations[0]?.id ?? "");
  return { wish: { kind: "budget", unit, amount: amountOf(share, unit, choices), allocation } };
}

/** A share of the model as an amount of a unit. */
export function amountOf(share: number, unit: string, { units }: PlanningChoices): number {
  const own = units.find(({ id }) => id === unit);
  const amount = share * (own?.total ?? 0);
  return own?.whole === false ? amount : Math.floor(amount);
}

export function totalOf({ units }: PlanningChoices, id: string): number | null {
  return units.find((unit) => unit.id === id)?.total ?? null;
}
