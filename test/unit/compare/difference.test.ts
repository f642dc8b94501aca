import { describe, expect, it } from "vitest";
import { measureDifference, measureDifferenceOfRows } from "../../../src/compare/difference";
import { exactSolver } from "../../../src/linalg/exactSolver";
import type { Matrix } from "../../../src/linalg/matrix";
import type { RowSource } from "../../../src/linalg/rowSource";
import { wholeOf } from "../../../src/linalg/rowSource";
import type { RowSolver } from "../../../src/linalg/singularValues";
import { asFloat32, copyOf, gaussianMatrix, matrixOfSpectrum } from "../support/matrices";

const solver: RowSolver = {
  singularValues: (matrix) => exactSolver.singularValues(matrix),
  singularValuesOf: async (source) => exactSolver.singularValues(await wholeOf(source, source.type)),
  accuracyFor: () => 1e-12,
};
const facts = { rows: 30, columns: 20, epsilon: 2 ** -23, recurrent: false, breakEvenRank: null };
const base = gaussianMatrix(30, 20, 1);
const length = Math.hypot(...base.data);
const changed = (change: Matrix): Matrix => ({ ...base, data: base.data.map((value, index) => value + change.data[index]!) });

describe("the difference of two matrices", () => {
  // Energies 81, 16, 4 and 1 of 102: 0.794, 0.951, 0.990, 1.
  const change = matrixOfSpectrum(30, 20, [9, 4, 2, 1], 3);

  it("has the ranks of the change, whatever the rank of the matrices is", async () => {
    const { measures, baseNorm } = await measureDifference(solver, base, changed(change), facts);
    expect(measures.energyRank).toEqual({ "0.9": 2, "0.95": 2, "0.99": 3 });
    expect(measures.stableRank).toBeCloseTo(102 / 81, 9);
    expect(measures.frobeniusNorm).toBeCloseTo(Math.sqrt(102), 9);
    expect(measures.spectralNorm).toBeCloseTo(9, 9);
    expect(baseNorm).toBeCloseTo(length, 9);
  });

  it("is the same by rows, a block of both at a time", async () => {
    const rowsOf = ({ rows, columns, data }: Matrix): RowSource => ({ rows, columns, type: "float64", read: (first, count) => Promise.resolve({ rows: count, columns, data: data.slice(first * columns, (first + count) * columns) as Float64Array }) });
    const { measures, baseNorm } = await measureDifferenceOfRows(solver, rowsOf(base), rowsOf(changed(change)), facts);
    expect(measures.energyRank).toEqual({ "0.9": 2, "0.95": 2, "0.99": 3 });
    expect(baseNorm).toBeCloseTo(length, 9);
  });

  it("of the same matrix is zero, with ranks of 0", async () => {
    const { measures } = await measureDifference(solver, base, copyOf(base), facts);
    expect(measures).toMatchObject({ frobeniusNorm: 0, stableRank: 0, effectiveRank: 0, energyRank: { "0.9": 0, "0.95": 0, "0.99": 0 } });
  });

  it("of float32 and float64 is computed in float64", async () => {
    const { measures } = await measureDifference(solver, base, asFloat32(base), facts);
    // Each value lies within half a unit of the last place, 2⁻²⁴ of it.
    expect(measures.frobeniusNorm).toBeGreaterThan(0);
    expect(measures.frobeniusNorm).toBeLessThanOrEqual(2 ** -24 * length);
  });
});
