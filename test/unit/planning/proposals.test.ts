import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { curve } from "../../../src/engine/planning/curve";
import { laddersOf } from "../../../src/engine/planning/ladders";
import { makeLadders } from "../../../src/engine/planning/makeLadders";
import { planOf } from "../../../src/engine/planning/planFile";
import { PreparedModel } from "../../../src/engine/planning/preparedModel";
import { proposal } from "../../../src/engine/planning/proposal";
import { planningChoices } from "../../../src/engine/planning/words";
import type { Spectra } from "../../../src/factorize/ladder";
import { latencyOf, type ModelTimes } from "../../../src/factorize/latency";
import { parsePlan } from "../../../src/factorize/plan";
import { propose } from "../../../src/factorize/propose";
import type { SchemeId } from "../../../src/factorize/scheme";
import { PLAIN_SCHEMES } from "../../../src/factorize/schemes";
import type { Output } from "../../../src/factorize/source";
import { exactSolver } from "../../../src/linalg/exactSolver";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import type { Draft, DraftWish, Lock } from "../../../src/shared/planning";
import { diagonal, noise, temporaryFolder, writeModel, type TestTensor } from "../../engine/support/modelFiles";
import { convolutionModel } from "../factorize/support/runnable";

/** σ = 8, 4, 2, 1 and zeros: energies 64, 16, 4, 1 of 85. */
const DECAY = [8, 4, 2, 1, ...Array<number>(12).fill(0)];
const FLAT = Array<number>(16).fill(1);

const folder = temporaryFolder();
let model: PreparedModel;
const read: string[] = [];
beforeAll(async () => {
  const path = writeModel(folder.path, "m.safetensors", {
    "a.weight": diagonal(...DECAY), "b.weight": diagonal(...FLAT), "c.weight": noise(3, 20, 30), "d.weight": noise(4, 16, 16), "norm.weight": noise(5, 16), "head.weight": noise(6, 12, 16),
  });
  model = await PreparedModel.open({
    path, open: DEFAULT_OPEN_OPTIONS, as: "factored", solver: exactSolver, failed: new Map([["d.weight", "it holds 3 NaN values"]]), onLayer: (name) => read.push(name),
    spectra: [{ name: "a.weight", unfolding: "none", part: null, values: Float64Array.from(DECAY) }, { name: "b.weight", unfolding: "none", part: null, values: Float64Array.from(FLAT) }],
  });
});
afterAll(() => folder.remove());

const TOTAL = 16 * 16 * 3 + 20 * 30 + 16 + 12 * 16;
const budget = (share: number, changes: Partial<Extract<DraftWish, { kind: "budget" }>> = {}): DraftWish => ({ kind: "budget", unit: "params", amount: Math.floor(share * TOTAL), allocation: "least-total", ...changes });
const draft = (wish: DraftWish, changes: Partial<Draft> = {}): Draft => ({ scheme: "auto", as: "factored", wish, included: [], excluded: [], locks: {}, ...changes });
const layer = (name: string, asked: Draft) => proposal(model, asked).layers.find((each) => each.name === name);

describe("a model made ready for plans", () => {
  it("reads no layer whose spectrum the analysis has", () => expect(read).toEqual(["c.weight", "head.weight"]));
  it("keeps a layer that could not be measured, and says why", () => {
    expect(layer("d.weight", draft(budget(0.5)))).toMatchObject({ action: "keep", reason: "it holds 3 NaN values" });
  });
});

