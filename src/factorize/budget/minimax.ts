import { efficient, type Allocation, type Choice } from "./choices";

/**
 * The allocation whose largest error over layers is the smallest possible (ALDS: Liebenwein et al., 2021, §3.2): each
 * layer takes its cheapest choice within ε, and bisection finds the smallest ε that fits. Exact, as only errors that occur
 * need to be tried.
 * @param budget at least the cost of all cheapest choices
 */
export function minimax(layers: readonly (readonly Choice[])[], budget: number): Allocation {
  const ladders = layers.map((choices) => ({ choices, kept: efficient(choices) }));
  const errors = [...new Set(ladders.flatMap(({ choices, kept }) => kept.map((index) => choices[index]!.error)))].sort((a, b) => a - b);
  let [low, high] = [0, errors.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const cost = costOf(layers, within(ladders, errors[middle]!));
    if (cost !== null && cost <= budget) high = middle;
    else low = middle + 1;
  }
  const chosen = within(ladders, errors[low] ?? 0).map((index) => index ?? 0);
  const error = chosen.reduce((most, index, layer) => Math.max(most, layers[layer]![index]!.error), 0);
  return { chosen, cost: costOf(layers, chosen) ?? 0, error, bound: error };
}

interface Ladder {
  readonly choices: readonly Choice[];
  readonly kept: readonly number[];
}

/** The cheapest choice of each layer whose error is at most ε; null where none is. */
function within(ladders: readonly Ladder[], epsilon: number): (number | null)[] {
  return ladders.map(({ choices, kept }) => kept.find((index) => choices[index]!.error <= epsilon) ?? null);
}

function costOf(layers: readonly (readonly Choice[])[], chosen: readonly (number | null)[]): number | null {
  let cost = 0;
  for (const [layer, index] of chosen.entries()) {
    if (index === null) return null;
    cost += layers[layer]![index]!.cost;
  }
  return cost;
}
