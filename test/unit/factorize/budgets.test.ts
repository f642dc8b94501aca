import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assertPossible, type Choice } from "../../../src/factorize/budget/choices";
import { closenessWords } from "../../../src/factorize/budget/closeness";
import { equalRatio } from "../../../src/factorize/budget/equalRatio";
import { leastTotal } from "../../../src/factorize/budget/leastTotal";
import { minimax } from "../../../src/factorize/budget/minimax";
import { Fault } from "../../../src/shared/fault";

/** A layer's choices: errors fall as costs rise, down to none for the layer as it is. */
const layer = fc.array(fc.record({ cost: fc.integer({ min: 1, max: 60 }), drop: fc.integer({ min: 0, max: 40 }) }), { minLength: 1, maxLength: 6 }).map((steps) => {
  const costs = steps.map(({ cost }) => cost).sort((a, b) => a - b);
  let error = steps.reduce((sum, { drop }) => sum + drop, 0);
  return steps.map(({ drop }, index): Choice => ({ cost: costs[index]!, error: (error -= drop) }));
});
const model = fc.array(layer, { minLength: 1, maxLength: 5 });
const least = (layers: readonly Choice[][]) => layers.reduce((sum, choices) => sum + Math.min(...choices.map(({ cost }) => cost)), 0);
const most = (layers: readonly Choice[][]) => layers.reduce((sum, choices) => sum + Math.max(...choices.map(({ cost }) => cost)), 0);
/** A model and a budget that it can meet. */
const problem = fc.tuple(model, fc.double({ min: 0, max: 1.1, noNaN: true })).map(([layers, share]) => ({ layers, budget: least(layers) + share * (most(layers) - least(layers)) }));

/** Every allocation within the budget. */
function* allocations(layers: readonly Choice[][], budget: number, chosen: Choice[] = [], cost = 0): Generator<Choice[]> {
  if (cost > budget) return;
  const next = layers[chosen.length];
  if (next === undefined) yield chosen;
  else for (const choice of next) yield* allocations(layers, budget, [...chosen, choice], cost + choice.cost);
}

const picked = (layers: readonly Choice[][], chosen: readonly number[]) => chosen.map((index, at) => layers[at]![index]!);
const total = (choices: readonly Choice[], key: keyof Choice) => choices.reduce((sum, choice) => sum + choice[key], 0);
const worst = (choices: readonly Choice[]) => Math.max(...choices.map(({ error }) => error));

