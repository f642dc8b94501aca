import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactSolver } from "../../../src/linalg/exactSolver";
import type { Matrix } from "../../../src/linalg/matrix";
import { measureMatrix } from "../../../src/rank/measure";
import type { MatrixFacts } from "../../../src/rank/spectrum";
import type { Measures } from "../../../src/shared/report";
import { asFloat32, copyOf, gaussianMatrix, matrixOfSpectrum, reflectColumns, reflectRows, scaledBy, transposed } from "../support/matrices";

const measure = measureMatrix(exactSolver);
const FLOAT32 = 2 ** -23;

async function measuresOf(matrix: Matrix, facts: Partial<MatrixFacts> = {}): Promise<Measures> {
  const { rows, columns } = matrix;
  return (await measure(copyOf(matrix), { rows, columns, epsilon: FLOAT32, recurrent: false, breakEvenRank: null, ...facts })).measures;
}

/** A float32 matrix of the given spectrum, as a file holds it. */
const stored = (rows: number, columns: number, values: number[], seed?: number) => asFloat32(matrixOfSpectrum(rows, columns, values, seed));

/** All figures of a report's row that are not numbers of a scale: what must not change when the weights are scaled. */
function ranksOf(m: Measures): (number | null)[] {
  return [
    m.stableRank, m.effectiveRank, m.participationRatio, m.utilization, m.numericalRank, ...Object.values(m.energyRank), m.conditionNumber,
    m.hardThresholdRank, m.evbmfRank, m.marchenkoPastur?.spikes ?? null, m.marchenkoPastur?.softRank ?? null, m.powerLawAlpha, m.breakEvenRank,
  ];
}

function expectSameRanks(actual: Measures, expected: Measures): void {
  // A count that its own row tells as a tie may come out either way.
  if (actual.ties.length > 0 || expected.ties.length > 0) return;
  ranksOf(expected).forEach((value, i) => {
    const other = ranksOf(actual)[i]!;
    if (value === null || other === null) expect(other).toBe(value);
    else expect(Math.abs(other - value)).toBeLessThanOrEqual(1e-9 * Math.abs(value));
  });
}

const side = fc.integer({ min: 1, max: 30 });
const seed = fc.integer({ min: 1, max: 1e6 });
const weights = fc.oneof(fc.constantFrom(0, 1, -1), fc.float({ noNaN: true, noDefaultInfinity: true }), fc.double({ min: -1, max: 1, noNaN: true }));
const anyMatrix = fc.tuple(side, side).chain(([rows, columns]) =>
  fc.array(weights, { minLength: rows * columns, maxLength: rows * columns }).map((values): Matrix => ({ rows, columns, data: Float32Array.from(values) })));

