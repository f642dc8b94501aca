import { describe, expect, it } from "vitest";
import type { Matrix } from "../../../src/linalg/matrix";
import { FastSvd } from "../../../src/linalg/fast/truncatedSvd";
import { exactSvd, type Triplets, type TruncatedSvd } from "../../../src/linalg/svd";
import { asFloat32, gaussianMatrix, matrixOfSpectrum, scaledBy } from "../support/matrices";

const SPECTRA: Readonly<Record<string, (k: number) => number[]>> = {
  "equal values": (k) => Array.from({ length: k }, () => 3),
  "a power law": (k) => Array.from({ length: k }, (_, i) => 5 / (i + 1)),
  "twelve decades": (k) => Array.from({ length: k }, (_, i) => 10 ** ((-12 * i) / k)),
  "an exact low rank": (k) => Array.from({ length: Math.ceil(k / 3) }, (_, i) => 4 - i / k),
  "two clusters": (k) => Array.from({ length: k }, (_, i) => (i < k / 2 ? 7 : 1e-3)),
};
const SHAPES = [[1, 1], [1, 9], [9, 1], [12, 12], [40, 17], [17, 40], [130, 30], [64, 65], [150, 120], [110, 230]] as const;
const SOLVERS: readonly (readonly [string, TruncatedSvd])[] = [["exact", exactSvd], ["fast", new FastSvd(1, (sentence) => { throw new Error(sentence); })]];

/** ‖A Aᵀ − I‖ by its largest entry, for vectors as rows. */
function departure(rows: (i: number, j: number) => number, count: number, length: number): number {
  let worst = 0;
  for (let a = 0; a < count; a++) {
    for (let b = 0; b <= a; b++) {
      let dot = 0;
      for (let j = 0; j < length; j++) dot += rows(a, j) * rows(b, j);
      worst = Math.max(worst, Math.abs(dot - (a === b ? 1 : 0)));
    }
  }
  return worst;
}

/** ‖W − U Σ V‖_F */
function distance({ rows, columns, data }: Matrix, { rank, values, left, right }: Triplets): number {
  let squares = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += left[i * rank + r]! * values[r]! * right[r * columns + j]!;
      squares += (data[i * columns + j]! - sum) ** 2;
    }
  }
  return Math.sqrt(squares);
}

const CASES = SOLVERS.flatMap(([name, solver]) => Object.entries(SPECTRA).map(([of, spectrum]) => ({ name, solver, of, spectrum })));

describe.each(CASES)("the $name triplets of a matrix with $of", ({ solver, spectrum }) => {
  it.each(SHAPES)("of %i × %i give its values, orthonormal vectors and itself", async (rows, columns) => {
    const k = Math.min(rows, columns);
    const expected = spectrum(k);
    const matrix = matrixOfSpectrum(rows, columns, expected);
    const triplets = await solver.truncate(matrix, k);
    const scale = expected[0]!;
    for (let i = 0; i < k; i++) expect(Math.abs(triplets.values[i]! - (expected[i] ?? 0))).toBeLessThan(1e-13 * k * scale);
    // The long side's vectors are images: rounding over the smallest trusted value is what they may depart by.
    expect(departure((i, j) => triplets.right[i * columns + j]!, k, columns)).toBeLessThan(1e-9);
    expect(departure((i, j) => triplets.left[j * k + i]!, k, rows)).toBeLessThan(1e-9);
    expect(distance(matrix, triplets)).toBeLessThan(1e-13 * k * scale);
  });

  it("leaves out, at rank r, just the energy of the values beyond r", async () => {
    const expected = spectrum(20);
    const matrix = matrixOfSpectrum(31, 20, expected);
    for (const rank of [0, 1, 5, 13]) {
      const rest = Math.sqrt(expected.slice(rank).reduce((sum, value) => sum + value * value, 0));
      expect(distance(matrix, await solver.truncate(matrix, rank))).toBeCloseTo(rest, 9);
    }
  });
});

describe("triplets", () => {
  it("of a zero matrix are zeros with orthonormal vectors", async () => {
    const { values, left } = await exactSvd.truncate({ rows: 5, columns: 3, data: new Float64Array(15) }, 3);
    expect([...values]).toEqual([0, 0, 0]);
    expect(departure((i, j) => left[j * 3 + i]!, 3, 5)).toBeLessThan(1e-12);
  });

  it.each([1e-30, 1e30])("do not depend on the scale %d of the matrix, in float32 either", async (factor) => {
    const plain = await exactSvd.truncate(gaussianMatrix(20, 12, 4), 12);
    const scaled = await exactSvd.truncate(asFloat32(scaledBy(gaussianMatrix(20, 12, 4), factor)), 12);
    for (let i = 0; i < 12; i++) expect(scaled.values[i]! / factor / plain.values[i]!).toBeCloseTo(1, 6);
  });
});
