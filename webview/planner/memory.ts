import { CONFIGS_OWN, type PlanQuery, type PlanTargets } from "../../src/shared/plannerPage";
import type { Sort, SortKey } from "./figures";

/** What the page remembers while it is hidden or the window reloads. */
export interface Memory {
  readonly query: PlanQuery;
  readonly sort: Sort | null;
  /** Where the config is, in the host's words: it finds it again by this. */
  readonly place: string | null;
}

export const NEW_MEMORY: Memory = { query: CONFIGS_OWN, sort: null, place: null };

const TARGETS: readonly PlanTargets[] = ["config", "all-linear", "attention", "mlp"];
const SORT_KEYS: readonly SortKey[] = ["label", "trainable", "savedBytes", "optimizerBytes"];

/** A remembered state, each field checked: it may come from another version of the page. */
export function memoryFrom(saved: unknown): Memory {
  if (!isRecord(saved)) return NEW_MEMORY;
  const query = isRecord(saved["query"]) ? saved["query"] : {}, sort = isRecord(saved["sort"]) ? saved["sort"] : {};
  const key = SORT_KEYS.find((known) => known === sort["key"]);
  return {
    query: {
      config: wholeFrom(query["config"], 0),
      targets: TARGETS.find((known) => known === query["targets"]) ?? null,
      rank: wholeFrom(query["rank"], 1), projectionRank: wholeFrom(query["projectionRank"], 1),
    },
    sort: key === undefined ? null : { key, descending: sort["descending"] === true },
    place: typeof saved["place"] === "string" ? saved["place"] : null,
  };
}

function wholeFrom(value: unknown, least: number): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
