import { describe, expect, it } from "vitest";
import { FastSvd } from "../../../../src/linalg/fast/truncatedSvd";
import type { Matrix } from "../../../../src/linalg/matrix";
import type { Triplets } from "../../../../src/linalg/svd";
import { asFloat32, copyOf, matrixOfSpectrum, scaledBy } from "../../support/matrices";

const svd = new FastSvd(1, () => undefined);

/** ‖A − U Σ Vᵀ‖_F / ‖A‖_F */
function relativeError({ rows, columns, data }: Matrix, { rank, values, left, right }: Triplets): number {
  let [rest, total] = [0, 0];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let difference = data[i * columns + j]!;
      total += difference ** 2;
      for (let k = 0; k < rank; k++) difference -= left[i * rank + k]! * values[k]! * right[k * columns + j]!;
      rest += difference ** 2;
    }
  }
  return Math.sqrt(rest / total);
}

const optimum = (spectrum: readonly number[], rank: number): number => {
  const energy = (values: readonly number[]): number => values.reduce((sum, value) => sum + value ** 2, 0);
  return Math.sqrt(energy(spectrum.slice(rank)) / energy(spectrum));
};

/** max |⟨rᵢ, rⱼ⟩ − δᵢⱼ| of rows. */
function defect(data: Float64Array, count: number): number {
  const length = data.length / count;
  let most = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let inner = i === j ? -1 : 0;
      for (let k = 0; k < length; k++) inner += data[i * length + k]! * data[j * length + k]!;
      most = Math.max(most, Math.abs(inner));
    }
  }
  return most;
}

const SPECTRA: Record<string, (i: number) => number> = {
  "a power law": (i) => 1 / (i + 1),
  "a bulk of close values": (i) => 1 - i / 1000,
  "all values equal": () => 3,
  "values far below what their squares can hold": (i) => 0.7 ** i,
  "low rank": (i) => (i < 5 ? 5 - i : 0),
};
const SHAPES = [[120, 120], [110, 190], [230, 100]] as const;

describe.each(SHAPES)("the leading triplets of %i × %i matrices of float32", (rows, columns) => {
  const count = Math.min(rows, columns);
  it.each(Object.keys(SPECTRA).flatMap((name) => [3, 30, count].map((rank) => [name, rank] as const)))("lose no more than the best matrix of that rank: %s, rank %i", async (name, rank) => {
    const spectrum = Array.from({ length: count }, (_, i) => SPECTRA[name]!(i));
    const matrix = asFloat32(matrixOfSpectrum(rows, columns, spectrum));
    const found = await svd.truncate(copyOf(matrix), rank);
    expect(found.rank).toBe(rank);
    expect(Math.abs(relativeError(matrix, found) - optimum(spectrum, rank))).toBeLessThan(1e-6);
    expect(defect(found.right, rank)).toBeLessThan(1e-9);
    found.values.forEach((value, i) => expect(Math.abs(value - spectrum[i]!) / spectrum[0]!).toBeLessThan(1e-6));
  });
});

describe("the leading triplets", () => {
  it("scale with the matrix, and leave it as it is", async () => {
    const matrix = scaledBy(matrixOfSpectrum(100, 130, Array.from({ length: 100 }, (_, i) => 1 / (i + 1))), 2 ** 400);
    const before = matrix.data.slice();
    const { values } = await svd.truncate(matrix, 10);
    values.forEach((value, i) => expect(value / 2 ** 400).toBeCloseTo(1 / (i + 1), 12));
    expect(matrix.data).toEqual(before);
  });
});
