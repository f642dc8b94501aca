import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateCost, exactSolver } from "../../../src/linalg/exactSolver";
import type { Matrix } from "../../../src/linalg/matrix";
import { asFloat32, copyOf, gaussianMatrix, matrixOfSpectrum, reflectColumns, reflectRows, scaledBy, transposed } from "../support/matrices";

const spectrum = (matrix: Matrix) => exactSolver.singularValues(copyOf(matrix));
/** What a backward stable algorithm may lose, of σ₁: K · ε with a small factor. */
const ROUNDING = 1e-14;

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = ROUNDING): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected), Number.MIN_VALUE);
  const largest = Math.max(0, ...Array.from(expected, (value, i) => Math.abs(value - actual[i]!)));
  expect(largest / scale).toBeLessThanOrEqual(tolerance);
}

const side = fc.integer({ min: 1, max: 40 });
const seed = fc.integer({ min: 1, max: 1e6 });
/** Repeated values, zeros and a wide range are as likely as generic ones. */
const singularValue = fc.oneof(fc.constantFrom(0, 1, 0.5), fc.double({ min: 1e-12, max: 10, noNaN: true }));
const known = fc.record({ rows: side, columns: side, seed, values: fc.array(singularValue, { minLength: 40, maxLength: 40 }) })
  .map(({ rows, columns, values, seed: from }) => {
    const singularValues = values.slice(0, Math.min(rows, columns)).sort((a, b) => b - a);
    return { singularValues, matrix: matrixOfSpectrum(rows, columns, singularValues, from) };
  });

describe("the singular values of a matrix", () => {
  it("are those that it was built from", async () => {
    await fc.assert(fc.asyncProperty(known, async ({ singularValues, matrix }) => {
      expectClose(await spectrum(matrix), singularValues);
    }), { numRuns: 200 });
  });

  it("are min(m, n), not negative, and come largest first", async () => {
    await fc.assert(fc.asyncProperty(side, side, seed, async (rows, columns, from) => {
      const values = await spectrum(gaussianMatrix(rows, columns, from));
      expect(values.length).toBe(Math.min(rows, columns));
      values.forEach((value, i) => {
        expect(value).toBeGreaterThanOrEqual(0);
        if (i > 0) expect(value).toBeLessThanOrEqual(values[i - 1]!);
      });
    }));
  });

  it("do not change by transposing", async () => {
    await fc.assert(fc.asyncProperty(known, async ({ matrix }) => {
      expectClose(await spectrum(transposed(matrix)), await spectrum(matrix));
    }));
  });

  it("do not change by orthogonal transformations from either side", async () => {
    await fc.assert(fc.asyncProperty(known, seed, async ({ matrix }, from) => {
      const turned = copyOf(matrix);
      reflectRows(turned, gaussianMatrix(matrix.rows, 1, from).data);
      reflectColumns(turned, gaussianMatrix(matrix.columns, 1, from + 1).data);
      expectClose(await spectrum(turned), await spectrum(matrix));
    }));
  });

  it("carry the squared Frobenius norm", async () => {
    await fc.assert(fc.asyncProperty(side, side, seed, async (rows, columns, from) => {
      const matrix = gaussianMatrix(rows, columns, from);
      const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
      expect(squares(await spectrum(matrix)) / squares(matrix.data)).toBeCloseTo(1, 13);
    }));
  });

  it("interlace with those of the matrix without its last row", async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 2, max: 40 }), side, seed, async (rows, columns, from) => {
      const matrix = gaussianMatrix(rows, columns, from);
      const all = await spectrum(matrix);
      const fewer = await spectrum({ rows: rows - 1, columns, data: matrix.data.slice(0, (rows - 1) * columns) });
      fewer.forEach((value, i) => {
        expect(value).toBeLessThanOrEqual(all[i]! * (1 + ROUNDING));
        expect(value).toBeGreaterThanOrEqual((all[i + 1] ?? 0) * (1 - ROUNDING));
      });
    }));
  });

  it("scale with the matrix: exactly by powers of two, to the ends of the range of float64", async () => {
    const matrix = gaussianMatrix(20, 15, 3);
    const values = await spectrum(matrix);
    for (const exponent of [-1000, -500, 1, 40, 500, 1000]) {
      expect(await spectrum(scaledBy(matrix, 2 ** exponent))).toEqual(values.map((value) => value * 2 ** exponent));
    }
  });

  it("are found among denormal numbers", async () => {
    const expected = [64, 8, 2, 1].map((value) => value * Number.MIN_VALUE);
    const data = new Float64Array(16);
    [1, 64, 2, 8].forEach((value, i) => { data[i * 4 + (3 - i)] = value * Number.MIN_VALUE; });
    expect([...(await spectrum({ rows: 4, columns: 4, data }))]).toEqual(expected);
    expect((await spectrum(asFloat32({ rows: 1, columns: 2, data: Float64Array.of(3e-44, 4e-44) })))[0]! / 5e-44).toBeCloseTo(1, 1);
  });

  it("are the same for float32 storage as for its float64 copy", async () => {
    const matrix = asFloat32(gaussianMatrix(33, 12, 8));
    expect(await spectrum(matrix)).toEqual(await spectrum({ ...matrix, data: Float64Array.from(matrix.data) }));
  });

  it("of a row or a column is its length", async () => {
    for (const [rows, columns] of [[1, 2], [2, 1]] as const) expectClose(await spectrum({ rows, columns, data: Float64Array.of(3, -4) }), [5]);
    expectClose(await spectrum({ rows: 1, columns: 1, data: Float64Array.of(-7) }), [7]);
  });

  it("of a zero matrix are zero, and of an empty one none", async () => {
    expect([...(await spectrum({ rows: 3, columns: 5, data: new Float32Array(15) }))]).toEqual([0, 0, 0]);
    expect((await spectrum({ rows: 0, columns: 5, data: new Float32Array(0) })).length).toBe(0);
  });

  it("keep small values beside large ones, which a Gram matrix would lose", async () => {
    const values = [1, 1e-6, 1e-11, 1e-13];
    const computed = await spectrum(matrixOfSpectrum(400, 4, values, 9));
    // The smallest to 5 %; through AᵀA all below 1e-8 would be noise.
    values.forEach((value, i) => expect(Math.abs(computed[i]! - value)).toBeLessThan(5e-15));
  });

  it("of a matrix that is larger than one block are right too", async () => {
    const values = Array.from({ length: 150 }, (_, i) => 1 / (i + 1));
    for (const [rows, columns] of [[2000, 150], [150, 2000], [160, 150]] as const) {
      expectClose(await spectrum(matrixOfSpectrum(rows, columns, values, 4)), values);
    }
  });
});

describe("the estimate of the time", () => {
  it("is positive, symmetric, and grows with both sides", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 10_000 }), (rows, columns) => {
      expect(estimateCost(rows, columns)).toBeGreaterThan(0);
      expect(estimateCost(rows, columns)).toBe(estimateCost(columns, rows));
      expect(estimateCost(rows + 1, columns)).toBeGreaterThan(estimateCost(rows, columns));
    }));
  });
});
