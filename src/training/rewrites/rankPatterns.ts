import type { AdaptedModule } from "../adapted";
import { factorParameters } from "../adapterSize";
import { lastPart } from "../hints/moduleGroups";

/** Keys of `rank_pattern` as PEFT reads them, and ranks. */
export type ProposedPattern = Readonly<Record<string, number>>;

/** Ranks grow linearly with the layer's index, as PRILoRA's do (arXiv 2401.11316); where the line begins and ends, in shares of the mean, is RankLens's own choice. */
const FIRST_SHARE = 0.5, LAST_SHARE = 1.5;

const BLOCK = /^(.*?)(?:^|\.)([^.]+)\.(\d+)\./;

/**
 * Ranks that grow with the depth of the layer, at no more trainable parameters than one rank for all.
 * @returns null where modules do not stand in numbered layers of one stack
 */
export function depthPattern(modules: readonly AdaptedModule[], rank: number): ProposedPattern | null {
  const places = modules.map(({ module }) => BLOCK.exec(module.name));
  const stacks = new Set(places.map((place) => (place === null ? "" : `${place[1] ?? ""} ${place[2] ?? ""}`)));
  const layers = [...new Set(places.map((place) => Number(place?.[3])))].sort((a, b) => a - b);
  if (modules.length === 0 || stacks.size !== 1 || places.includes(null) || layers.length < 2) return null;
  const container = places[0]?.[2] ?? "";
  const shares = layers.map((_, index) => FIRST_SHARE + ((LAST_SHARE - FIRST_SHARE) * index) / (layers.length - 1));
  const costs = layers.map((layer) => modules.reduce((sum, { module }, index) => (Number(places[index]?.[3]) === layer ? sum + factorParameters(module, 1) : sum), 0));
  const ranks = withinBudget(shares.map((share) => share * rank), costs, rank);
  return Object.fromEntries(layers.map((layer, index) => [String.raw`${container}\.${layer}\..*`, ranks[index]!]));
}

/**
 * Ranks by which every adapted module has about the same number of trainable parameters, at no more of them in all.
 * @returns null where all have the same shape
 */
export function equalPattern(modules: readonly AdaptedModule[], rank: number): ProposedPattern | null {
  const costs = new Map<string, { readonly each: number; count: number }>();
  for (const { module } of modules) {
    const name = lastPart(module.name), each = factorParameters(module, 1), known = costs.get(name);
    if (known === undefined) costs.set(name, { each, count: 1 });
    // One name for two shapes has no one rank.
    else if (known.each !== each) return null;
    else known.count++;
  }
  const kinds = [...costs.values()];
  if (new Set(kinds.map(({ each }) => each)).size < 2) return null;
  const budget = rank * kinds.reduce((sum, { each, count }) => sum + each * count, 0);
  const share = budget / modules.length;
  const ranks = withinBudget(kinds.map(({ each }) => share / each), kinds.map(({ each, count }) => each * count), rank);
  return Object.fromEntries([...costs.keys()].map((name, index) => [name.replaceAll(".", "\\."), ranks[index]!]));
}

/** Whole ranks of at least 1 near the wished ones: rounded down, and what is left given to those that lost most by it. */
function withinBudget(wished: readonly number[], costs: readonly number[], rank: number): number[] {
  const ranks = wished.map((value) => Math.max(1, Math.floor(value)));
  let left = rank * costs.reduce((sum, cost) => sum + cost, 0) - ranks.reduce((sum, value, index) => sum + value * costs[index]!, 0);
  const byLoss = wished.map((value, index) => ({ index, lost: value - ranks[index]! })).filter(({ lost }) => lost > 0).sort((a, b) => b.lost - a.lost);
  for (const { index } of byLoss) {
    if (costs[index]! > left) continue;
    ranks[index]!++;
    left -= costs[index]!;
  }
  return ranks;
}
