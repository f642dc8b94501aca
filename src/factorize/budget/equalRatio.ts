import type { Allocation, Choice } from "./choices";
import { leastTotalBound } from "./leastTotal";

/** Halvings of the ratio: finer than any rank of any layer. */
const HALVINGS = 50;

/**
 * Every layer at the same share of its own cost: what most tools do, and the peer to beat. A layer takes its best choice
 * within the share, its cheapest where none is.
 * @param budget at least the cost of all cheapest choices
 */
export function equalRatio(layers: readonly (readonly Choice[])[], budget: number): Allocation {
  const whole = layers.map((choices) => choices.reduce((most, { cost }) => Math.max(most, cost), 0));
  const at = (ratio: number): number[] => layers.map((choices, layer) => within(choices, ratio * whole[layer]!));
  const total = (chosen: readonly number[], key: keyof Choice): number => chosen.reduce((sum, index, layer) => sum + layers[layer]![index]![key], 0);
  let [low, high] = [0, 1];
  if (total(at(high), "cost") <= budget) low = high;
  for (let halving = 0; halving < HALVINGS && low < high; halving++) {
    const middle = (low + high) / 2;
    if (total(at(middle), "cost") <= budget) low = middle;
    else high = middle;
  }
  const chosen = at(low);
  const error = total(chosen, "error");
  return { chosen, cost: total(chosen, "cost"), error, bound: leastTotalBound(layers, budget) };
}

function within(choices: readonly Choice[], most: number): number {
  let best = -1, cheapest = 0;
  for (const [index, { cost, error }] of choices.entries()) {
    if (cost < choices[cheapest]!.cost) cheapest = index;
    if (cost <= most && (best < 0 || error < choices[best]!.error)) best = index;
  }
  return best < 0 ? cheapest : best;
}
