import { describe, expect, it } from "vitest";
import { reconstructed } from "../../../src/factorize/reconstruct";
import { cpScheme } from "../../../src/factorize/schemes/cp";
import { rungAt } from "../../../src/factorize/ladder";
import type { Target } from "../../../src/factorize/target";
import { exactSolver } from "../../../src/linalg/exactSolver";
import { exactSvd } from "../../../src/linalg/svd";
import { normal } from "../support/matrices";
import { factorizeAll } from "./support/factorized";
import { convolutionModel, product, relativeDistance, run, type ConvolutionOptions } from "./support/runnable";

const ROUNDING = 1e-5;
const RANK = 3;

/** A weight that is a sum of RANK outer products over all of its axes, in each group. */
function exactWeight(options: ConvolutionOptions): number[] {
  const { opType, channels: [from, to], kernel, groups = 1 } = options;
  const shape = opType === "Conv" ? [to / groups, from / groups, ...kernel] : [from / groups, to / groups, ...kernel];
  const next = normal(11);
  return Array.from({ length: groups }, () => {
    const factors = shape.map((size) => Array.from({ length: size * RANK }, next));
    return Array.from({ length: product(shape) }, (_, at) => {
      let sum = 0;
      for (let r = 0; r < RANK; r++) {
        let rest = at, term = 1;
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          term *= factors[axis]![(rest % shape[axis]!) * RANK + r]!;
          rest = Math.floor(rest / shape[axis]!);
        }
        sum += term;
      }
      return sum;
    });
  }).flat();
}

describe("a convolution of a rank that CP reaches gives the original outputs in ONNX Runtime", () => {
  it.each<[string, ConvolutionOptions]>([
    ["5×5 with bias", { opType: "Conv", channels: [4, 6], kernel: [5, 5], pads: [2, 2, 2, 2], bias: true }],
    ["1×7 with stride along both", { opType: "Conv", channels: [5, 6], kernel: [1, 7], strides: [2, 3], pads: [1, 3, 0, 2] }],
    ["3×5, everything asymmetric", { opType: "Conv", channels: [6, 5], kernel: [3, 5], strides: [2, 3], dilations: [3, 2], pads: [1, 4, 2, 0], bias: true }],
    ["grouped", { opType: "Conv", channels: [8, 10], kernel: [3, 2], groups: 2, strides: [1, 2], pads: [0, 1, 2, 3], bias: true }],
    ["SAME_LOWER", { opType: "Conv", channels: [4, 5], kernel: [4, 3], autoPad: "SAME_LOWER", bias: true }],
    ["one-dimensional", { opType: "Conv", channels: [6, 7], kernel: [5], strides: [3], dilations: [2], pads: [1, 4], bias: true }],
    ["three-dimensional", { opType: "Conv", channels: [4, 6], kernel: [2, 3, 2], strides: [1, 2, 1], pads: [1, 0, 2, 0, 1, 0] }],
    ["transposed, everything asymmetric", { opType: "ConvTranspose", channels: [6, 4], kernel: [3, 5], strides: [3, 2], dilations: [1, 2], pads: [1, 0, 2, 3], outputPadding: [2, 1], bias: true }],
    ["transposed, grouped", { opType: "ConvTranspose", channels: [8, 10], kernel: [4, 3], groups: 2, strides: [2, 2], bias: true }],
  ])("%s", async (_, options) => {
    const { path, shape } = convolutionModel(options, exactWeight(options));
    const { path: factorized, layers } = await factorizeAll(path, "cp", () => RANK);
    expect(layers).toEqual(["conv.weight"]);
    expect(relativeDistance(await run(path, shape), await run(factorized, shape))).toBeLessThan(ROUNDING);
  });
});

describe("what CP says that it loses", () => {
  const target: Target = { name: "conv.weight", kind: "conv", shape: [12, 4, 3, 3], dtype: "float32", form: { op: "conv", groups: 2 } };
  const values = Float32Array.from({ length: product(target.shape) }, normal(5));
  const size2 = values.reduce((sum, value) => sum + value ** 2, 0);
  const trueError2 = async (rank: number) => {
    const weight = reconstructed(target, await cpScheme.factor(target, values, [rank], exactSvd));
    return values.reduce((sum, value, at) => sum + (value - weight[at]!) ** 2, 0) / size2;
  };
  const told = async () => {
    const whole = { rows: 12, columns: 36, data: values.slice() };
    const spectra = [await cpScheme.fit!(target, values), [await exactSolver.singularValues(whole)]];
    return (rank: number) => rungAt(target, cpScheme, [rank], spectra, { before: [], after: [] }).error2;
  };

  it("is the error of the factors that it gives, at every rank that it tried, and a bound at the others", async () => {
    const error2 = await told();
    let tried = 0;
    for (let rank = 1; rank <= 14; rank++) {
      const found = await trueError2(rank);
      expect(found).toBeLessThanOrEqual(error2(rank) + 1e-12);
      if (Math.abs(found - error2(rank)) < 1e-12) tried++;
      if (rank > 1) expect(error2(rank)).toBeLessThanOrEqual(error2(rank - 1));
    }
    // Rank 1, and shares of the break-even rank of 13.
    expect(tried).toBeGreaterThanOrEqual(5);
  });

  it("is the same in every run, as are the factors", async () => {
    const [first, second] = [await cpScheme.factor(target, values, [5], exactSvd), await cpScheme.factor(target, values, [5], exactSvd)];
    expect(second).toEqual(first);
    expect(await cpScheme.fit!(target, values)).toEqual(await cpScheme.fit!(target, values));
  });
});
