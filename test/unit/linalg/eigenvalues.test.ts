import fc from "fast-check";
import { EVD, Matrix as Dense } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { largestEigenvalueModulus } from "../../../src/linalg/eigenvalues";
import { exactSolver } from "../../../src/linalg/exactSolver";
import type { Matrix } from "../../../src/linalg/matrix";
import { copyOf, gaussianMatrix, matrixOfSpectrum, reflectColumns, reflectRows, scaledBy, transposed } from "../support/matrices";

function square(...rows: number[][]): Matrix {
  return { rows: rows.length, columns: rows.length, data: Float64Array.from(rows.flat()) };
}

/** |λ| by ml-matrix, an independent implementation. */
function byMlMatrix({ rows, data }: Matrix): number {
  const { realEigenvalues, imaginaryEigenvalues } = new EVD(Dense.from1DArray(rows, rows, Array.from(data)));
  return Math.max(...realEigenvalues.map((real, i) => Math.hypot(real, imaginaryEigenvalues[i]!)));
}

describe("the spectral radius", () => {
  it("of a rotation is its stretch, though its eigenvalues are complex", () => {
    expect(largestEigenvalueModulus(square([0, -2], [2, 0]))).toBeCloseTo(2, 14);
  });

  it("of a triangular matrix is its largest diagonal entry, and of a nilpotent one 0", () => {
    expect(largestEigenvalueModulus(square([1, 9, 9], [0, -3, 9], [0, 0, 2]))).toBeCloseTo(3, 12);
    expect(largestEigenvalueModulus(square([0, 5, 7], [0, 0, 3], [0, 0, 0]))).toBe(0);
  });

  it("of a companion matrix is its polynomial's largest root", () => {
    // (x − 4)(x² + 1) = x³ − 4x² + x − 4
    expect(largestEigenvalueModulus(square([4, -1, 4], [1, 0, 0], [0, 1, 0]))).toBeCloseTo(4, 12);
    // x⁴ − 1: four roots of modulus 1, where unshifted iterations do not converge
    expect(largestEigenvalueModulus(square([0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]))).toBeCloseTo(1, 12);
  });

  it("of an orthogonal matrix is 1, of a zero matrix 0, of a number its size", () => {
    expect(largestEigenvalueModulus(matrixOfSpectrum(60, 60, new Array<number>(60).fill(1), 2))).toBeCloseTo(1, 12);
    expect(largestEigenvalueModulus(square([0, 0], [0, 0]))).toBe(0);
    expect(largestEigenvalueModulus(square([-3]))).toBe(3);
  });

  it("is what ml-matrix finds, is at most σ₁, and leaves the matrix as it was", async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 25 }), fc.integer({ min: 1, max: 1e6 }), async (n, seed) => {
      const matrix = gaussianMatrix(n, n, seed);
      const before = matrix.data.slice();
      const radius = largestEigenvalueModulus(matrix);
      expect(matrix.data).toEqual(before);
      expect(radius / byMlMatrix(matrix)).toBeCloseTo(1, 10);
      expect(radius).toBeLessThanOrEqual((await exactSolver.singularValues(copyOf(matrix)))[0]! * (1 + 1e-13));
    }));
  });

  it("does not change by similarity, scales with the matrix, and is the transpose's", () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 1e6 }), (n, seed) => {
      const matrix = gaussianMatrix(n, n, seed);
      const radius = largestEigenvalueModulus(matrix);
      const turned = copyOf(matrix);
      const u = gaussianMatrix(n, 1, seed + 1).data;
      reflectRows(turned, u);
      reflectColumns(turned, u);
      expect(largestEigenvalueModulus(turned) / radius).toBeCloseTo(1, 10);
      expect(largestEigenvalueModulus(transposed(matrix)) / radius).toBeCloseTo(1, 10);
      expect(largestEigenvalueModulus(scaledBy(matrix, 2 ** -900))).toBe(radius * 2 ** -900);
    }));
  });

  it("converges for graded spectra, whose smallest eigenvalues are rounding", () => {
    const graded = matrixOfSpectrum(100, 100, Array.from({ length: 100 }, (_, i) => 1e-9 ** (i / 99)), 3);
    expect(largestEigenvalueModulus(graded) / byMlMatrix(graded)).toBeCloseTo(1, 10);
  });

  it("is not defined for a matrix that is not square", () => {
    expect(() => largestEigenvalueModulus({ rows: 2, columns: 3, data: new Float64Array(6) })).toThrow("2 × 3");
  });
});
