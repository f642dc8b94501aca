import { Fault } from "../../shared/fault";

/** One way to write a layer, as an allocation sees it. */
export interface Choice {
  /** Parameters, bytes or multiply-adds. */
  readonly cost: number;
  /** What is spread or summed: an error that falls as the cost rises. */
  readonly error: number;
}

/** An index into each layer's choices, and how good that is. */
export interface Allocation {
  readonly chosen: readonly number[];
  readonly cost: number;
  /** Its objective: the largest or the total error. */
  readonly error: number;
  /** No allocation within the budget has a smaller objective than this. */
  readonly bound: number;
}

/**
 * Drops choices that cost no less than a better one.
 * @returns indices of those left, cheapest first, errors falling
 */
export function efficient(choices: readonly Choice[]): number[] {
  const order = [...choices.keys()].sort((a, b) => choices[a]!.cost - choices[b]!.cost || choices[a]!.error - choices[b]!.error);
  let best = Infinity;
  return order.filter((index) => {
    const { error } = choices[index]!;
    if (error >= best) return false;
    best = error;
    return true;
  });
}

/**
 * Checks that something fits.
 * @param fixed cost of all that no choice changes
 * @throws Fault budget-impossible, with the least possible
 */
export function assertPossible(layers: readonly (readonly Choice[])[], fixed: number, budget: number, words: (cost: number) => string): void {
  const least = layers.reduce((sum, choices) => sum + Math.min(...choices.map(({ cost }) => cost)), fixed);
  if (least <= budget) return;
  throw new Fault(
    "budget-impossible",
    `The budget of ${words(budget)} cannot be met: with every layer at its smallest the model still takes ${words(least)}.`,
    "Allow more, or include layers that are off by default.",
  );
}
