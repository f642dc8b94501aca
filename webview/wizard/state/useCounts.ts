import { useEffect, useRef } from "preact/hooks";
import type { Planning } from "../../../src/shared/planning";
import type { ModelState } from "./useModel";

/**
 * Counts multiply-adds in the background where that costs little, or where a remembered budget is of them.
 * @param isNeeded the form has such a budget
 */
export function useCounts(model: ModelState, isNeeded: boolean): void {
  const running = useRef<Planning | null>(null);
  const planning = model.planning?.state === "ready" ? model.planning : null;
  useEffect(() => {
    if (planning === null || running.current === planning || !(planning.countsUnasked || isNeeded)) return;
    running.current = planning;
    // A model that does not run is planned all the same: its faults are told to those who choose the unit.
    model.count().catch(() => undefined);
  }, [planning, isNeeded]);
}
