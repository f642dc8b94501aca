import type { MapCell, ModelBadge, ModelMap } from "../shared/protocol";
import type { LayerRow, ModelSummary } from "../shared/report";
import { groupLayers, type LayerGroup } from "./layers";

const naturally = new Intl.Collator("en", { numeric: true });

/** The number of an expert whose matrices are tensors of their own: "mlp.experts.7.gate_proj". */
const EXPERT = /((?:^|[.:/])(?:local_)?experts[.:/])\d+(?=[.:/])/;
const folded = (path: string): string => path.replace(EXPERT, "$1*");

/**
 * Blocks as rows in natural order, modules as columns in the order they first appear, one cell a layer. The experts of a
 * block share a cell: a hundred columns each would hide everything else.
 */
export function modelMap(rows: readonly LayerRow[]): ModelMap {
  const groups = groupLayers(rows);
  const blocks = [...new Set(groups.flatMap(({ main }) => main.block ?? []))].sort(naturally.compare);
  // One block repeats nothing: a strip says as much.
  if (blocks.length < 2) return { blocks: [], modules: [], cells: [], strip: groups.map((group) => cell([group], -1, -1)) };
  const blockIndex = new Map(blocks.map((block, index) => [block, index]));
  const moduleIndex = new Map<string, number>();
  const places = new Map<string, { readonly groups: LayerGroup[]; readonly block: number; readonly module: number }>();
  for (const group of groups) {
    if (group.main.block === null) continue;
    const block = blockIndex.get(group.main.block) ?? -1, name = folded(group.main.module);
    const module = moduleIndex.get(name) ?? moduleIndex.size;
    moduleIndex.set(name, module);
    // Only experts share a cell; whatever else has one name twice keeps its own.
    const key = name === group.main.module ? String(group.main.id) : `${block} ${name}`;
    const place = places.get(key) ?? { groups: [], block, module };
    places.set(key, place);
    place.groups.push(group);
  }
  return {
    blocks,
    modules: [...moduleIndex.keys()],
    cells: [...places.values()].map((place) => cell(place.groups, place.block, place.module)),
    strip: groups.filter(({ main }) => main.block === null).map((group) => cell([group], -1, -1)),
  };
}

/** One layer, or the mean over those that share the cell; null until all of them are done or failed. */
function cell(groups: readonly LayerGroup[], block: number, module: number): MapCell {
  const mains = groups.map(({ main }) => main), [first] = mains;
  const known = mains.flatMap(({ measures }) => measures?.utilization ?? []);
  const isSettled = mains.every(({ state }) => state === "done" || state === "failed");
  return {
    id: first!.id, name: mains.length === 1 ? first!.name : folded(first!.name), block, module,
    rows: groups.flatMap(({ main, children }) => [main.id, ...children.map(({ id }) => id).filter((id) => id !== main.id)]),
    state: !isSettled ? "pending" : known.length > 0 ? "done" : "failed",
    utilization: isSettled && known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null,
    parameters: mains.reduce((sum, { parameters }) => sum + parameters, 0),
  };
}

/** Mean utilization over layers, each counting once; null until every row is done or failed. */
export function modelBadge(summary: ModelSummary, rows: readonly LayerRow[]): ModelBadge {
  const complete = rows.every((row) => row.state === "done" || row.state === "failed");
  const known = complete ? groupLayers(rows).flatMap(({ main }) => main.measures?.utilization ?? []) : [];
  return {
    format: summary.format,
    parameters: summary.parameters,
    meanUtilization: known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length,
  };
}
