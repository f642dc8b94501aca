import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Considered } from "../../../src/factorize/candidates";
import { offByDefault } from "../../../src/factorize/candidates";
import { breakEven, ladderOf, rungAt, wholeRung } from "../../../src/factorize/ladder";
import { propose, type AllocationId, type Wish } from "../../../src/factorize/propose";
import { parseRankRule } from "../../../src/factorize/rankRule";
import { reconstructed } from "../../../src/factorize/reconstruct";
import type { SchemeId } from "../../../src/factorize/scheme";
import { multiplyAddsOf, wholeStep } from "../../../src/factorize/scheme";
import { SCHEMES } from "../../../src/factorize/schemes";
import type { Target } from "../../../src/factorize/target";
import { exactSvd } from "../../../src/linalg/svd";
import type { Layer } from "../../../src/models/model";
import { normal } from "../support/matrices";

const linear = (rows: number, columns: number, name = "fc.weight"): Target => ({ name, kind: "linear", shape: [rows, columns], dtype: "float32", form: { op: "linear", layout: "out_in" } });
const convolution = (shape: readonly number[], groups = 1, op: "conv" | "conv_transpose" = "conv"): Target => ({ name: "conv.weight", kind: op, shape, dtype: "float32", form: { op, groups } });
const recurrent = (directions: number, gates: number, input: number): Target => ({ name: "w", kind: "lstm", shape: [directions, gates, input], dtype: "float32", form: { op: "recurrent", layout: "out_in" } });
const size = ({ shape }: Target): number => shape.reduce((all, each) => all * each, 1);
const ONE = { before: [], after: [] };

/** A layer whose spectrum is given, under the svd scheme. */
function considered(rows: number, columns: number, spectrum: readonly number[], name = "fc.weight"): Considered {
  const values = new Float64Array(Math.min(rows, columns));
  values.set(spectrum);
  return { name, parameters: rows * columns, dtype: "float32", reason: "", candidate: { target: linear(rows, columns, name), schemes: [{ scheme: SCHEMES.svd, spectra: [[values]] }] } };
}

const ruled = (rule: string, layer: Considered) => propose([layer], { kind: "rule", rule: parseRankRule(rule) }, layer.parameters, String).layers[0]!;

describe("a rule for ranks", () => {
  // σ = 4, 2, 1, 1: energies 16, 4, 1, 1 of 22.
  const layer = considered(60, 50, [4, 2, 1, 1]);
  it.each([["energy:0.7", 1], ["energy:0.9", 2], ["energy:0.95", 3], ["energy:0.99", 4], ["stable", 2], ["scaled-stable", 6], ["effective", 4], ["fixed:3", 3], ["ratio:0.5", 13], ["ratio:0.1", 2]] as const)("%s gives rank %i", (rule, rank) => {
    expect(ruled(rule, layer)).toMatchObject({ action: "factorize", scheme: "svd", ranks: [rank], parametersAfter: rank * 110 });
  });

  it("loses what the singular values beyond its rank hold", () => {
    expect(ruled("fixed:1", layer).relativeError).toBeCloseTo(Math.sqrt(6 / 22), 5);
    expect(ruled("fixed:4", layer).relativeError).toBe(0);
  });

  it("keeps a layer whose rank is not below its break-even rank, and says which that is", () => {
    // 27 · 110 = 2,970 weights of 3,000; 28 would be 3,080.
    expect(ruled("fixed:27", layer)).toMatchObject({ action: "factorize", parametersAfter: 2970 });
    expect(ruled("fixed:28", layer)).toMatchObject({ action: "keep", ranks: [], reason: "rank 28 does not make it smaller: its break-even rank is 27" });
  });

  it.each(["energy:0", "energy:1", "energy", "fixed:0", "fixed:1.5", "ratio:2", "rank", "energy:0.9x"])("%s is none", (text) => {
    expect(() => parseRankRule(text)).toThrow(/is no rule/);
  });
});

describe("a plan under a budget", () => {
  const layers = fc.array(fc.record({ rows: fc.integer({ min: 2, max: 30 }), columns: fc.integer({ min: 2, max: 30 }), decay: fc.double({ min: 0.3, max: 1, noNaN: true }) }), { minLength: 1, maxLength: 6 });
  it.each(["minimax", "least-total", "equal-ratio", "effective-rank"] as const)("by %s never exceeds it, or says the least possible", (allocation: AllocationId) => {
    fc.assert(fc.property(layers, fc.double({ min: 0.05, max: 1, noNaN: true }), fc.constantFrom("params" as const, "bytes" as const), (specs, share, unit) => {
      const all = specs.map(({ rows, columns, decay }, index) => considered(rows, columns, Array.from({ length: Math.min(rows, columns) }, (_, i) => decay ** i), `layer${index}`));
      const total = (unit === "params" ? 1 : 4) * all.reduce((sum, { parameters }) => sum + parameters, 0);
      const wish: Wish = { kind: "budget", budget: { unit, amount: Math.floor(share * total), allocation } };
      const least = (unit === "params" ? 1 : 4) * specs.reduce((sum, { rows, columns }) => sum + Math.min(rows * columns, rows + columns), 0);
      if (least > Math.floor(share * total)) expect(() => propose(all, wish, total, String)).toThrow(new RegExp(`still takes ${least}\\.`));
      else {
        const after = propose(all, wish, total, String).layers.reduce((sum, layer) => sum + layer.parametersAfter, 0);
        expect(after * (unit === "params" ? 1 : 4)).toBeLessThanOrEqual(Math.floor(share * total));
      }
    }));
  });
});

