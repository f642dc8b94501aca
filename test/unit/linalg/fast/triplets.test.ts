import { describe, expect, it } from "vitest";
import { exactSolver } from "../../../../src/linalg/exactSolver";
import { FastSolver } from "../../../../src/linalg/fast/fastSolver";
import type { Triplets } from "../../../../src/linalg/fast/triplets";
import type { Matrix } from "../../../../src/linalg/matrix";
import { asFloat32, copyOf, gaussianMatrix, matrixOfSpectrum, scaledBy } from "../../support/matrices";

const solver = new FastSolver({ threads: 1, fallback: exactSolver });

/** max |⟨xᵢ, xⱼ⟩ − δᵢⱼ| of the rows. */
function defect(rows: Float64Array, count: number): number {
  const length = rows.length / count;
  let most = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let inner = i === j ? -1 : 0;
      for (let k = 0; k < length; k++) inner += rows[i * length + k]! * rows[j * length + k]!;
      most = Math.max(most, Math.abs(inner));
    }
  }
  return most;
}

/** max |A − Σ σᵢ uᵢ vᵢᵀ| relative to σ₁. */
function misfit({ rows, columns, data }: Matrix, { values, left, right }: Triplets): number {
  let most = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let rest = data[i * columns + j]!;
      for (let k = 0; k < values.length; k++) rest -= values[k]! * left[k * rows + i]! * right[k * columns + j]!;
      most = Math.max(most, Math.abs(rest));
    }
  }
  return most / (values[0]! || 1);
}

const SHAPES = [[1, 1], [1, 6], [40, 40], [90, 70], [70, 130], [33, 1]] as const;
const SPECTRA: Record<string, (i: number, count: number) => number> = {
  "a power law": (i) => 1 / (i + 1),
  "decay to 1e-14": (i, count) => 1e-14 ** (i / count),
  "all values equal": () => 2,
  "low rank": (i) => (i < 3 ? 3 - i : 0),
  "two clusters far apart": (i, count) => (i < count / 2 ? 1 : 1e-7),
  "nothing but zeros": () => 0,
};

describe("all singular triplets", () => {
  describe.each(SHAPES)("of %i × %i matrices", (rows, columns) => {
    it.each(Object.keys(SPECTRA))("rebuild the matrix from orthonormal vectors: %s", (name) => {
      const count = Math.min(rows, columns);
      const expected = Array.from({ length: count }, (_, i) => SPECTRA[name]!(i, count));
      const matrix = matrixOfSpectrum(rows, columns, expected);
      const found = solver.allTriplets(copyOf(matrix));
      const scale = expected[0]! || 1;
      expect(misfit(matrix, found)).toBeLessThan(1e-13);
      expect(defect(found.left, count)).toBeLessThan(1e-13);
      expect(defect(found.right, count)).toBeLessThan(1e-13);
      found.values.forEach((value, i) => expect(Math.abs(value - expected[i]!) / scale).toBeLessThan(1e-14 * 10));
    });
  });

  it("of a float32 matrix are those of its values in float64, whatever the scale", () => {
    const matrix = asFloat32(scaledBy(gaussianMatrix(60, 50, 1), 1e-25));
    expect(misfit(matrix, solver.allTriplets(copyOf(matrix)))).toBeLessThan(1e-13);
  });

  it("of order 300 agree with the QR iteration", async () => {
    const matrix = gaussianMatrix(300, 310, 2);
    const expected = await exactSolver.singularValues(copyOf(matrix));
    solver.allTriplets(matrix).values.forEach((value, i) => expect(Math.abs(value - expected[i]!) / expected[0]!).toBeLessThan(1e-13));
  });
});

describe("leading singular triplets by block Krylov", () => {
  const k = 12;
  const large: Record<string, Matrix> = {
    "a power law": matrixOfSpectrum(620, 700, Array.from({ length: 620 }, (_, i) => 1 / (i + 1))),
    "spikes over equal values": matrixOfSpectrum(700, 600, Array.from({ length: 600 }, (_, i) => (i < 5 ? 10 - i : 1))),
    "noise alone": gaussianMatrix(600, 640, 3),
    "low rank": matrixOfSpectrum(600, 600, [9, 7, 5, 3, 1]),
  };

  it.each(Object.keys(large).flatMap((name) => [[name, "float64"], [name, "float32"]] as const))("lie within their bounds: %s, %s", async (name, type) => {
    const matrix = type === "float64" ? large[name]! : asFloat32(large[name]!);
    const expected = await exactSolver.singularValues(copyOf(matrix));
    const found = solver.leadingTriplets(copyOf(matrix), k);
    expect(found.values).toHaveLength(k);
    found.values.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(found.bounds[i]!));
    expect(defect(found.right, k)).toBeLessThan(1e-12);
    // Where the spectrum has gaps, the bounds are those of rounding.
    if (name !== "noise alone") expect(Math.max(...found.bounds.slice(0, 5)) / expected[0]!).toBeLessThan(type === "float64" ? 1e-8 : 4e-6);
  });

  it("give σ₁ with its error, also for matrices too small for it and for a zero matrix", async () => {
    for (const matrix of [gaussianMatrix(50, 60, 4), asFloat32(gaussianMatrix(650, 600, 5))]) {
      const expected = (await exactSolver.singularValues(copyOf(matrix)))[0]!;
      const { value, error } = await solver.leadingSingularValue(copyOf(matrix));
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(error);
      expect(error / expected).toBeLessThan(1e-2);
    }
    expect(await solver.leadingSingularValue({ rows: 600, columns: 600, data: new Float32Array(360_000) })).toEqual({ value: 0, error: 0 });
  });

  it("turn into all triplets when many are asked for", () => {
    const matrix = gaussianMatrix(80, 90, 6);
    const some = solver.leadingTriplets(copyOf(matrix), 200);
    expect(some.values).toHaveLength(80);
    expect(misfit(matrix, some)).toBeLessThan(1e-13);
  });

  it("scale with the matrix", () => {
    const plain = solver.leadingTriplets(copyOf(large["a power law"]!), 3);
    const scaled = solver.leadingTriplets(copyOf(scaledBy(large["a power law"]!, 2 ** 300)), 3);
    scaled.values.forEach((value, i) => expect(Math.abs(value / 2 ** 300 - plain.values[i]!)).toBeLessThan(1e-13));
  });
});
