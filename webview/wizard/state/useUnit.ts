import { useEffect, useRef, useState } from "preact/hooks";
import type { PlainFault } from "../../../src/shared/fault";
import type { DraftWish, Planning, PlanningChoices } from "../../../src/shared/planning";
import { asFault } from "../../components/pageHost";
import type { ModelState } from "./useModel";

type BudgetWish = Extract<DraftWish, { kind: "budget" }>;

/** The budget's unit, while the model's total in it may still have to be counted. */
export interface UnitControl {
  /** Chosen, and being counted; null: none. */
  readonly waiting: string | null;
  /** Why what was chosen cannot be counted. */
  readonly fault: PlainFault | null;
  readonly choose: (id: string) => void;
}

/**
 * Counts multiply-adds in the background where that costs little, or once their unit is chosen.
 * @param wishOf the form's wish as it is when the count is there
 */
export function useUnit(model: ModelState, wishOf: () => DraftWish | null, onWish: (wish: BudgetWish) => void): UnitControl {
  const [waiting, setWaiting] = useState<string | null>(null);
  const [fault, setFault] = useState<PlainFault | null>(null);
  const running = useRef<{ readonly of: Planning | null; readonly counted: Promise<Planning> } | null>(null);
  /** The latest choice: a count that ends later changes nothing. */
  const chosen = useRef<string | null>(null);
  const planning = model.planning?.state === "ready" ? model.planning : null;
  const wish = wishOf();
  const isNeeded = wish?.kind === "budget" && planning !== null && totalOf(planning.choices, wish.unit) === null;
  const count = (): Promise<Planning> => {
    const own = running.current?.of === model.planning ? running.current : { of: model.planning, counted: model.count() };
    running.current = own;
    const end = (): void => {
      if (running.current === own) running.current = null;
    };
    own.counted.then(end, end);
    return own.counted;
  };
  useEffect(() => {
    // A model that does not run is planned all the same: its faults are told to those who choose the unit.
    if (planning?.countsUnasked === true || isNeeded) void count().catch(() => undefined);
  }, [planning, isNeeded]);

  const take = (id: string, choices: PlanningChoices): void => {
    const now = wishOf();
    const total = totalOf(choices, id);
    if (now?.kind !== "budget" || total === null) return;
    const before = totalOf(choices, now.unit);
    onWish({ ...now, unit: id, amount: Math.floor((before === null ? 1 : now.amount / before) * total) });
  };
  const choose = (id: string): void => {
    chosen.current = id;
    setFault(null);
    setWaiting(null);
    if (planning === null) return;
    if (totalOf(planning.choices, id) !== null) return take(id, planning.choices);
    setWaiting(id);
    const ended = (then: () => void): void => {
      if (chosen.current !== id) return;
      setWaiting(null);
      then();
    };
    count().then(
      (counted) => ended(() => { if (counted.state === "ready") take(id, counted.choices); }),
      (error: unknown) => ended(() => setFault(asFault(error))),
    );
  };
  return { waiting, fault, choose };
}

function totalOf({ units }: PlanningChoices, id: string): number | null {
  return units.find((unit) => unit.id === id)?.total ?? null;
}
