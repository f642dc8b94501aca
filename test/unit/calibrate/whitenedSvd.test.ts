import { describe, expect, it } from "vitest";
import { MomentSum, refusalOf, type Moment } from "../../../src/calibrate/moment";
import { WhitenedSvd } from "../../../src/calibrate/whitenedSvd";
import { outputsFirst, whitened, whiteningOf } from "../../../src/calibrate/whitening";
import { exactSolver } from "../../../src/linalg/exactSolver";
import { plainGemm } from "../../../src/linalg/fast/plainGemm";
import type { Matrix } from "../../../src/linalg/matrix";
import { multiply, transposed } from "../../../src/linalg/products";
import { exactSvd, type Triplets } from "../../../src/linalg/svd";
import { sumOfSquares } from "../../../src/linalg/sumOfSquares";
import { gaussianMatrix, matrixOfSpectrum } from "../support/matrices";

const norm = ({ data }: Matrix): number => Math.sqrt(sumOfSquares(data));
const minus = (a: Matrix, b: Matrix): Matrix => ({ ...a, data: Float64Array.from(a.data, (value, at) => value - b.data[at]!) });
const of = ({ rank, values, left, right }: Triplets): Matrix =>
  multiply({ rows: left.length / rank, columns: rank, data: left.map((value, at) => value * values[at % rank]!) }, { rows: rank, columns: right.length / rank, data: right });

/** Enough for the largest of these layers: fewer than ten for each input are drawn towards none. */
const SAMPLES = 240;

/** Samples as rows, some directions of which are a thousand times as strong as others. */
function samplesOf(count: number, inputs: number, directions = Math.min(count, inputs)): Matrix {
  return matrixOfSpectrum(count, inputs, Float64Array.from({ length: directions }, (_, index) => 10 ** (-3 * index / directions)), 5);
}

function momentOf(samples: Matrix): Moment {
  const sum = new MomentSum(samples.columns, plainGemm);
  sum.add(samples);
  return sum.moment;
}

/** ‖(W − Ŵ)Xᵀ‖ / ‖WXᵀ‖ for W of (out, in). */
const outputError = (weight: Matrix, cut: Matrix, samples: Matrix): number => norm(multiply(minus(weight, cut), transposed(samples))) / norm(multiply(weight, transposed(samples)));

describe.each([[20, 12], [12, 20], [16, 16]])("a weight of %i outputs and %i inputs, cut by what it is applied to,", (outputs, inputs) => {
  const weight = gaussianMatrix(outputs, inputs, 3);
  const samples = samplesOf(SAMPLES, inputs);
  const svd = new WhitenedSvd(exactSvd, plainGemm, [momentOf(samples)], "columns");

  it("loses of its outputs what no matrix of the rank loses less of: the singular values of W X beyond it", async () => {
    const values = await exactSolver.singularValues(multiply(weight, transposed(samples)));
    const total = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    for (const rank of [1, 4, 9]) {
      const best = Math.sqrt(values.slice(rank).reduce((sum, value) => sum + value * value, 0)) / total;
      expect(outputError(weight, of(await svd.truncate(weight, rank)), samples)).toBeCloseTo(best, 9);
    }
  });

  it("loses less than the weight's own nearest matrix does", async () => {
    for (const rank of [1, 4, 9]) {
      const plain = outputError(weight, of(await exactSvd.truncate(weight, rank)), samples);
      expect(outputError(weight, of(await svd.truncate(weight, rank)), samples)).toBeLessThan(0.8 * plain);
    }
  });

  it("is itself at full rank", async () => {
    expect(norm(minus(weight, of(await svd.truncate(weight, Math.min(outputs, inputs))))) / norm(weight)).toBeLessThan(1e-9);
  });

  it("has the same cut where the file stores its inputs first", async () => {
    const turned = new WhitenedSvd(exactSvd, plainGemm, [momentOf(samples)], "rows");
    const cut = transposed(of(await turned.truncate(transposed(weight), 4)));
    expect(norm(minus(cut, of(await svd.truncate(weight, 4)))) / norm(weight)).toBeLessThan(1e-9);
  });

  it("tells the errors of all ranks by the spectrum of W S", async () => {
    const { rows, columns, data } = whitened(outputsFirst(weight, "columns"), await whiteningOf(momentOf(samples), exactSvd), plainGemm);
    const values = await exactSolver.singularValues({ rows, columns, data });
    const own = await exactSolver.singularValues(multiply(weight, transposed(samples)));
    for (const [index, value] of values.entries()) expect(value).toBeCloseTo(own[index]! / Math.sqrt(SAMPLES), 9);
  });
});

