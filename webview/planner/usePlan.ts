import { useEffect, useRef, useState } from "preact/hooks";
import type { PlainFault } from "../../src/shared/fault";
import type { ConfigPlan, PlanQuery } from "../../src/shared/plannerPage";
import { asFault } from "../components/pageHost";
import { useEvent } from "../components/hooks";
import type { PlannerHost } from "./host";

export interface PlanState {
  /** The last plan that could be made; it stays while a new one is asked for. */
  readonly plan: ConfigPlan | null;
  readonly fault: PlainFault | null;
  readonly retry: () => void;
}

/** The plan for a query, asked for anew when it changes and when the host says so. */
export function usePlan(host: PlannerHost, query: PlanQuery, onPlace: (place: string) => void): PlanState {
  const [plan, setPlan] = useState<ConfigPlan | null>(null);
  const [fault, setFault] = useState<PlainFault | null>(null);
  const [round, setRound] = useState(0);
  const latest = useRef(0);
  const keepPlace = useEvent(onPlace);
  const retry = (): void => setRound((count) => count + 1);
  useEffect(() => host.onChanged(retry), [host]);
  useEffect(() => {
    const asked = ++latest.current;
    // Answers may overtake each other: only the last question counts.
    const take = (action: () => void) => (): void => { if (asked === latest.current) action(); };
    host.request("plan", query).then(
      ({ plan: made, place }) => take(() => { setPlan(made); setFault(null); keepPlace(place); })(),
      (error: unknown) => take(() => setFault(asFault(error)))(),
    );
  }, [host, query.config, query.targets, query.rank, query.projectionRank, round]);
  return { plan, fault, retry };
}
