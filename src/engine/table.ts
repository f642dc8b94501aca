import type { RowsPage, RowsQuery, SortKey, TableLine } from "../shared/protocol";
import { fullRank } from "../shared/fullRank";
import type { LayerRow, Measures } from "../shared/report";
import { groupLayers, type LayerGroup } from "./layers";

type SortValue = number | string | null;

/** What each column sorts by; null goes last in either direction. */
const SORT_VALUES: Readonly<Record<SortKey, (row: LayerRow) => SortValue>> = {
  model: (row) => row.id,
  name: (row) => row.name,
  kind: (row) => row.kind,
  shape: (row) => row.shape.reduce((product, size) => product * size, 1),
  parameters: (row) => row.parameters,
  matrix: (row) => fullRank(row),
  // First figures stand in where the spectrum is not known yet, as they do on the page.
  stableRank: (row) => row.measures?.stableRank ?? row.first?.stableRank ?? null,
  effectiveRank: measure((m) => m.effectiveRank),
  utilization: measure((m) => m.utilization),
  "energyRank0.9": measure((m) => m.energyRank["0.9"]),
  "energyRank0.95": measure((m) => m.energyRank["0.95"]),
  "energyRank0.99": measure((m) => m.energyRank["0.99"]),
  participationRatio: measure((m) => m.participationRatio),
  numericalRank: measure((m) => m.numericalRank),
  // Infinite condition numbers are null in a row, but they are the largest, not missing.
  conditionNumber: measure((m) => m.conditionNumber ?? Infinity),
  hardThresholdRank: measure((m) => m.hardThresholdRank),
  evbmfRank: measure((m) => m.evbmfRank),
  spikes: measure((m) => m.marchenkoPastur?.spikes ?? null),
  softRank: measure((m) => m.marchenkoPastur?.softRank ?? null),
  powerLawAlpha: measure((m) => m.powerLawAlpha),
  breakEvenRank: measure((m) => m.breakEvenRank),
  spectralRadius: measure((m) => m.spectralRadius),
  spectralNorm: (row) => row.measures?.spectralNorm ?? row.first?.spectralNorm ?? null,
  frobeniusNorm: (row) => row.measures?.frobeniusNorm ?? row.first?.frobeniusNorm ?? null,
  nuclearNorm: measure((m) => m.nuclearNorm),
};

/** "layers.2" before "layers.10". */
const byName = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Sorted and filtered layers, folded: the lines [start, end) of the table. */
export function rowsPage(rows: readonly LayerRow[], query: RowsQuery): RowsPage {
  const groups = groupLayers(rows);
  const kept = filtered(groups, query.filter);
  sort(kept, query.sort.key, query.sort.descending);
  const open = new Set(query.open);
  const start = Math.max(0, query.start);
  const lines: TableLine[] = [];
  let total = 0;
  let located: number | null = null;
  const add = (line: () => TableLine): void => {
    if (total >= start && total < query.end) lines.push(line());
    total++;
  };
  for (const group of kept) {
    const children = group.children.length;
    const expanded = children > 0 && open.has(group.main.name);
    // A stand-in has the id of its first part and comes before it: the layer's own line is found first.
    const within = group.children.findIndex(({ id }) => id === query.locate);
    if (group.main.id === query.locate) located = total;
    else if (within >= 0) located = expanded ? total + 1 + within : total;
    add(() => ({ row: group.main, depth: 0, children, expanded, mean: group.mean }));
    if (!expanded) continue;
    for (const row of group.children) add(() => ({ row, depth: 1, children: 0, expanded: false, mean: false }));
  }
  return { lines, total, layers: groups.length, located };
}

/** A layer stays when one of its rows has all the words; then it opens to those of its parts that have them. */
function filtered(groups: LayerGroup[], filter: string): LayerGroup[] {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return groups;
  const matches = (row: LayerRow): boolean => {
    const text = [row.name, row.kind, row.part ?? "", row.dtype].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return groups.flatMap((group) => {
    const children = group.children.filter(matches);
    return children.length > 0 || matches(group.main) ? [{ ...group, children }] : [];
  });
}

function sort(groups: LayerGroup[], key: SortKey, descending: boolean): void {
  if (key === "model" && !descending) return;
  const sign = descending ? -1 : 1;
  const values = new Map(groups.map((group) => [group, SORT_VALUES[key](group.main)]));
  groups.sort((a, b) => {
    const [x, y] = [values.get(a) ?? null, values.get(b) ?? null];
    if (x === null || y === null) return x === y ? a.main.id - b.main.id : x === null ? 1 : -1;
    const order = typeof x === "string" || typeof y === "string" ? byName.compare(String(x), String(y)) : x === y ? 0 : x - y;
    return sign * order || a.main.id - b.main.id;
  });
}

function measure(pick: (measures: Measures) => number | null): (row: LayerRow) => number | null {
  return (row) => (row.measures === null ? null : pick(row.measures));
}