describe("inputs in fewer directions than there are", () => {
  const weight = gaussianMatrix(14, 20, 3);
  const samples = samplesOf(SAMPLES, 20, 6);
  const svd = new WhitenedSvd(exactSvd, plainGemm, [momentOf(samples)], "columns");

  it("leave nothing of the outputs to lose at as many ranks, though Cholesky's factorization fails", async () => {
    expect(outputError(weight, of(await svd.truncate(weight, 6)), samples)).toBeLessThan(1e-3);
  });

  it("leave a layer at full rank what it was", async () => {
    expect(norm(minus(weight, of(await svd.truncate(weight, 14)))) / norm(weight)).toBeLessThan(1e-9);
  });
});

describe("few samples", () => {
  const inputs = 30;
  const weight = gaussianMatrix(24, inputs, 3);
  /** Some inputs are stronger than others, and none is without energy. */
  const strengths = Float64Array.from({ length: inputs }, (_, index) => 10 ** (-index / inputs));
  const drawn = (count: number, seed: number): Matrix => ({ ...gaussianMatrix(count, inputs, seed), data: gaussianMatrix(count, inputs, seed).data.map((value, at) => value * strengths[at % inputs]!) });
  const others = drawn(2000, 8);
  const cutBy = async (samples: Matrix, rank: number): Promise<number> => outputError(weight, of(await new WhitenedSvd(exactSvd, plainGemm, [momentOf(samples)], "columns").truncate(weight, rank)), others);

  it.each([3, 10, 25, 60])("(%i) give a cut that loses no more of other inputs' outputs than one without data, but for a little", async (count) => {
    for (const rank of [6, 14]) expect(await cutBy(drawn(count, 5), rank)).toBeLessThan(1.02 * outputError(weight, of(await exactSvd.truncate(weight, rank)), others));
  });

  it("give a better cut the more there are", async () => {
    const [few, more, many] = [await cutBy(drawn(10, 5), 14), await cutBy(drawn(60, 5), 14), await cutBy(drawn(600, 5), 14)];
    expect(more).toBeLessThan(few);
    expect(many).toBeLessThan(more);
  });

  it("as one alone, say nothing: the cut is the weight's own", async () => {
    const cut = of(await new WhitenedSvd(exactSvd, plainGemm, [momentOf(drawn(1, 5))], "columns").truncate(weight, 7));
    expect(norm(minus(cut, of(await exactSvd.truncate(weight, 7)))) / norm(weight)).toBeLessThan(1e-9);
  });
});

describe("a second moment", () => {
  it("is the mean of x xᵀ, whatever blocks the inputs come in", () => {
    const samples = gaussianMatrix(1100, 7, 2);
    const sum = new MomentSum(7, plainGemm);
    for (const [first, end] of [[0, 3], [3, 800], [800, 1100]] as const) sum.add({ rows: end - first, columns: 7, data: samples.data.subarray(first * 7, end * 7) });
    const { count, mean } = sum.moment;
    const product = multiply(transposed(samples), samples);
    expect(count).toBe(1100);
    mean.forEach((value, at) => expect(value).toBeCloseTo(product.data[at]! / 1100, 12));
  });

  it("of zeros, or of what is not finite, is refused with the reason", () => {
    expect(refusalOf([momentOf({ rows: 3, columns: 2, data: new Float64Array(6) })])).toMatch(/zero on all/);
    expect(refusalOf([momentOf({ rows: 1, columns: 2, data: Float64Array.of(1, NaN) })])).toMatch(/not finite/);
    expect(refusalOf([momentOf({ rows: 1, columns: 2, data: Float64Array.of(1, 0) })])).toBeNull();
  });
});
