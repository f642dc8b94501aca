import fc from "fast-check";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { Considered } from "../../../src/factorize/candidates";
import { ladderOf } from "../../../src/factorize/ladder";
import { curveThrough, latencyOf, plannedLatency, sampled, withSchemes, type LayerTimes, type ModelTimes } from "../../../src/factorize/latency";
import { encodeMicro } from "../../../src/factorize/onnx/micro";
import { openOnnxSource } from "../../../src/factorize/onnx/source";
import { propose, type AllocationId } from "../../../src/factorize/propose";
import type { SchemeId } from "../../../src/factorize/scheme";
import { SCHEMES } from "../../../src/factorize/schemes";
import { isTarget } from "../../../src/factorize/source";
import type { Target } from "../../../src/factorize/target";
import { openModel } from "../../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import { convolutionModel, gaussians, gemmModel, product, relativeDistance, run } from "./support/runnable";

const linear = (rows: number, columns: number, name: string): Target => ({ name, kind: "linear", shape: [rows, columns], dtype: "float32", form: { op: "linear", layout: "out_in" } });

/** A square layer under the svd scheme: rank r has 2 · size · r parameters. */
function layer(name: string, size: number): Considered {
  const spectrum = Float64Array.from({ length: size }, (_, index) => 0.8 ** index);
  return { name, parameters: size * size, dtype: "float32", reason: "", candidate: { target: linear(size, size, name), schemes: [{ scheme: SCHEMES.svd, spectra: [[spectrum]] }] } };
}

/** Made times: a layer of 20 × 20 takes `whole`, and `each` for every rank. */
const made = (name: string, whole: number, each: number): LayerTimes => ({ name, whole, schemes: new Map([["svd", [{ parameters: 40, ms: each }, { parameters: 360, ms: 9 * each }]]]) });

const words = (ms: number): string => `${Number(ms.toFixed(6))} ms`;

describe("the latency of a scheme over its ranks", () => {
  it("is linear between measured points and level beyond them", () => {
    const curve = curveThrough([{ parameters: 300, ms: 7 }, { parameters: 100, ms: 1 }, { parameters: 200, ms: 3 }]);
    expect([50, 100, 150, 200, 275, 300, 900].map(curve)).toEqual([1, 1, 2, 3, 6, 7, 7]);
  });

  it("takes the mean where noise makes a larger rank faster", () => {
    const curve = curveThrough([{ parameters: 1, ms: 2 }, { parameters: 2, ms: 5 }, { parameters: 3, ms: 3 }, { parameters: 4, ms: 8 }]);
    expect([1, 2, 2.5, 3, 4].map(curve)).toEqual([2, 4, 4, 4, 8]);
  });

  it("never falls, whatever was measured", () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 8 }), fc.double({ min: 0, max: 9, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true }), (times, a, b) => {
      const curve = curveThrough(times.map((ms, parameters) => ({ parameters, ms })));
      expect(curve(Math.min(a, b))).toBeLessThanOrEqual(curve(Math.max(a, b)) + 1e-12);
    }));
  });

  it("is measured at the first rank, the last, and two between them in equal ratios", () => {
    const { target, schemes: [svd] } = layer("fc", 64).candidate!;
    const ladder = ladderOf(target, svd!.scheme, svd!.spectra, { before: [], after: [] }).slice(0, 27);
    expect(sampled(ladder).map(({ ranks }) => ranks)).toEqual([[1], [3], [9], [27]]);
    expect(sampled(ladder.slice(0, 1))).toHaveLength(1);
    expect(sampled([])).toEqual([]);
  });
});

describe("times of further schemes", () => {
  const times = (layers: readonly LayerTimes[], schemes: readonly SchemeId[]): ModelTimes => ({ whole: { ms: 20, low: 19, high: 22, runs: 30 }, layers, unmeasured: [], schemes });
  const timed = (name: string, whole: number, scheme: SchemeId, ms: number): LayerTimes => ({ name, whole, schemes: new Map([[scheme, [{ parameters: 40, ms }]]]) });

  it("are joined as if the machine had stayed as fast as it was at first", () => {
    // Twice as slow the second time: 12 ms for the layers that took 6.
    const joined = withSchemes(times([timed("a", 4, "svd", 1), timed("b", 2, "svd", 1)], ["svd"]), times([timed("a", 9, "groups2", 3), timed("b", 3, "groups2", 2)], ["groups2"]));
    expect(joined.whole.ms).toBe(20);
    expect(joined.schemes).toEqual(["svd", "groups2"]);
    expect(joined.layers.map(({ whole, schemes }) => [whole, schemes.get("svd")![0]!.ms, schemes.get("groups2")![0]!.ms])).toEqual([[4, 1, 1.5], [2, 1, 1]]);
  });

  it("leave a layer that did not run alone this time with the times that it has", () => {
    const joined = withSchemes(times([timed("a", 4, "svd", 1), timed("b", 2, "svd", 1)], ["svd"]), times([timed("a", 4, "cp", 3)], ["cp"]));
    expect(joined.layers[1]).toEqual(timed("b", 2, "svd", 1));
  });
});

