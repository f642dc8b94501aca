import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { considerLayers } from "../../../src/factorize/candidates";
import { rungAt } from "../../../src/factorize/ladder";
import { propose } from "../../../src/factorize/propose";
import { reconstructed } from "../../../src/factorize/reconstruct";
import { SCHEME_IDS, type SchemeId } from "../../../src/factorize/scheme";
import { SCHEMES } from "../../../src/factorize/schemes";
import type { Target } from "../../../src/factorize/target";
import { exactSolver } from "../../../src/linalg/exactSolver";
import { exactSvd } from "../../../src/linalg/svd";
import type { Layer, Values } from "../../../src/models/model";
import { normal } from "../support/matrices";

/** Factors are written as float32. */
const ROUNDING = 1e-6;
const ONE = { before: [], after: [] };
const size = ({ shape }: Pick<Target, "shape">): number => shape.reduce((all, each) => all * each, 1);
const gaussian = (target: Target, seed: number): Values => Float32Array.from({ length: size(target) }, normal(seed));
const layerOf = ({ name, shape, dtype, kind }: Target): Layer => ({ tensor: { name, shape, dtype }, kind, views: [], block: null, module: name, notes: [] });

const channels = fc.integer({ min: 1, max: 5 }), kernel = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
const convolution = fc.record({ op: fc.constantFrom("conv" as const, "conv_transpose" as const), groups: fc.integer({ min: 1, max: 3 }), out: channels, input: channels.map((count) => 2 * count), kernel })
  .map(({ op, groups, out, input, kernel: axes }): Target => ({ name: "w", kind: op, dtype: "float32", form: { op, groups }, shape: op === "conv" ? [groups * out, input, ...axes] : [groups * input, out, ...axes] }));
const matrix = fc.record({ layout: fc.constantFrom("in_out" as const, "out_in" as const), rows: fc.integer({ min: 2, max: 24 }), columns: fc.integer({ min: 2, max: 24 }) })
  .map(({ layout, rows, columns }): Target => ({ name: "w", kind: "linear", dtype: "float32", form: { op: "linear", layout }, shape: [rows, columns] }));
const recurrent = fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 2, max: 16 }), fc.integer({ min: 2, max: 12 }))
  .map((shape): Target => ({ name: "w", kind: "lstm", dtype: "float32", form: { op: "recurrent", layout: "out_in" }, shape }));
const target = fc.oneof(convolution, matrix, recurrent);

/** W − Ŵ of the factors as they are written, in the weight's own order. */
async function difference(id: SchemeId, of: Target, values: Values, ranks: readonly number[]): Promise<Float64Array> {
  const factors = (await SCHEMES[id].factor(of, values, ranks, exactSvd)).map((factor) => ({ ...factor, values: Float64Array.from(Float32Array.from(factor.values)) }));
  return reconstructed(of, factors).map((value, at) => values[at]! - value);
}

const norm = (values: Values): number => Math.sqrt([...values].reduce((sum, value) => sum + value ** 2, 0));

/** The largest singular value of the layer's own unfolding: that of the group that has the largest. */
async function spectralNorm(of: Target, values: Values): Promise<number> {
  const scheme = "groups" in of.form ? SCHEMES.channel : SCHEMES.svd;
  const spectra = await Promise.all(scheme.unfoldings(of, Float64Array.from(values))[0]!.map((each) => exactSolver.singularValues(each)));
  return Math.max(...spectra.map(([first = 0]) => first));
}

async function spectraOf(id: SchemeId, of: Target, values: Values) {
  const layer = layerOf(of);
  const [considered] = await considerLayers([layer], { targets: [of] }, { scheme: id, included: () => true, excluded: () => false, known: () => null, read: async () => values, solver: exactSolver });
  return considered!;
}

