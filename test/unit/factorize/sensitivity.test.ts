import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Considered } from "../../../src/factorize/candidates";
import { rungsOf } from "../../../src/factorize/budgetRungs";
import { propose } from "../../../src/factorize/propose";
import { SCHEMES } from "../../../src/factorize/schemes";
import { outputErrorCurve, sensitivityFrom, type LayerSensitivity } from "../../../src/factorize/sensitivity";
import type { Target } from "../../../src/factorize/target";

const error2 = fc.double({ min: 1e-12, max: 1, noNaN: true });

describe("the error of outputs between ranks that were measured", () => {
  it("goes through them, in a straight line of logarithms between, and in proportion beyond", () => {
    const curve = outputErrorCurve([{ error2: 0.01, outputError2: 0.001 }, { error2: 0.0001, outputError2: 0.0001 }]);
    expect(curve(0.01)).toBeCloseTo(0.001, 12);
    expect(curve(0.0001)).toBeCloseTo(0.0001, 12);
    expect(curve(0.001)).toBeCloseTo(Math.sqrt(0.001 * 0.0001), 12);
    expect(curve(0.04)).toBeCloseTo(0.004, 12);
    expect(curve(0.00001)).toBeCloseTo(0.00001, 12);
  });

  it("never falls where more of the weight is lost, whatever was measured", () => {
    fc.assert(fc.property(fc.array(fc.record({ error2, outputError2: error2 }), { minLength: 1, maxLength: 6 }), error2, error2, (rungs, a, b) => {
      const curve = outputErrorCurve(rungs);
      expect(curve(Math.min(a, b))).toBeLessThanOrEqual(curve(Math.max(a, b)) * (1 + 1e-9));
    }));
  });

  it("is none for the layer as it is, and without bound for a scheme that was not measured", () => {
    const sensitivity = sensitivityFrom(new Map([["svd", [{ error2: 0.1, outputError2: 0.2 }]]]));
    expect(sensitivity({ scheme: null, error2: 0 })).toBe(0);
    expect(sensitivity({ scheme: "spatial", error2: 0.01 })).toBe(Infinity);
    expect(sensitivity({ scheme: "svd", error2: 0 })).toBeLessThan(1e-15);
  });
});

function layer(name: string, size: number, decay: number): Considered {
  const target: Target = { name, kind: "linear", shape: [size, size], dtype: "float32", form: { op: "linear", layout: "out_in" } };
  return { name, parameters: size * size, dtype: "float32", reason: "", candidate: { target, schemes: [{ scheme: SCHEMES.svd, spectra: [[Float64Array.from({ length: size }, (_, index) => decay ** index)]] }] } };
}

describe("a budget that is shared by sensitivity", () => {
  const layers = [layer("a", 9, 0.9), layer("b", 10, 0.7), layer("c", 8, 0.8)];
  const total = layers.reduce((sum, { parameters }) => sum + parameters, 0);

  it("has the least total of the measured errors, as brute force finds it, and never exceeds the budget", () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0.001, max: 100, noNaN: true }), { minLength: 3, maxLength: 3 }), fc.double({ min: 0.5, max: 1, noNaN: true }), (factors, share) => {
      const measured = new Map(layers.map(({ name }, index): [string, LayerSensitivity] => [name, ({ error2: own }) => factors[index]! * own]));
      const amount = Math.floor(share * total);
      const { allocation } = propose(layers, { kind: "budget", budget: { unit: "params", amount, allocation: "least-total", sensitivity: { layers: measured, samples: 1 } } }, total, String);
      const [a, b, c] = layers.map(({ name, candidate }) => rungsOf(candidate!).map((rung) => ({ cost: rung.parameters, error: measured.get(name)!(rung) })));
      let best = Infinity;
      for (const x of a!) for (const y of b!) for (const z of c!) if (x.cost + y.cost + z.cost <= amount) best = Math.min(best, x.error + y.error + z.error);
      expect(allocation!.cost).toBeLessThanOrEqual(amount);
      expect(allocation!.error).toBeLessThanOrEqual(best * (1 + 1e-9) + 1e-15);
    }), { numRuns: 60 });
  });

  it("leaves a layer as it is that could not be measured", () => {
    const { layers: planned } = propose(layers, { kind: "budget", budget: { unit: "params", amount: Math.floor(0.7 * total), allocation: "least-total", sensitivity: { layers: new Map<string, LayerSensitivity>([["a", () => 1], ["b", ({ error2: own }) => own]]), samples: 1 } } }, total, String);
    expect(planned[2]).toMatchObject({ name: "c", action: "keep", reason: "what its cuts do to the outputs could not be measured" });
  });
});