describe("a plan under a budget of multiply-adds", () => {
  it("counts each layer where it is applied, and leaves alone those of which that is not known", () => {
    const spectrum = Array.from({ length: 20 }, (_, i) => 0.8 ** i);
    const often = considered(20, 20, spectrum, "often"), once = considered(20, 20, spectrum, "once"), unknown = considered(20, 20, spectrum, "unknown");
    const at = (layer: Considered, count: number): Considered => ({ ...layer, candidate: { ...layer.candidate!, positions: { before: [count], after: [count] } } });
    const { layers } = propose([at(often, 50), at(once, 1), unknown], { kind: "multiply-adds", budget: { amount: 9000, allocation: "least-total" } }, 51 * 400, String);
    const [first, second, third] = layers;
    // 50 · 40 · r ≤ 9,000 − 400: all of it has to come from the layer that is applied often.
    expect(first).toMatchObject({ action: "factorize", ranks: [4], multiplyAddsBefore: 20_000, multiplyAddsAfter: 8000 });
    expect(second).toMatchObject({ action: "keep" });
    expect(third).toMatchObject({ action: "keep", reason: expect.stringMatching(/not known/) as string });
  });
});

describe("a plan that shares a budget by effective rank", () => {
  it("gives every layer a rank in proportion to it: the smallest share that any has is as large as brute force makes it", () => {
    const specs = fc.array(fc.record({ rows: fc.integer({ min: 3, max: 8 }), columns: fc.integer({ min: 3, max: 8 }), equal: fc.integer({ min: 1, max: 3 }) }), { minLength: 1, maxLength: 3 });
    fc.assert(fc.property(specs, fc.double({ min: 0.3, max: 1, noNaN: true }), (layers, share) => {
      // A spectrum of n equal values has effective rank n.
      const all = layers.map(({ rows, columns, equal }, index) => considered(rows, columns, new Array<number>(equal).fill(1), `layer${index}`));
      const total = all.reduce((sum, { parameters }) => sum + parameters, 0), amount = Math.floor(share * total);
      const least = layers.reduce((sum, { rows, columns }) => sum + Math.min(rows * columns, rows + columns), 0);
      fc.pre(least <= amount);
      // Rank n loses nothing: more is never taken, nor the whole layer where that is larger.
      const options = layers.map(({ rows, columns, equal }) => {
        const ranks = Array.from({ length: equal }, (_, index) => ({ cost: (index + 1) * (rows + columns), kept: (index + 1) / equal })).filter(({ cost }) => cost < rows * columns);
        return ranks.length === equal ? ranks : [...ranks, { cost: rows * columns, kept: Infinity }];
      });
      let best = 0;
      const search = (at: number, cost: number, smallest: number): void => {
        if (cost > amount) return;
        if (at === options.length) best = Math.max(best, smallest);
        else for (const option of options[at]!) search(at + 1, cost + option.cost, Math.min(smallest, option.kept));
      };
      search(0, 0, Infinity);
      const plan = propose(all, { kind: "budget", budget: { unit: "params", amount, allocation: "effective-rank" } }, total, String).layers;
      const smallest = Math.min(...plan.map(({ ranks }, index) => (ranks.length === 0 ? Infinity : ranks[0]! / layers[index]!.equal)));
      expect(smallest).toBe(best);
    }));
  });
});

