import { efficient, type Allocation, type Choice } from "./choices";

/** Models of more choices than this are left to the relaxation, whose gap is then a small part of the error. */
const MOST_SEARCHED = 64;
/** Partial allocations that the search looks at. */
const MOST_NODES = 20_000;

/**
 * The allocation of least total error under a budget (the multiple-choice knapsack). Steps along the lower convex hull of
 * each layer, the most error for the cost first, solve its relaxation (Sinha & Zoltners, 1979); what the last step
 * leaves is filled with what fits, and for small models branch and bound makes it exact.
 * @param budget at least the cost of all cheapest choices
 * @returns `bound`: the relaxation's error, or the error itself where the search was complete
 */
export function leastTotal(layers: readonly (readonly Choice[])[], budget: number): Allocation {
  const hulls = layers.map(lowerHull);
  const greedy = climb(layers, hulls, budget);
  if (layers.reduce((total, choices) => total + choices.length, 0) > MOST_SEARCHED) return greedy;
  const search = new Search(layers, hulls, budget, greedy);
  const best = search.run();
  return search.complete ? { ...best, bound: best.error } : best;
}

/** What no allocation within the budget falls below in total: the error of the relaxation. */
export function leastTotalBound(layers: readonly (readonly Choice[])[], budget: number): number {
  return climb(layers, layers.map(lowerHull), budget).bound;
}

/** Indices of the choices on the lower convex hull, cheapest first: each step gains less for its cost than the one before. */
function lowerHull(choices: readonly Choice[]): number[] {
  const hull: number[] = [];
  for (const index of efficient(choices)) {
    while (hull.length > 1 && slope(choices, hull.at(-1)!, index) >= slope(choices, hull.at(-2)!, hull.at(-1)!)) hull.pop();
    hull.push(index);
  }
  return hull;
}

/** Error gained for each unit of cost. */
function slope(choices: readonly Choice[], from: number, to: number): number {
  return (choices[from]!.error - choices[to]!.error) / (choices[to]!.cost - choices[from]!.cost);
}

interface ClimbStep {
  readonly layer: number;
  readonly to: number;
  readonly cost: number;
  readonly gain: number;
}

function climb(layers: readonly (readonly Choice[])[], hulls: readonly (readonly number[])[], budget: number): Allocation {
  const chosen = hulls.map((hull) => hull[0]!);
  const steps = stepsOf(layers, hulls);
  let cost = sum(layers, chosen, "cost"), error = sum(layers, chosen, "error");
  let bound: number | null = null;
  const stopped = new Set<number>();
  for (const { layer, to, cost: more, gain } of steps) {
    if (stopped.has(layer)) continue;
    if (cost + more > budget) {
      bound ??= error - gain * ((budget - cost) / more);
      stopped.add(layer);
      continue;
    }
    [cost, error] = [cost + more, error - gain];
    chosen[layer] = to;
  }
  // Summed anew: what the steps added up has their rounding.
  const total = sum(layers, chosen, "error");
  return { chosen, cost: sum(layers, chosen, "cost"), error: total, bound: Math.min(bound ?? total, total) };
}

function stepsOf(layers: readonly (readonly Choice[])[], hulls: readonly (readonly number[])[]): ClimbStep[] {
  const steps = hulls.flatMap((hull, layer) => hull.slice(1).map((to, index): ClimbStep => {
    const [before, after] = [layers[layer]![hull[index]!]!, layers[layer]![to]!];
    return { layer, to, cost: after.cost - before.cost, gain: before.error - after.error };
  }));
  return steps.sort((a, b) => b.gain / b.cost - a.gain / a.cost);
}

function sum(layers: readonly (readonly Choice[])[], chosen: readonly number[], key: keyof Choice): number {
  return chosen.reduce((total, index, layer) => total + layers[layer]![index]![key], 0);
}

/** Depth first over the layers, with the relaxation of the layers that are left as the bound. */
class Search {
  complete = true;
  private nodes = 0;
  private best: Allocation;
  private readonly order: readonly (readonly number[])[];
  private readonly cheapest: number[];

  constructor(private readonly layers: readonly (readonly Choice[])[], private readonly hulls: readonly (readonly number[])[], private readonly budget: number, start: Allocation) {
    this.best = start;
    this.order = layers.map((choices) => efficient(choices).reverse());
    this.cheapest = new Array<number>(layers.length + 1).fill(0);
    for (let layer = layers.length - 1; layer >= 0; layer--) this.cheapest[layer] = this.cheapest[layer + 1]! + layers[layer]![hulls[layer]![0]!]!.cost;
  }

  run(): Allocation {
    this.descend([], 0, 0);
    return this.best;
  }

  private descend(chosen: number[], cost: number, error: number): void {
    const layer = chosen.length;
    if (++this.nodes > MOST_NODES) {
      this.complete = false;
      return;
    }
    if (layer === this.layers.length) {
      if (error < this.best.error) this.best = { ...this.best, chosen: [...chosen], cost, error };
      return;
    }
    if (error + this.relaxed(layer, this.budget - cost) >= this.best.error) return;
    for (const index of this.order[layer]!) {
      const choice = this.layers[layer]![index]!;
      if (cost + choice.cost + this.cheapest[layer + 1]! > this.budget) continue;
      chosen.push(index);
      this.descend(chosen, cost + choice.cost, error + choice.error);
      chosen.pop();
      if (!this.complete) return;
    }
  }

  /** The least total error of layers from `first` on, with fractions of steps allowed. */
  private relaxed(first: number, budget: number): number {
    const layers = this.layers.slice(first), hulls = this.hulls.slice(first);
    let left = budget - this.cheapest[first]!;
    let error = hulls.reduce((total, hull, layer) => total + layers[layer]![hull[0]!]!.error, 0);
    for (const { cost, gain } of stepsOf(layers, hulls)) {
      const part = Math.min(1, left / cost);
      error -= gain * part;
      left -= cost * part;
      if (part < 1) break;
    }
    return error;
  }
}
