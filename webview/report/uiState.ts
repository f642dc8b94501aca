import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { MEASURE_INFO } from "../../src/shared/measureInfo";
import type { RowsQuery, SortKey } from "../../src/shared/protocol";
import type { PageApi } from "../components/pageHost";

/** The selected line: rows have ids, but a stand-in for parts has the id of its first part. */
export interface Selection {
  readonly id: number;
  readonly depth: 0 | 1;
  readonly name: string;
}

/** What the page remembers while it is hidden or the window reloads: how it looks, never what it shows. */
export interface UiState {
  readonly sort: RowsQuery["sort"];
  readonly filter: string;
  readonly open: readonly string[];
  readonly selected: Selection | null;
  readonly scrollTop: number;
  /** Measures shown as columns, besides those that always are. */
  readonly columns: readonly SortKey[];
  readonly mapOpen: boolean;
  readonly skippedOpen: boolean;
  readonly scale: "logarithmic" | "linear";
  /** Width of the details in percent of the page. */
  readonly detailShare: number;
}

export const INITIAL_STATE: UiState = {
  sort: { key: "model", descending: false },
  filter: "",
  open: [],
  selected: null,
  scrollTop: 0,
  columns: [],
  mapOpen: true,
  skippedOpen: false,
  scale: "logarithmic",
  detailShare: 34,
};

/** A state is written when nothing changed for this long: scrolling changes it with every frame. Milliseconds. */
const SAVE_AFTER = 150;

/** The remembered state, each field checked: it may come from another version of the page. */
export function stateFrom(saved: unknown): UiState {
  if (!isRecord(saved)) return INITIAL_STATE;
  const { sort, filter, open, selected, scrollTop, columns, mapOpen, skippedOpen, scale, detailShare } = saved;
  return {
    sort: isRecord(sort) && isSortKey(sort["key"]) ? { key: sort["key"], descending: sort["descending"] === true } : INITIAL_STATE.sort,
    filter: typeof filter === "string" ? filter : "",
    open: Array.isArray(open) ? open.filter((name) => typeof name === "string") : [],
    selected: selectionFrom(selected),
    scrollTop: typeof scrollTop === "number" && scrollTop >= 0 ? scrollTop : 0,
    columns: Array.isArray(columns) ? columns.filter(isSortKey) : [],
    mapOpen: mapOpen !== false,
    skippedOpen: skippedOpen === true,
    scale: scale === "linear" ? "linear" : "logarithmic",
    detailShare: typeof detailShare === "number" && detailShare > 0 && detailShare < 100 ? detailShare : INITIAL_STATE.detailShare,
  };
}

/** The page's own state, remembered by the editor. */
export function useUiState(api: PageApi): readonly [UiState, (changes: Partial<UiState>) => void] {
  const [state, setState] = useState(() => stateFrom(api.getState()));
  const latest = useRef(state);
  const timer = useRef<number>(0);
  const update = useCallback((changes: Partial<UiState>) => {
    latest.current = { ...latest.current, ...changes };
    setState(latest.current);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => api.setState(latest.current), SAVE_AFTER);
  }, []);
  useEffect(() => {
    // A page that is hidden may be gone before the timer fires.
    const save = (): void => api.setState(latest.current);
    addEventListener("pagehide", save);
    document.addEventListener("visibilitychange", save);
    return () => {
      removeEventListener("pagehide", save);
      document.removeEventListener("visibilitychange", save);
    };
  }, []);
  return [state, update];
}

const FURTHER_KEYS: readonly SortKey[] = ["model", "name", "kind", "shape", "parameters", "matrix"];

function isSortKey(value: unknown): value is SortKey {
  return FURTHER_KEYS.some((key) => key === value) || MEASURE_INFO.some(({ key }) => key === value);
}

function selectionFrom(value: unknown): Selection | null {
  if (!isRecord(value)) return null;
  const { id, depth, name } = value;
  return typeof id === "number" && (depth === 0 || depth === 1) && typeof name === "string" ? { id, depth, name } : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