describe("every measure", () => {
  it("of every finite matrix is a finite number or null", async () => {
    await fc.assert(fc.asyncProperty(anyMatrix, async (matrix) => {
      const measures = await measuresOf(matrix, { recurrent: true });
      const numbers = JSON.parse(JSON.stringify(measures), (_key, value: unknown) => value) as Measures;
      // JSON turns NaN and ∞ into null: only those that may be null are then different.
      expect(numbers).toEqual(measures);
    }), { numRuns: 150 });
  });

  it("lies where the theory puts it: 1 ≤ stable ≤ participation ≤ effective ≤ K", async () => {
    await fc.assert(fc.asyncProperty(anyMatrix, async (matrix) => {
      const m = await measuresOf(matrix);
      const k = Math.min(matrix.rows, matrix.columns);
      if (m.spectralNorm === 0) return;
      const slack = 1 + 1e-12;
      const ordered = [1, m.stableRank, m.participationRatio, m.effectiveRank, k];
      ordered.forEach((value, i) => { if (i > 0) expect(ordered[i - 1]!).toBeLessThanOrEqual(value * slack); });
      expect(m.utilization).toBeCloseTo(m.effectiveRank / k, 12);
      expect(m.numericalRank).toBeGreaterThanOrEqual(1);
      expect(m.numericalRank).toBeLessThanOrEqual(k);
      const energies = [1, m.energyRank["0.9"], m.energyRank["0.95"], m.energyRank["0.99"], k];
      energies.forEach((value, i) => { if (i > 0) expect(value).toBeGreaterThanOrEqual(energies[i - 1]!); });
      expect(m.energyRank["0.9"]).toBeGreaterThanOrEqual(0.9 * m.stableRank * (1 - 1e-12));
      expect(m.spectralNorm).toBeLessThanOrEqual(m.frobeniusNorm * slack);
      expect(m.frobeniusNorm).toBeLessThanOrEqual(m.nuclearNorm * slack);
      expect(m.evbmfRank).toBeLessThanOrEqual(k);
    }), { numRuns: 150 });
  });

  it("is the same for the transpose", async () => {
    await fc.assert(fc.asyncProperty(side, side, seed, async (rows, columns, from) => {
      const matrix = gaussianMatrix(rows, columns, from);
      expectSameRanks(await measuresOf(transposed(matrix)), await measuresOf(matrix));
    }));
  });

  it("is the same after orthogonal transformations", async () => {
    await fc.assert(fc.asyncProperty(side, side, seed, async (rows, columns, from) => {
      const matrix = gaussianMatrix(rows, columns, from);
      const turned = copyOf(matrix);
      reflectRows(turned, gaussianMatrix(rows, 1, from + 1).data);
      reflectColumns(turned, gaussianMatrix(columns, 1, from + 2).data);
      expectSameRanks(await measuresOf(turned), await measuresOf(matrix));
    }));
  });

  it("that is a rank does not depend on the scale of the weights, from 1e-300 to 1e300", async () => {
    const matrix = gaussianMatrix(40, 25, 12);
    for (const scale of [1e-300, 1e-30, 7, 1e30, 1e300]) expectSameRanks(await measuresOf(scaledBy(matrix, scale)), await measuresOf(matrix));
  });

  it("of a zero matrix is 0 or not defined", async () => {
    const m = await measuresOf({ rows: 4, columns: 30, data: new Float32Array(120) }, { recurrent: true });
    expect(m).toMatchObject({
      frobeniusNorm: 0, spectralNorm: 0, nuclearNorm: 0, stableRank: 0, effectiveRank: 0, participationRatio: 0, utilization: 0, numericalRank: 0,
      energyRank: { "0.9": 0, "0.95": 0, "0.99": 0 }, evbmfRank: 0, conditionNumber: null, hardThresholdRank: null, marchenkoPastur: null, powerLawAlpha: null, ties: [],
    });
  });

  it("of a single row is 1, without noise to speak of", async () => {
    for (const [rows, columns] of [[1, 9], [9, 1]] as const) {
      expect(await measuresOf(asFloat32(gaussianMatrix(rows, columns, 2)))).toMatchObject({
        stableRank: 1, effectiveRank: 1, participationRatio: 1, numericalRank: 1, conditionNumber: 1, energyRank: { "0.99": 1 },
        hardThresholdRank: 0, evbmfRank: 0, marchenkoPastur: null, powerLawAlpha: null, breakEvenRank: 0,
      });
    }
  });

  it("of equal singular values is K", async () => {
    const m = await measuresOf(stored(20, 30, new Array<number>(20).fill(0.7)));
    for (const value of [m.stableRank, m.effectiveRank, m.participationRatio]) expect(value).toBeCloseTo(20, 5);
    expect(m.utilization).toBeCloseTo(1, 6);
    expect(m.conditionNumber).toBeCloseTo(1, 5);
    expect(m).toMatchObject({ numericalRank: 20, energyRank: { "0.99": 20 }, evbmfRank: 0, hardThresholdRank: 0, marchenkoPastur: null, powerLawAlpha: null });
  });

  it("of two known values is what its formula says", async () => {
    const m = await measuresOf({ rows: 2, columns: 2, data: Float32Array.of(0, 1, 3, 0) });
    expect(m).toMatchObject({ numericalRank: 2, energyRank: { "0.9": 1, "0.95": 2, "0.99": 2 } });
    const expected = { spectralNorm: 3, frobeniusNorm: Math.sqrt(10), nuclearNorm: 4, stableRank: 10 / 9, participationRatio: 100 / 82, conditionNumber: 3, effectiveRank: 0.75 ** -0.75 * 0.25 ** -0.25 };
    for (const [name, value] of Object.entries(expected)) expect(m[name as keyof typeof expected]).toBeCloseTo(value, 12);
  });
});

