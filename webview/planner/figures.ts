import type { PlanRow } from "../../src/shared/plannerPage";

export type SortKey = "label" | "trainable" | "savedBytes" | "optimizerBytes";

export interface Sort {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** Digits in groups, by the reader's language. */
export const groupedText = (count: number): string => count.toLocaleString();

/** null: the order of the host, in which families stand together. */
export function sorted(rows: readonly PlanRow[], sort: Sort | null): readonly PlanRow[] {
  if (sort === null) return rows;
  const { key, descending } = sort;
  const order = (a: PlanRow, b: PlanRow): number => (key === "label" ? a.label.localeCompare(b.label) : a[key] - b[key]);
  return rows.toSorted((a, b) => (descending ? order(b, a) : order(a, b)));
}

/** First click: names rise, figures fall; second: the other way; third: the host's order. */
export function nextSort(sort: Sort | null, key: SortKey): Sort | null {
  const first = key !== "label";
  if (sort?.key !== key) return { key, descending: first };
  return sort.descending === first ? { key, descending: !first } : null;
}

/** For spreadsheets: a line for each method, cells between tabs, figures without units. */
export function tabSeparated(rows: readonly PlanRow[]): string {
  const lines = rows.map(({ label, trainable, share, savedBytes, optimizerBytes, formula, source, url }) => [label, trainable, share, savedBytes, optimizerBytes, formula, `${source}, ${url}`]);
  return [["method", "trainable", "share", "saved bytes", "optimizer bytes", "formula", "source"], ...lines].map((line) => line.join("\t")).join("\n");
}

