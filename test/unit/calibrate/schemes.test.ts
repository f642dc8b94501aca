import { describe, expect, it } from "vitest";
import { MomentSum, type Moment } from "../../../src/calibrate/moment";
import { WhitenedSvd } from "../../../src/calibrate/whitenedSvd";
import { outputsFirst } from "../../../src/calibrate/whitening";
import { reconstructed } from "../../../src/factorize/reconstruct";
import { calibratedScheme } from "../../../src/factorize/schemes";
import { product, type Target } from "../../../src/factorize/target";
import { exactSolver } from "../../../src/linalg/exactSolver";
import { plainGemm } from "../../../src/linalg/fast/plainGemm";
import { multiply, transposed } from "../../../src/linalg/products";
import { sumOfSquares } from "../../../src/linalg/sumOfSquares";
import { exactSvd } from "../../../src/linalg/svd";
import { gaussianMatrix, matrixOfSpectrum } from "../support/matrices";

const SAMPLES = 400;
const target = (form: Target["form"], ...shape: number[]): Target => ({ name: "w", kind: "linear", shape, dtype: "float32", form });

const LAYERS: Readonly<Record<string, Target>> = {
  "Linear": target({ op: "linear", layout: "out_in" }, 18, 12),
  "MatMul": target({ op: "linear", layout: "in_out" }, 18, 12),
  "both directions of an LSTM": target({ op: "recurrent", layout: "out_in" }, 2, 20, 9),
  "convolution": target({ op: "conv", groups: 1 }, 10, 6, 3, 2),
  "grouped convolution": target({ op: "conv", groups: 3 }, 12, 4, 3),
  "transposed convolution": target({ op: "conv_transpose", groups: 1 }, 6, 10, 2, 3),
  "grouped transposed convolution": target({ op: "conv_transpose", groups: 2 }, 8, 5, 3),
};

/** Inputs of each group, the weight, and the scheme's way to cut it by them. */
function made(of: Target) {
  const { scheme, inputs } = calibratedScheme(of)!;
  const samples = Array.from({ length: inputs.groups }, (_, group) => matrixOfSpectrum(SAMPLES, inputs.length, Float64Array.from({ length: inputs.length }, (_unused, index) => 10 ** (-2 * index / inputs.length)), group + 2));
  const moments = samples.map((each): Moment => {
    const sum = new MomentSum(inputs.length, plainGemm);
    sum.add(each);
    return sum.moment;
  });
  return { scheme, samples, values: gaussianMatrix(1, product(of.shape), 9).data, svd: new WhitenedSvd(exactSvd, plainGemm, moments, inputs.side), outputs: (values: Float64Array) => scheme.unfoldings(of, values)[0]!.map((matrix, group) => multiply({ ...outputsFirst(matrix, inputs.side) }, transposed(samples[group]!))) };
}

describe.each(Object.entries(LAYERS))("the weight of a layer (%s), cut by what it is applied to,", (_, of) => {
  it("is at full rank what it was", async () => {
    const { scheme, values, svd } = made(of);
    const whole = reconstructed(of, await scheme.factor(of, values, scheme.fullRanks(of), svd));
    values.forEach((value, at) => expect(Math.abs(value - whole[at]!)).toBeLessThan(1e-8));
  });

  it("loses of its outputs what the singular values of the outputs say, group by group", async () => {
    const { scheme, values, svd, outputs } = made(of);
    const near = reconstructed(of, await scheme.factor(of, values, [2], svd));
    const lost = outputs(Float64Array.from(values, (value, at) => value - near[at]!));
    for (const [group, whole] of outputs(values).entries()) {
      const beyond = (await exactSolver.singularValues(whole)).slice(2);
      expect(Math.sqrt(sumOfSquares(lost[group]!.data))).toBeCloseTo(Math.sqrt(sumOfSquares(beyond)), 8);
    }
  });
});

describe("an embedding", () => {
  it("follows no inputs: its rows are looked up", () => {
    expect(calibratedScheme(target({ op: "embedding", layout: "in_out" }, 30, 8))).toBeNull();
  });
});