describe("what surrounds the spectrum", () => {
  it("a solver that goes wrong is caught, not reported", async () => {
    const wrong = measureMatrix({ ...exactSolver, singularValues: async () => Float64Array.of(2, 1) });
    const facts = { rows: 2, columns: 2, epsilon: FLOAT32, recurrent: false, breakEvenRank: null };
    await expect(wrong({ rows: 2, columns: 2, data: Float64Array.of(2, 0, 0, 2) }, facts)).rejects.toThrow("instead of");
  });

  it("the spectral radius is measured of recurrent square matrices, before the solver may overwrite them", async () => {
    const overwriting = measureMatrix({ ...exactSolver, singularValues: (matrix) => {
      const result = exactSolver.singularValues(copyOf(matrix));
      matrix.data.fill(Number.NaN);
      return result;
    } });
    const rotation = () => ({ rows: 2, columns: 2, data: Float64Array.of(0, -2, 2, 0) });
    const facts = { rows: 2, columns: 2, epsilon: FLOAT32, breakEvenRank: null };
    expect((await overwriting(rotation(), { ...facts, recurrent: true })).measures).toMatchObject({ spectralRadius: 2, frobeniusNorm: Math.sqrt(8) });
    expect((await overwriting(rotation(), { ...facts, recurrent: false })).measures.spectralRadius).toBeNull();
    expect((await measuresOf(gaussianMatrix(2, 3, 1), { recurrent: true })).spectralRadius).toBeNull();
  });

  it("the break-even rank is the scheme's own where there is one", async () => {
    expect((await measuresOf(gaussianMatrix(4, 12, 1))).breakEvenRank).toBe(3);
    expect((await measuresOf(gaussianMatrix(4, 12, 1), { breakEvenRank: 2 })).breakEvenRank).toBe(2);
  });

  it("the numerical rank goes by the type that the file stores", async () => {
    const matrix = matrixOfSpectrum(8, 8, [1, 1e-3, 1e-9], 4);
    const ranks = [2 ** -7, 2 ** -10, 2 ** -23, 2 ** -52].map(async (epsilon) => (await measuresOf(matrix, { epsilon })).numericalRank);
    // ε/2 · ‖W‖_F = 0.004 and 0.0005 for the 16-bit types, max(m, n) · ε = 1e-6 and 2e-15 for the others.
    expect(await Promise.all(ranks)).toEqual([1, 2, 2, 3]);
  });

  it("the numerical rank of noise in a 16-bit type is not zero, whatever its size", async () => {
    const { numericalRank } = await measuresOf(gaussianMatrix(300, 280, 5), { epsilon: 2 ** -7 });
    expect(numericalRank).toBeGreaterThan(200);
  });

  it("a float32 matrix of rank 32 has the numerical rank 32, and its condition is infinite", async () => {
    const m = await measuresOf(stored(120, 90, Array.from({ length: 32 }, (_, i) => 2 - i / 32)));
    expect(m).toMatchObject({ numericalRank: 32, conditionNumber: null });
  });

  it("a count that a value on its threshold could tip is told", async () => {
    const diagonal = (values: number[]) => matrixOfSpectrum(values.length, values.length, values);
    const onTolerance = { rows: 8, columns: 8, data: Float64Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? [1, 0.5, 8 * FLOAT32, 0, 0, 0, 0, 0][i / 9]! : 0)) };
    expect((await measuresOf(onTolerance)).ties).toContain("numericalRank");
    expect((await measuresOf(diagonal(new Array<number>(10).fill(1)))).ties).toEqual(["energyRank0.9"]);
    expect((await measuresOf(diagonal([3, 2, 1]))).ties).toEqual([]);
  });
});