describe("an allocation under a budget", () => {
  it.each([["minimax", minimax], ["least total", leastTotal], ["equal ratio", equalRatio]] as const)("by %s never exceeds it", (_, allocate) => {
    fc.assert(fc.property(problem, ({ layers, budget }) => {
      const { chosen, cost } = allocate(layers, budget);
      expect(total(picked(layers, chosen), "cost")).toBe(cost);
      expect(cost).toBeLessThanOrEqual(budget);
    }));
  });

  it("by minimax has the smallest largest error that brute force finds", () => {
    fc.assert(fc.property(problem, ({ layers, budget }) => {
      const { chosen, error } = minimax(layers, budget);
      const best = Math.min(...[...allocations(layers, budget)].map(worst));
      expect(worst(picked(layers, chosen))).toBe(best);
      expect(error).toBe(best);
    }));
  });

  it("by equal ratio gives every layer its best choice within one share, and no larger share fits", () => {
    fc.assert(fc.property(problem, ({ layers, budget }) => {
      const at = (share: number) => layers.map((choices) => {
        const whole = Math.max(...choices.map(({ cost }) => cost));
        const within = choices.filter(({ cost }) => cost <= share * whole + 1e-9);
        if (within.length === 0) return Math.min(...choices.map(({ cost }) => cost));
        const best = Math.min(...within.map(({ error }) => error));
        return within.find(({ error }) => error === best)!.cost;
      });
      // Every share at which some layer's choice changes.
      const shares = [0, ...layers.flatMap((choices) => choices.map(({ cost }) => cost / Math.max(...choices.map((other) => other.cost))))];
      const costs = shares.map((share) => at(share)).filter((each) => each.reduce((sum, cost) => sum + cost, 0) <= budget);
      const most = Math.max(...costs.map((each) => each.reduce((sum, cost) => sum + cost, 0)));
      expect(equalRatio(layers, budget).cost).toBe(most);
    }));
  });

  it("by equal ratio tells a bound that no allocation falls below", () => {
    fc.assert(fc.property(problem, ({ layers, budget }) => {
      const { bound, error } = equalRatio(layers, budget);
      const best = Math.min(...[...allocations(layers, budget)].map((choices) => total(choices, "error")));
      expect(bound).toBeLessThanOrEqual(best + 1e-9);
      expect(best).toBeLessThanOrEqual(error);
    }));
  });

  it("by least total has the smallest total error that brute force finds, and its bound says so", () => {
    fc.assert(fc.property(problem, ({ layers, budget }) => {
      const { chosen, error, bound } = leastTotal(layers, budget);
      const best = Math.min(...[...allocations(layers, budget)].map((choices) => total(choices, "error")));
      expect(total(picked(layers, chosen), "error")).toBe(best);
      expect([error, bound]).toEqual([best, best]);
    }));
  });

  it("of a large model by least total comes within its own bound, and close to it", () => {
    // 300 layers of 200 ranks whose errors fall geometrically: far more than can be searched.
    const layers = Array.from({ length: 300 }, (_, at) => Array.from({ length: 200 }, (_, rank) => ({ cost: (1 + (at % 7)) * (rank + 1), error: (0.9 + (at % 9) / 100) ** rank })));
    const budget = 0.3 * most(layers);
    const { cost, error, bound } = leastTotal(layers, budget);
    expect(cost).toBeLessThanOrEqual(budget);
    expect(error).toBeGreaterThanOrEqual(bound);
    expect(error / bound).toBeLessThan(1.001);
  });

  it("says how close it comes to the least error", () => {
    const allocation = { chosen: [], cost: 0, error: 1.03, bound: 1 };
    expect(closenessWords("least-total", allocation)).toBe("a total error at most 3 % above the least that the budget allows");
    expect(closenessWords("equal-ratio", { ...allocation, error: 4.04 })).toBe("a total error at most 4.0 times the least that the budget allows");
    expect(closenessWords("least-total", { ...allocation, error: 1 })).toBe("the least total error that the budget allows");
    expect(closenessWords("minimax", allocation)).toBe("");
  });

  it("by least total leaves no room that a better choice of any layer would fit into, however large the model", () => {
    // Two hundred ranks whose errors fall slowly, and the layer as it is, which costs little more and loses nothing.
    const slow = fc.record({ unit: fc.integer({ min: 1, max: 9 }), decay: fc.double({ min: 0.985, max: 0.999, noNaN: true }) })
      .map(({ unit, decay }) => [...Array.from({ length: 200 }, (_, rank): Choice => ({ cost: unit * (rank + 1), error: decay ** rank })), { cost: unit * 201, error: 0 }]);
    fc.assert(fc.property(fc.array(slow, { minLength: 1, maxLength: 4 }), fc.double({ min: 0.02, max: 1, noNaN: true }), (layers, share) => {
      const budget = least(layers) + share * (most(layers) - least(layers));
      const { chosen, cost, error, bound } = leastTotal(layers, budget);
      expect(cost).toBeLessThanOrEqual(budget);
      expect(error).toBeGreaterThanOrEqual(bound);
      for (const [at, index] of chosen.entries()) {
        const now = layers[at]![index]!;
        expect(layers[at]!.filter((choice) => choice.cost - now.cost <= budget - cost && choice.error < now.error)).toEqual([]);
      }
    }));
  });

  it("of one layer by least total is its best choice within the budget", () => {
    const only = Array.from({ length: 100 }, (_, rank): Choice => ({ cost: rank + 1, error: 1 - rank / 200 }));
    expect(leastTotal([[...only, { cost: 101, error: 0 }]], 90)).toMatchObject({ chosen: [89], cost: 90 });
  });

  it("that cannot be met says what can", () => {
    const layers = [[{ cost: 5, error: 1 }, { cost: 9, error: 0 }], [{ cost: 7, error: 0 }]];
    expect(() => assertPossible(layers, 100, 112, (cost) => `${cost} weights`)).not.toThrow();
    expect(() => assertPossible(layers, 100, 111, (cost) => `${cost} weights`)).toThrow(Fault);
    expect(() => assertPossible(layers, 100, 111, (cost) => `${cost} weights`)).toThrow(/111 weights cannot be met.*still takes 112 weights/);
  });
});