describe("the costs of a scheme", () => {
  it.each<[SchemeId, Target, number[], number]>([
    ["svd", linear(64, 48), [5], 5 * (64 + 48)],
    ["channel", convolution([64, 32, 3, 3]), [5], 5 * (32 * 9 + 64)],
    ["spatial", convolution([64, 32, 3, 5]), [5], 5 * (32 * 3 + 64 * 5)],
    ["tucker2", convolution([64, 32, 3, 3]), [5, 7], 32 * 5 + 5 * 7 * 9 + 7 * 64],
    ["channel", convolution([64, 16, 3, 3], 2), [5], 2 * 5 * (16 * 9 + 32)],
    ["channel", convolution([32, 64, 3, 3], 1, "conv_transpose"), [5], 5 * (32 * 9 + 64)],
    ["depthwise", convolution([64, 32, 3, 3]), [5], 5 * 64 * (32 + 9)],
    ["groups4", convolution([64, 32, 3, 3]), [5], 5 * (4 * 64 + 32 * 9)],
    ["groups4", linear(64, 48), [5], 5 * (4 * 64 + 48)],
    ["svd", recurrent(2, 96, 40), [5], 5 * (192 + 40)],
  ])("%s are those of its formula", (id, target, ranks, parameters) => {
    const scheme = SCHEMES[id];
    const spectra = scheme.fullRanks(target).map((full) => [new Float64Array(full).fill(1)]);
    expect(rungAt(target, scheme, ranks, spectra, ONE).parameters).toBe(parameters);
    const ladder = ladderOf(target, scheme, spectra, ONE);
    expect(ladder.at(-1)!.ranks).toEqual(scheme.fullRanks(target));
    const limit = breakEven(ladder, wholeRung(target, ONE))!;
    expect(limit.parameters).toBeLessThan(size(target));
    expect(ladder[ladder.indexOf(limit) + 1]!.parameters).toBeGreaterThanOrEqual(size(target));
  });

  it("of a weight that several nodes share are those of all of them", () => {
    const target = linear(10, 20);
    expect(multiplyAddsOf([wholeStep(target)], { before: [3], after: [3], more: [{ before: [4], after: [4] }] })).toBe(7 * 200);
  });

  it("count multiply-adds where each step is applied: before or after the stride", () => {
    const target = convolution([64, 32, 3, 3]);
    const positions = { before: [28, 28], after: [14, 14] };
    expect(multiplyAddsOf([wholeStep(target)], positions)).toBe(64 * 32 * 9 * 196);
    expect(multiplyAddsOf(SCHEMES.channel.steps(target, [5]), positions)).toBe(5 * 32 * 9 * 196 + 64 * 5 * 196);
    expect(multiplyAddsOf(SCHEMES.spatial.steps(target, [5]), positions)).toBe(5 * 32 * 3 * 14 * 28 + 64 * 5 * 3 * 196);
    expect(multiplyAddsOf(SCHEMES.tucker2.steps(target, [5, 7]), positions)).toBe(5 * 32 * 784 + 5 * 7 * 9 * 196 + 64 * 7 * 196);
  });
});

describe("factors of a low rank", () => {
  const random = (target: Target): Float32Array => Float32Array.from({ length: size(target) }, normal(7));
  const errorOf = async (id: SchemeId, target: Target, ranks: number[]): Promise<number> => {
    const values = random(target);
    const weight = reconstructed(target, await SCHEMES[id].factor(target, values, ranks, exactSvd));
    const squares = (each: (index: number) => number): number => values.reduce((sum, _, index) => sum + each(index) ** 2, 0);
    return Math.sqrt(squares((index) => values[index]! - weight[index]!) / squares((index) => values[index]!));
  };
  const predicted = async (id: SchemeId, target: Target, ranks: number[]): Promise<number> => {
    const scheme = SCHEMES[id];
    const spectra = await Promise.all(scheme.unfoldings(target, random(target)).map((mode) => Promise.all(mode.map(async (matrix) => (await exactSvd.truncate(matrix, Math.min(matrix.rows, matrix.columns))).values))));
    return Math.sqrt(rungAt(target, scheme, ranks, spectra, ONE).error2);
  };

  it.each<[SchemeId, Target, number[]]>([
    ["svd", linear(20, 14), [6]], ["channel", convolution([12, 8, 3, 3]), [5]], ["channel", convolution([12, 4, 3, 3], 3), [2]],
    ["spatial", convolution([6, 5, 3, 4]), [4]], ["channel", convolution([8, 6, 3], 2, "conv_transpose"), [3]],
  ])("lose by %s just what the singular values say (Eckart & Young)", async (id, target, ranks) => {
    expect(await errorOf(id, target, ranks)).toBeCloseTo(await predicted(id, target, ranks), 9);
  });

  it("lose by tucker2 no more than the bound of HOSVD, and no less than either side alone", async () => {
    const target = convolution([12, 8, 3, 3]);
    const error = await errorOf("tucker2", target, [4, 5]);
    expect(error).toBeLessThanOrEqual(await predicted("tucker2", target, [4, 5]));
    expect(error).toBeGreaterThanOrEqual(await predicted("tucker2", target, [8, 5]));
    expect(error).toBeGreaterThanOrEqual(await predicted("tucker2", target, [4, 12]));
  });
});

describe("layers that are off by default", () => {
  it("are the first convolution, the last layer and embeddings", () => {
    const targets = [convolution([8, 3, 3, 3]), convolution([8, 8, 3, 3]), linear(10, 8), linear(4, 10)].map((target, index) => ({ ...target, name: `layer${index}` }));
    const embedding: Target = { ...linear(100, 8, "embedding"), form: { op: "embedding", layout: "in_out" } };
    const all = [embedding, ...targets];
    const layers = all.map(({ name, shape, dtype, kind }): Layer => ({ tensor: { name, shape, dtype }, kind, views: [], block: null, module: name, notes: [] }));
    expect([...offByDefault(layers, { targets: all }).keys()].sort()).toEqual(["embedding", "layer0", "layer3"]);
  });
});
