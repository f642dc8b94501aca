import { efficient, type Allocation, type Choice } from "./choices";

/** Models of more choices than this are left to the relaxation, whose gap is then a small part of the error. */
const MOST_SEARCHED = 64;
/** Partial allocations that the search looks at. */
const MOST_NODES = 20_000;

/**
 * The allocation of least total error under a budget (the multiple-choice knapsack). Steps along the lower convex hull of
 * each layer, the most error for the cost first, solve its relaxation (Sinha & Zoltners, 1979). The last step of a layer is
 * often a leap to the layer as it is, over most of its ranks: so a second climb leaves that choice out. What each leaves of the
 * budget is filled with what fits, the better one is taken, and for small models branch and bound makes it exact.
 * @param budget at least the cost of all cheapest choices
 * @returns `bound`: the relaxation's error, or the error itself where the search was complete
 */
export function leastTotal(layers: readonly (readonly Choice[])[], budget: number): Allocation {
  const hulls = layers.map((choices) => lowerHull(choices, efficient(choices)));
  const relaxed = climb(layers, hulls, budget);
  const partial = climb(layers, layers.map((choices) => lowerHull(choices, withoutLast(efficient(choices)))), budget);
  const [first, second] = [relaxed, partial].map(({ chosen }) => filled(layers, chosen, budget));
  const greedy = { ...(second!.error < first!.error ? second! : first!), bound: relaxed.bound };
  if (layers.reduce((total, choices) => total + choices.length, 0) > MOST_SEARCHED) return greedy;
  const search = new Search(layers, hulls, budget, greedy);
  const best = search.run();
  return search.complete ? { ...best, bound: best.error } : best;
}

/** What no allocation within the budget falls below in total: the error of the relaxation. */
export function leastTotalBound(layers: readonly (readonly Choice[])[], budget: number): number {
  return climb(layers, layers.map((choices) => lowerHull(choices, efficient(choices))), budget).bound;
}

function withoutLast(indices: readonly number[]): readonly number[] {
  return indices.length > 1 ? indices.slice(0, -1) : indices;
}

/** Takes the one choice after the other that lowers the error most of all that still fit. */
function filled(layers: readonly (readonly Choice[])[], start: readonly number[], budget: number): Omit<Allocation, "bound"> {
  const chosen = [...start];
  for (;;) {
    const left = budget - sum(layers, chosen, "cost");
    let best: { readonly layer: number; readonly index: number } | null = null;
    let most = 0;
    for (const [layer, choices] of layers.entries()) {
      const now = choices[chosen[layer]!]!;
      for (const [index, { cost, error }] of choices.entries()) {
        if (cost - now.cost > left || now.error - error <= most) continue;
        most = now.error - error;
        best = { layer, index };
      }
    }
    if (best === null) return { chosen, cost: sum(layers, chosen, "cost"), error: sum(layers, chosen, "error") };
    chosen[best.layer] = best.index;
  }
}

/**
 * Indices of the choices on the lower convex hull, cheapest first: each step gains less for its cost than the one before.
 * @param kept those that count, cheapest first, errors falling
 */
function lowerHull(choices: readonly Choice[], kept: readonly number[]): number[] {
  const hull: number[] = [];
  for (const index of kept) {
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
