import type { MapCell, ModelBadge, ModelMap } from "../shared/protocol";
import type { LayerRow, ModelSummary } from "../shared/report";
import { groupLayers, type LayerGroup } from "./layers";

const naturally = new Intl.Collator("en", { numeric: true });

/** Blocks as rows in natural order, modules as columns in the order they first appear, one cell a layer. */
export function modelMap(rows: readonly LayerRow[]): ModelMap {
  const groups = groupLayers(rows);
  const blocks = [...new Set(groups.flatMap(({ main }) => main.block ?? []))].sort(naturally.compare);
  // One block repeats nothing: a strip says as much.
  if (blocks.length < 2) return { blocks: [], modules: [], cells: [], strip: groups.map((group) => cell(group, -1, -1)) };
  const inBlocks = groups.filter(({ main }) => main.block !== null);
  const modules = [...new Set(inBlocks.map(({ main }) => main.module))];
  const blockIndex = new Map(blocks.map((block, index) => [block, index]));
  const moduleIndex = new Map(modules.map((module, index) => [module, index]));
  return {
    blocks,
    modules,
    cells: inBlocks.map((group) => cell(group, blockIndex.get(group.main.block ?? "") ?? -1, moduleIndex.get(group.main.module) ?? -1)),
    strip: groups.filter(({ main }) => main.block === null).map((group) => cell(group, -1, -1)),
  };
}

function cell({ main }: LayerGroup, block: number, module: number): MapCell {
  return { id: main.id, name: main.name, block, module, utilization: main.measures?.utilization ?? null, parameters: main.parameters };
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