describe("a draft", () => {
  it("leaves layers off that are off by default until they are included, and those that are excluded", () => {
    expect(layer("head.weight", draft(budget(0.4)))).toMatchObject({ action: "keep", reason: expect.stringMatching(/^last layer/) as string });
    expect(layer("head.weight", draft({ kind: "rule", rule: "fixed:2" }, { included: ["head.weight"] }))).toMatchObject({ action: "factorize", ranks: [2] });
    expect(layer("a.weight", draft({ kind: "rule", rule: "fixed:2" }, { excluded: ["a.weight"] }))).toMatchObject({ action: "keep", reason: "excluded" });
  });

  it("loses at a rank what the singular values beyond it hold", () => {
    const locks = { "a.weight": { scheme: "svd", ranks: [2] } };
    expect(layer("a.weight", draft(budget(1), { locks }))).toMatchObject({ ranks: [2], parametersAfter: 2 * 32, relativeError: Number(Math.sqrt(5 / 85).toPrecision(6)), reason: "set by hand" });
  });

  it("says the size and the errors that its plan has", () => {
    const { after, before } = proposal(model, draft({ kind: "rule", rule: "fixed:2" }, { excluded: ["b.weight", "c.weight"] }));
    expect(before).toMatchObject({ parameters: TOTAL });
    expect(after).toMatchObject({ parameters: TOTAL - 256 + 64, bytes: before.bytes - 4 * (256 - 64), factorized: 1, worst: { name: "a.weight" } });
    // Of four layers that may be factorized, one loses.
    expect(after.error).toBeCloseTo(Math.sqrt(5 / 85 / 4), 6);
  });

  it("says its multiply-adds at one position of each layer, where the format has no graph: a matrix multiplies once by each weight", () => {
    const { after, multiplyAdds } = proposal(model, draft({ kind: "rule", rule: "fixed:2" }, { excluded: ["c.weight"], locks: { "b.weight": { scheme: "svd", ranks: [3] } } }));
    // The norm's weights multiply no matrix.
    const before = TOTAL - 16;
    expect(multiplyAdds).toEqual({ before, after: before - (256 - 64) - (256 - 96), per: "one position of each layer", uncounted: [] });
    expect(after.parameters).toBe(multiplyAdds!.after + 16);
  });

  const lock = fc.option(fc.oneof(fc.constant<Lock>({ scheme: null, ranks: [] }), fc.integer({ min: 1, max: 16 }).map((rank): Lock => ({ scheme: "svd", ranks: [rank] }))), { nil: undefined });
  it("never exceeds its budget, whatever is set by hand, which no budget changes", () => {
    fc.assert(fc.property(fc.double({ min: 0.1, max: 1, noNaN: true }), lock, lock, fc.constantFrom("least-total", "minimax", "equal-ratio"), fc.constantFrom("params", "bytes", "macs"), (share, a, b, allocation, unit) => {
      const locks = Object.fromEntries(Object.entries({ "a.weight": a, "b.weight": b }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
      const amount = Math.floor(share * model.totals[unit]!);
      const asked = draft({ kind: "budget", unit, amount, allocation }, { locks });
      let found;
      try {
        found = proposal(model, asked);
      } catch (error) {
        expect(error).toMatchObject({ code: "budget-impossible" });
        return;
      }
      expect({ params: found.after.parameters, bytes: found.after.bytes, macs: found.multiplyAdds!.after }[unit]).toBeLessThanOrEqual(amount);
      for (const [name, { ranks }] of Object.entries(locks)) expect(found.layers.find((each) => each.name === name)?.ranks).toEqual(ranks);
    }));
  });

  it.each<[string, Partial<Draft>, RegExp]>([
    ["a scheme", { scheme: "magic" }, /no scheme named "magic"/],
    ["a unit", { wish: budget(0.5, { unit: "apples" }) }, /no unit named "apples"/],
    ["a way to share", { wish: budget(0.5, { allocation: "luck" }) }, /no way to share a budget named "luck"/],
    ["a rule", { wish: { kind: "rule", rule: "energy:7" } }, /is no rule/],
    ["a rank beyond the layer's", { locks: { "a.weight": { scheme: "svd", ranks: [17] } } }, /Ranks 17 of layer a\.weight are out of range: the highest are 16/],
    ["another layer's scheme", { locks: { "a.weight": { scheme: "spatial", ranks: [2] } } }, /spatial scheme does not fit layer a\.weight/],
  ])("with %s that there is not is refused in a sentence", (_, changes, sentence) => {
    expect(() => proposal(model, draft(budget(0.5), changes))).toThrow(sentence);
  });
});

describe("the curve of size against error", () => {
  it("goes from the least possible to the model as it is, sizes rising and errors falling", async () => {
    const found = await curve(model, draft(budget(0.5)), () => true);
    // Rank 1 of a, b and c; the others stay.
    const least = TOTAL - 2 * (256 - 32) - (600 - 50);
    expect(found).toMatchObject({ unit: "params", least, total: TOTAL });
    const points = found!.points;
    expect(points[0]).toMatchObject({ amount: least });
    expect(points.at(-1)).toMatchObject({ error: 0, worst: 0 });
    for (const [index, point] of points.entries()) {
      if (index === 0) continue;
      expect(point.amount).toBeGreaterThanOrEqual(points[index - 1]!.amount);
      expect(point.error).toBeLessThanOrEqual(points[index - 1]!.error);
    }
  });
  it("goes along multiply-adds too", async () => {
    const found = await curve(model, draft(budget(0.5, { unit: "macs" })), () => true);
    expect(found).toMatchObject({ unit: "macs", least: TOTAL - 16 - 2 * (256 - 32) - (600 - 50), total: TOTAL - 16 });
  });
  it("ends when another is asked for", async () => {
    let asked = 0;
    expect(await curve(model, draft(budget(0.5)), () => ++asked < 3)).toBeNull();
    expect(asked).toBe(3);
  });
});

describe("the ranks of one layer", () => {
  it("are all there with what they cost and lose, beside its singular values", () => {
    const [ladder, ...others] = laddersOf(model, "a.weight");
    expect(others).toEqual([]);
    expect(ladder?.modes).toEqual([DECAY]);
    expect(ladder?.rungs.map(({ ranks }) => ranks[0])).toEqual(DECAY.map((_, index) => index + 1));
    expect(ladder?.rungs.slice(0, 4).map(({ parameters, error }) => [parameters, error])).toEqual([[32, 21], [64, 5], [96, 1], [128, 0]].map(([parameters, lost]) => [parameters, Number(Math.sqrt(lost! / 85).toPrecision(6))]));
  });
  it("are not those of a layer that stays", () => expect(() => laddersOf(model, "d.weight")).toThrow(/can be factorized/));
});

describe("a graph", () => {
  const { path } = convolutionModel({ opType: "Conv", channels: [8, 12], kernel: [3, 3], pads: [1, 1, 1, 1], bias: true });
  const opened = () => PreparedModel.open({ path, open: DEFAULT_OPEN_OPTIONS, as: "factored", solver: exactSolver, failed: new Map(), onLayer: () => undefined, spectra: [] });
  const asked = (amount: number) => draft(budget(0, { unit: "macs", amount }), { included: ["conv.weight"] });

  it("has no multiply-adds before it was run, and no budget of them", async () => {
    const graph = await opened();
    expect(proposal(graph, draft(budget(1)))).toMatchObject({ multiplyAdds: null });
    expect(() => proposal(graph, asked(1000))).toThrow(/multiply-adds of the model are not counted/);
  });
  it("is planned by the positions of the run, and its plan says them", async () => {
    const graph = await opened();
    const total = 8 * 12 * 9 * 16 * 16;
    graph.place({ total, positions: new Map([["conv.weight", { before: [16, 16], after: [16, 16] }]]), per: "one run", uncounted: [] });
    const found = proposal(graph, asked(0.6 * total));
    expect(found.multiplyAdds).toMatchObject({ before: total, per: "one run" });
    expect(found.multiplyAdds!.after).toBeLessThanOrEqual(0.6 * total);
    expect(parsePlan(await planOf(graph, asked(0.6 * total)), "plan.json")).toMatchObject({ choice: "budget of 133 k multiply-adds by least-total, scheme auto", multiplyAdds: found.multiplyAdds });
  });
  it("keeps layers that are not counted under a budget of multiply-adds, and says which they are", async () => {
    const graph = await opened();
    graph.place({ total: 100, positions: new Map(), per: "one run", uncounted: ["conv.weight"] });
    expect(proposal(graph, asked(100))).toMatchObject({ layers: [{ action: "keep", reason: expect.stringMatching(/multiply-adds are not counted/) as string }], multiplyAdds: { before: 100, after: 100, uncounted: ["conv.weight"] } });
  });
});

describe("what the wizard offers", () => {
  it.each<[Output, string[], string[]]>([
    // Six and fourteen inputs divide into two groups alone, sixteen into all.
    ["factored", ["auto", "alds", "svd", "channel", "spatial", "tucker2", "depthwise", "groups2", "groups4", "groups8", "cp"], ["svd", "channel", "spatial", "tucker2"]],
    ["adapter", ["auto", "svd", "channel"], ["svd", "channel"]],
  ])("as %s are the schemes that fit its layers, of which the plain ones are ready", async (as, schemes, ready) => {
    const path = writeModel(folder.path, "conv.safetensors", { "a.weight": noise(3, 8, 6, 3, 3), "b.weight": noise(4, 16, 16, 3, 3), "c.weight": noise(5, 12, 14), "head.weight": noise(6, 12, 16) });
    const made = await PreparedModel.open({ path, open: DEFAULT_OPEN_OPTIONS, as, solver: exactSolver, failed: new Map(), onLayer: () => undefined, spectra: [] });
    const { schemes: offered, presets } = planningChoices(made.totals, made.outputs, made.schemes, false);
    expect(offered.map(({ id }) => id)).toEqual(schemes);
    expect(presets.every(({ scheme }) => schemes.includes(scheme))).toBe(true);
    expect(new Set(made.considered.flatMap(({ candidate }) => candidate?.schemes.map(({ scheme }) => scheme.id) ?? []))).toEqual(new Set(ready));
  });
});

describe("schemes beyond the plain ones", () => {
  /** A 1 × 1 convolution of eight inputs: each half of them has rank 1, all together rank 2. */
  const halves = (): TestTensor => ({ shape: [8, 8, 1, 1], values: Float32Array.from({ length: 64 }, (_, index) => (index % 8 < 4 ? 1 + (index >> 3) : (index >> 3) % 2 === 0 ? 3 : -2)) });
  const wanted = draft(budget(0.5), { scheme: "alds", included: ["a.weight"] });
  const open = async (): Promise<{ graph: PreparedModel; ladders: Map<string, ReadonlyMap<SchemeId, Spectra>> }> => {
    const path = writeModel(folder.path, "halves.safetensors", { "stem.weight": noise(1, 8, 8, 3, 3), "a.weight": halves(), "head.weight": noise(6, 12, 16) });
    const graph = await PreparedModel.open({ path, open: DEFAULT_OPEN_OPTIONS, as: "factored", solver: exactSolver, failed: new Map(), onLayer: () => undefined, spectra: [] });
    const ladders = new Map<string, ReadonlyMap<SchemeId, Spectra>>();
    await makeLadders({ path, open: DEFAULT_OPEN_OPTIONS, as: "factored", schemes: ["groups2", "groups4"], there: new Map(), spectra: [], failed: new Map() }, exactSolver, { onLayer: () => undefined, onMade: (name, spectra) => ladders.set(name, spectra) });
    return { graph, ladders };
  };

  it("are no one's to propose before their ranks are found", async () => {
    const { graph } = await open();
    expect(() => proposal(graph, wanted)).toThrow(/ranks of the alds scheme are not found yet/);
    expect(proposal(graph, { ...wanted, scheme: "auto" }).layers).toHaveLength(3);
  });

  it("as ALDS chooses them: as many groups as lose least, where the largest error over the layers shall be smallest", async () => {
    const { graph, ladders } = await open();
    graph.addLadders(ladders, ["groups2", "groups4", "groups8"]);
    const total = 8 * 8 * 9 + 64 + 12 * 16;
    const { scheme, wish } = planningChoices(graph.totals, graph.outputs, graph.schemes, false).presets.find(({ id }) => id === "alds")!;
    expect({ scheme, allocation: wish.kind === "budget" && wish.allocation }).toEqual({ scheme: "alds", allocation: "minimax" });
    // Two groups of rank 1 have 8 weights for their inputs and 8 × 2 for the outputs, and lose nothing; one group of rank 1 has 16.
    const { layers } = proposal(graph, draft(budget(0, { amount: total - 64 + 24, allocation: "minimax" }), { scheme, included: ["a.weight"], excluded: ["stem.weight"] }));
    expect(layers.find(({ name }) => name === "a.weight")).toMatchObject({ scheme: "groups2", ranks: [1], parametersAfter: 24 });
    expect(layers.find(({ name }) => name === "a.weight")!.relativeError).toBeLessThan(1e-6);
    // The plain schemes stay as they were.
    expect(proposal(graph, draft({ kind: "rule", rule: "fixed:1" }, { included: ["a.weight"] })).layers.every((layer) => layer.scheme === null || PLAIN_SCHEMES.includes(layer.scheme as SchemeId))).toBe(true);
  });
});

describe("a budget of latency", () => {
  const times = (schemes: readonly SchemeId[]): ModelTimes => ({ whole: { ms: 10, low: 9, high: 12, runs: 30 }, unmeasured: [], schemes, layers: [{ name: "conv.weight", whole: 8, schemes: new Map(schemes.map((scheme) => [scheme, [{ parameters: 1, ms: 1 }, { parameters: 8 * 12 * 9, ms: 8 }]])) }] });
  const timed = (amount: number, changes: Partial<Draft> = {}) => draft(budget(0, { unit: "latency", amount }), { included: ["conv.weight"], ...changes });
  const { path } = convolutionModel({ opType: "Conv", channels: [8, 12], kernel: [3, 3], pads: [1, 1, 1, 1], bias: true });
  const opened = () => PreparedModel.open({ path, open: DEFAULT_OPEN_OPTIONS, as: "factored", solver: exactSolver, failed: new Map(), onLayer: () => undefined, spectra: [] });

  it("is nobody's before the model is measured, in all schemes that may be chosen", async () => {
    const graph = await opened();
    expect(() => proposal(graph, timed(8))).toThrow(/latency of the model is not measured/);
    graph.time(times(["svd", "channel"]));
    expect(() => proposal(graph, timed(8))).toThrow(/latency of the model is not measured in this scheme/);
    expect(proposal(graph, timed(8, { scheme: "channel" })).latency?.before).toBe(10);
  });

  it("is what the terminal makes of the same times, and its curve ends where nothing is left to save", async () => {
    const graph = await opened();
    graph.time(times(["svd", "channel", "spatial", "tucker2"]));
    const found = proposal(graph, timed(6));
    const measured = latencyOf(10, times(["svd", "channel", "spatial", "tucker2"]).layers, []);
    const { layers } = propose(graph.considered, { kind: "latency", measured, budget: { amount: 6, allocation: "least-total" } }, 10, (ms) => `${ms} ms`);
    expect(found.layers.map(({ scheme, ranks }) => [scheme, ranks])).toEqual(layers.map(({ scheme, ranks }) => [scheme, ranks]));
    expect(found.latency!.after).toBeLessThanOrEqual(6 * (1 + 1e-9));
    const points = (await curve(graph, timed(0), () => true))!;
    // The fewest weights of all schemes at their smallest, by the line from 1 ms for one to 8 ms for all.
    const fewest = Math.min(...laddersOf(graph, "conv.weight").map(({ rungs }) => rungs[0]!.parameters));
    expect(points.least).toBeCloseTo(10 - 8 + 1 + (7 * (fewest - 1)) / (8 * 12 * 9 - 1), 9);
    expect(points).toMatchObject({ unit: "latency", total: 10 });
    expect(laddersOf(graph, "conv.weight").every(({ wholeMs, rungs }) => wholeMs === 8 && rungs.every(({ ms }) => ms !== null && ms <= 8))).toBe(true);
  });

  it("counts a layer that is set by hand by its own time", async () => {
    const graph = await opened();
    graph.time(times(["svd", "channel", "spatial", "tucker2"]));
    const locks = { "conv.weight": { scheme: "channel", ranks: [2] } };
    const weights = 2 * (8 * 9 + 12);
    expect(proposal(graph, timed(10, { locks })).latency!.after).toBeCloseTo(10 - 8 + 1 + (7 * (weights - 1)) / (8 * 12 * 9 - 1), 9);
    expect(() => proposal(graph, timed(2, { locks }))).toThrow(/cannot be met/);
  });
});

describe("the plan of a draft", () => {
  it("is one that the terminal reads, with the settings in words", async () => {
    const plan = parsePlan(await planOf(model, draft(budget(0.6), { locks: { "a.weight": { scheme: "svd", ranks: [2] } } })), "plan.json");
    expect(plan.choice).toMatch(/^budget of .* parameters by least-total, scheme auto, 1 layer set by hand$/);
    expect(plan.source).toMatchObject({ file: "m.safetensors", format: "safetensors", parameters: TOTAL, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(plan.layers.find(({ name }) => name === "a.weight")).toMatchObject({ action: "factorize", scheme: "svd", ranks: [2] });
  });
});
