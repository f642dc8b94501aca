import { describe, expect, it } from "vitest";
import { exactSolver } from "../../../../src/linalg/exactSolver";
import { FastSolver } from "../../../../src/linalg/fast/fastSolver";
import type { Matrix } from "../../../../src/linalg/matrix";
import { asFloat32, copyOf, gaussianMatrix, matrixOfSpectrum, scaledBy, transposed } from "../../support/matrices";

const untold = (sentence: string): void => {
  throw new Error(sentence);
};
const solver = new FastSolver({ threads: 1, fallback: exactSolver, tell: untold });

/** What the spectrum promises: max |Δσ|/σ₁, relative errors of the nuclear norm and of the effective rank. */
const PROMISES = {
  float32: { values: 1e-6, nuclear: 5e-7, effective: 2e-6 },
  float64: { values: 1e-13, nuclear: 1e-13, effective: 1e-12 },
};

function effectiveRank(values: Float64Array): number {
  const total = values.reduce((sum, value) => sum + value, 0);
  return Math.exp(-values.reduce((sum, value) => (value > 0 ? sum + (value / total) * Math.log(value / total) : sum), 0));
}

async function expectPromises(matrix: Matrix): Promise<void> {
  const expected = await exactSolver.singularValues(copyOf(matrix));
  const found = await solver.singularValues(copyOf(matrix));
  const promise = matrix.data instanceof Float32Array ? PROMISES.float32 : PROMISES.float64;
  expect(found).toHaveLength(Math.min(matrix.rows, matrix.columns));
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  const furthest = found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  expect(furthest / expected[0]!, "max |Δσ|/σ₁").toBeLessThanOrEqual(promise.values);
  expect(Math.abs(sum(found) / sum(expected) - 1), "nuclear norm").toBeLessThanOrEqual(promise.nuclear);
  expect(Math.abs(effectiveRank(found) / effectiveRank(expected) - 1), "effective rank").toBeLessThanOrEqual(promise.effective);
  expect(found.every((value, i) => value >= 0 && (i === 0 || value <= found[i - 1]!)), "sorted").toBe(true);
}

const SHAPES = [[1, 1], [1, 9], [9, 1], [2, 2], [31, 31], [33, 33], [64, 64], [65, 65], [64, 500], [500, 40], [129, 127], [96, 130], [260, 301], [301, 260], [200, 333], [450, 128]] as const;

describe.each([["float32", asFloat32], ["float64", copyOf]] as const)("fast spectra of %s matrices keep the promised accuracy", (_, as) => {
  it.each(SHAPES)("for every shape: %i × %i", async (rows, columns) => {
    await expectPromises(as(gaussianMatrix(rows, columns, rows + columns)));
  });

  const spectra: Record<string, (i: number, count: number) => number> = {
    "a power law": (i) => 1 / (i + 1),
    "geometric decay to 1e-12": (i, count) => 1e-12 ** (i / count),
    "all values equal": () => 1,
    "two clusters": (i, count) => (i < count / 2 ? 1 : 1e-3),
    "exactly low rank": (i) => (i < 9 ? 10 - i : 0),
    "one dominant value": (i) => (i === 0 ? 1e4 : 1),
  };
  it.each(Object.keys(spectra))("for %s", async (name) => {
    for (const [rows, columns] of [[200, 200], [130, 300]] as const) {
      const count = Math.min(rows, columns);
      await expectPromises(as(matrixOfSpectrum(rows, columns, Array.from({ length: count }, (_v, i) => spectra[name]!(i, count)))));
    }
  });

  it("for rows and columns of zeros, and rows of very different size", async () => {
    const matrix = gaussianMatrix(180, 170, 7);
    const holes = { ...matrix, data: matrix.data.map((value, k) => (Math.floor(k / 170) % 5 === 0 || k % 17 === 3 ? 0 : value)) };
    const graded = { ...matrix, data: matrix.data.map((value, k) => value * 10 ** (-Math.floor(k / 170) / 20)) };
    for (const each of [holes, graded, transposed(holes), transposed(graded)]) await expectPromises(as(each));
  });
});

describe("fast spectra", () => {
  it.each([1e30, 1e-30, 1e-40])("do not depend on the scale: entries of %d", async (scale) => {
    const plain = asFloat32(gaussianMatrix(150, 140, 3));
    const scaled = asFloat32(scaledBy(plain, scale));
    // Denormal entries have lost digits: the reference sees the same ones.
    const expected = await exactSolver.singularValues(copyOf(scaled));
    const found = await solver.singularValues(scaled);
    found.forEach((value, i) => expect(Math.abs(value - expected[i]!) / expected[0]!).toBeLessThan(1e-6));
  });

  it("of a zero matrix are zeros, and of nothing are none", async () => {
    expect(await solver.singularValues({ rows: 100, columns: 120, data: new Float32Array(12_000) })).toEqual(new Float64Array(100));
    expect(await solver.singularValues({ rows: 0, columns: 7, data: new Float32Array(0) })).toEqual(new Float64Array(0));
  });

  it("are the same bits run after run, also after other matrices", async () => {
    const matrix = asFloat32(gaussianMatrix(200, 190, 5));
    const first = await solver.singularValues(copyOf(matrix));
    await solver.singularValues(gaussianMatrix(300, 310, 6));
    expect(await solver.singularValues(copyOf(matrix))).toEqual(first);
  });

  it("differ by no more than rounding between one thread and two", async () => {
    const matrix = asFloat32(gaussianMatrix(750, 740, 8));
    const one = await solver.singularValues(copyOf(matrix));
    const two = await new FastSolver({ threads: 2, fallback: exactSolver }).singularValues(copyOf(matrix));
    one.forEach((value, i) => expect(Math.abs(value - two[i]!) / one[0]!).toBeLessThan(5e-7));
  });

  it("say which ONNX Runtime computes them", () => {
    expect(solver.description).toMatch(/^ONNX Runtime \d+\.\d+\.\d+, 1 thread$/);
  });
});
