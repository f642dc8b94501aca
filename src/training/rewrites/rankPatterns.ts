import type { AdaptedModule } from "../adapted";
import { factorParameters, fullRank } from "../adapterSize";
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

/**
 * Ranks in proportion to measured ones, the mean of each name's modules, at no more trainable parameters than one rank for
 * all of these modules; none above what a module can have.
 * @param measured energy ranks by the modules' names; names without one are left out, and keep the rank that they have
 * @returns null where none is measured
 */
export function proportionalPattern(modules: readonly AdaptedModule[], rank: number, measured: ReadonlyMap<string, number>): ProposedPattern | null {
  const groups = new Map<string, { cost: number; sum: number; count: number; most: number }>();
  for (const { module } of modules) {
    const name = lastPart(module.name), group = groups.get(name) ?? { cost: 0, sum: 0, count: 0, most: Infinity }, found = measured.get(module.name);
    groups.set(name, {
      cost: group.cost + factorParameters(module, 1), most: Math.min(group.most, fullRank(module)),
      sum: group.sum + (found ?? 0), count: group.count + (found === undefined ? 0 : 1),
    });
  }
  for (const [name, { count }] of groups) if (count === 0) groups.delete(name);
  const kinds = [...groups.values()], total = (weight: (group: (typeof kinds)[number]) => number): number => kinds.reduce((sum, group) => sum + weight(group), 0);
  const inProportion = total(({ cost, sum, count }) => cost * (sum / count));
  if (inProportion === 0) return null;
  const share = (rank * total(({ cost }) => cost)) / inProportion;
  const ranks = withinBudget(kinds.map(({ sum, count, most }) => Math.min(most, (share * sum) / count)), kinds.map(({ cost }) => cost), rank);
  return Object.fromEntries([...groups.keys()].map((name, index) => [name.replaceAll(".", "\\."), ranks[index]!]));
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
  // Ranks of 1 where less was wished may take more than there is: the highest give it back.
  while (left < 0) {
    const highest = ranks.indexOf(Math.max(...ranks));
    if (ranks[highest]! <= 1) break;
    ranks[highest]!--;
    left += costs[highest]!;
  }
  return ranks;
}