describe("the error that a plan tells", () => {
  it.each(SCHEME_IDS)("for %s is that of what is written, or a bound of it where there are two ranks or fits", async (id) => {
    await fc.assert(fc.asyncProperty(target, fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), async (of, seed, share) => {
      fc.pre(SCHEMES[id].refusal(of) === null);
      const values = gaussian(of, seed);
      const { candidate } = await spectraOf(id, of, values);
      const ranks = SCHEMES[id].fullRanks(of).map((full) => Math.max(1, Math.round(share * Math.min(full, id === "cp" ? 6 : full))));
      const rung = rungAt(of, SCHEMES[id], ranks, candidate!.schemes[0]!.spectra, ONE);
      const error = norm(await difference(id, of, values, ranks)) / norm(values);
      const told = Math.sqrt(rung.error2);
      expect(error).toBeLessThanOrEqual(told + ROUNDING);
      if (id !== "tucker2" && id !== "cp") expect(error).toBeGreaterThanOrEqual(told - ROUNDING);
    }), { numRuns: id === "cp" ? 15 : 60 });
  });

  it.each(["svd", "channel", "depthwise", "groups2", "groups4", "cp"] as const)("in the spectral norm, which minimax spreads, for %s bounds that of what is written", async (id) => {
    await fc.assert(fc.asyncProperty(target, fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), async (of, seed, share) => {
      fc.pre(SCHEMES[id].refusal(of) === null);
      const values = gaussian(of, seed);
      const { candidate } = await spectraOf(id, of, values);
      const ranks = SCHEMES[id].fullRanks(of).map((full) => Math.max(1, Math.round(share * Math.min(full, id === "cp" ? 6 : full))));
      const rung = rungAt(of, SCHEMES[id], ranks, candidate!.schemes[0]!.spectra, ONE);
      const error = (await spectralNorm(of, await difference(id, of, values, ranks))) / (await spectralNorm(of, values));
      expect(error).toBeLessThanOrEqual(rung.spectralError + ROUNDING);
    }), { numRuns: id === "cp" ? 15 : 60 });
  });

  it("of channel groups has the √k: where all groups lose the same direction, nothing less bounds it", async () => {
    // [A A A A], so that the errors of the groups lie on one another: ‖[E E E E]‖ = √4 ‖E‖.
    const of: Target = { name: "w", kind: "linear", dtype: "float32", form: { op: "linear", layout: "out_in" }, shape: [6, 20] };
    const block = Array.from({ length: 30 }, normal(3));
    const values = Float32Array.from({ length: 120 }, (_, at) => block[Math.floor(at / 20) * 5 + (at % 5)]!);
    const { candidate } = await spectraOf("groups4", of, values);
    const rung = rungAt(of, SCHEMES.groups4, [2], candidate!.schemes[0]!.spectra, ONE);
    const error = (await spectralNorm(of, await difference("groups4", of, values, [2]))) / (await spectralNorm(of, values));
    expect(rung.spectralError).toBeCloseTo(error, 5);
    expect(rung.spectralError / 2).toBeLessThan(error - 0.05);
  });

  it("is spread by minimax over channel groups as brute force over every k and rank does", async () => {
    const shapes = [[6, 8], [10, 16], [12, 8]];
    const targets = shapes.map((shape, index): Target => ({ name: `w${index}`, kind: "linear", dtype: "float32", form: { op: "linear", layout: "out_in" }, shape }));
    // Groups of channels of their own sizes: some layers gain by k > 1.
    const values = targets.map((of, index) => gaussian(of, index + 1).map((value, at) => value * (at % of.shape[1]! < of.shape[1]! / 2 ? 1 : 0.2)));
    const considered = await considerLayers(targets.map(layerOf), { targets }, { scheme: "alds", included: () => true, excluded: () => false, known: () => null, read: async ({ tensor }) => values[Number(tensor.name.slice(1))]!, solver: exactSolver });
    const total = targets.reduce((sum, of) => sum + size(of), 0);
    const options = considered.map(({ candidate }) => {
      const { target: of, schemes } = candidate!;
      return [{ cost: size(of), error: 0 }, ...schemes.flatMap(({ scheme, spectra }) => Array.from({ length: scheme.fullRanks(of)[0]! }, (_, index) => rungAt(of, scheme, [index + 1], spectra, ONE))
        .map(({ parameters, spectralError }) => ({ cost: parameters, error: spectralError })))];
    });
    for (const share of [0.4, 0.5, 0.65, 0.8, 0.95]) {
      const amount = Math.floor(share * total);
      let best = Infinity;
      for (const a of options[0]!) for (const b of options[1]!) for (const c of options[2]!) if (a.cost + b.cost + c.cost <= amount) best = Math.min(best, Math.max(a.error, b.error, c.error));
      expect(propose(considered, { kind: "budget", budget: { unit: "params", amount, allocation: "minimax" } }, total, String).allocation!.error).toBeCloseTo(best, 12);
    }
  });

  it("is what the plan holds", async () => {
    const of: Target = { name: "w", kind: "conv", dtype: "float32", form: { op: "conv", groups: 1 }, shape: [24, 16, 3, 3] };
    const values = gaussian(of, 4);
    for (const id of ["depthwise", "groups2", "cp"] as const) {
      const considered = await spectraOf(id, of, values);
      const [layer] = propose([considered], { kind: "rule", rule: { kind: "fixed", rank: 1 } }, size(of), String).layers;
      expect(layer).toMatchObject({ action: "factorize", scheme: id, ranks: [1] });
      expect(layer!.relativeError).toBeCloseTo(norm(await difference(id, of, values, [1])) / norm(values), 5);
    }
  });
});