describe("a plan under a budget of latency", () => {
  it("takes the time from the layer where ranks cost most, and leaves alone one that has no time", () => {
    // 12 ms: 10 of slow, 1 of quick, 1 that no layer explains.
    const measured = latencyOf(12, [made("slow", 10, 1), made("quick", 1, 0.1)], ["dark"]);
    const { layers } = propose([layer("slow", 20), layer("quick", 20), layer("dark", 20)], { kind: "latency", measured, budget: { amount: 7, allocation: "least-total" } }, measured.total, words);
    expect(layers).toMatchObject([{ action: "factorize", scheme: "svd", ranks: [5] }, { action: "keep" }, { action: "keep", reason: "its latency could not be measured alone" }]);
    expect(plannedLatency(measured, 7, null, layers)).toEqual({ beforeMs: 12, budgetMs: 7, budgetShare: null, expectedMs: 7, unmeasured: ["dark"] });
  });

  it("offers no rank that takes as long as the layer itself", () => {
    const measured = latencyOf(4, [made("a", 4, 1)], []);
    const { layers } = propose([layer("a", 20)], { kind: "latency", measured, budget: { amount: 3.9, allocation: "minimax" } }, 4, words);
    expect(layers).toMatchObject([{ ranks: [3] }]);
  });

  it("leaves every layer as it is where the budget is the whole model's time", () => {
    const measured = latencyOf(0.3, [made("a", 0.1, 0.01), made("b", 0.2, 0.02)], []);
    expect(propose([layer("a", 20), layer("b", 20)], { kind: "latency", measured, budget: { amount: 0.3, allocation: "least-total" } }, 0.3, words).layers).toMatchObject([{ action: "keep" }, { action: "keep" }]);
  });

  it("says the least that is possible where its budget is not", () => {
    const measured = latencyOf(12, [made("a", 10, 1)], []);
    expect(() => propose([layer("a", 20)], { kind: "latency", measured, budget: { amount: 2.5, allocation: "least-total" } }, 12, words)).toThrow(/budget of 2\.5 ms cannot be met: .* still takes 3 ms\./);
  });

  it("counts layers for less where alone they take longer than the model", () => {
    const measured = latencyOf(10, [made("a", 15, 1), made("b", 5, 0.3)], []);
    const [a, b] = ["a", "b"].map((name) => measured.layers.get(name)!({ scheme: null, parameters: 400 }));
    expect([a, b]).toEqual([7.5, 2.5]);
  });

  it("never expects more than its budget", () => {
    const time = fc.double({ min: 0.01, max: 5, noNaN: true });
    const allocations = fc.constantFrom<AllocationId>("minimax", "least-total", "equal-ratio", "effective-rank");
    fc.assert(fc.property(fc.array(fc.tuple(time, time), { minLength: 1, maxLength: 4 }), fc.double({ min: 0.05, max: 1, noNaN: true }), allocations, (times, share, allocation) => {
      const measured = latencyOf(times.reduce((sum, [whole]) => sum + whole, 0.5), times.map(([whole, each], index) => made(`l${index}`, whole, each)), []);
      const amount = share * measured.total;
      const all = times.map((_, index) => layer(`l${index}`, 20));
      const least = times.reduce((sum, [whole, each]) => sum + Math.min(whole, each), 0.5);
      fc.pre(least <= amount);
      const { layers } = propose(all, { kind: "latency", measured, budget: { amount, allocation } }, measured.total, words);
      // It is told to four digits.
      expect(plannedLatency(measured, amount, share, layers).expectedMs).toBeLessThanOrEqual(amount * 1.0005);
    }));
  });
});

describe("a model of one layer alone", () => {
  const cases = [
    { what: "a strided convolution", made: convolutionModel({ opType: "Conv", channels: [8, 12], kernel: [3, 3], strides: [2, 1], pads: [1, 0, 1, 2], bias: true }), name: "conv.weight", bias: "conv.bias", schemes: ["channel", "spatial", "tucker2"] },
    { what: "a grouped transposed convolution", made: convolutionModel({ opType: "ConvTranspose", channels: [8, 12], kernel: [3], groups: 2, strides: [2] }), name: "conv.weight", bias: "", schemes: ["channel"] },
    { what: "a transposed Gemm", made: gemmModel({ transA: true, transB: true, bias: true }), name: "fc.weight", bias: "fc.bias", schemes: ["svd", "groups2"] },
    { what: "a Gemm", made: gemmModel({ transA: false, transB: true, bias: true }), name: "fc.weight", bias: "fc.bias", schemes: ["svd", "groups2"] },
  ] as const;

  it.each(cases)("of $what gives what the graph gives, and each scheme's the same shape", async ({ made: { path, shape }, name, bias, schemes }) => {
    const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
    const model = await openModel(path, options);
    const source = await openOnnxSource(path, model.layers, options);
    const expected = await run(path, shape);
    const target = source.targets.filter(isTarget)[0]!;
    const values = await model.read(model.layers[0]!.tensor);
    const stored = new Map([[name as string, Float32Array.from(values)], [bias, Float32Array.from(gaussians(12, 4))]]);
    const outputOf = async (id: SchemeId | null): Promise<ort.Tensor> => {
      const steps = id === null ? null : SCHEMES[id].steps(target, SCHEMES[id].fullRanks(target));
      const [micro] = (await source.activations!.micro(name, steps, new Map([["x", shape]])))!;
      const encoded = encodeMicro(micro!, (tensor) => {
        const length = product(tensor.shape);
        return new Uint8Array((stored.get(tensor.name) ?? new Float32Array(length)).slice(0, length).buffer);
      });
      const session = await ort.InferenceSession.create(encoded);
      return (await session.run({ x: new ort.Tensor("float32", Float32Array.from(gaussians(product(shape), 9)), shape) }))["y"]!;
    };
    const whole = await outputOf(null);
    expect(relativeDistance(expected, whole.data as Float32Array)).toBeLessThan(1e-6);
    for (const scheme of schemes) expect((await outputOf(scheme)).dims).toEqual(whole.dims);
    await Promise.all([source.close(), model.close()]);
  });
});
