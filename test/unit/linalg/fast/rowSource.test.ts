import { describe, expect, it } from "vitest";
import { exactSolver } from "../../../../src/linalg/exactSolver";
import { BlockedFactor } from "../../../../src/linalg/fast/blockedFactor";
import { FastSolver } from "../../../../src/linalg/fast/fastSolver";
import { KernelModule } from "../../../../src/linalg/fast/kernels";
import { plainGemm } from "../../../../src/linalg/fast/plainGemm";
import { elementTypeOf, type Matrix } from "../../../../src/linalg/matrix";
import type { RowSource } from "../../../../src/linalg/rowSource";
import { asFloat32, copyOf, gaussianMatrix, matrixOfSpectrum, scaledBy, transposed } from "../../support/matrices";

const solver = new FastSolver({ threads: 1, fallback: exactSolver });

/** A matrix as a file gives it: each read is a copy, of `most` rows at once. */
function sourceOf(matrix: Matrix, reads: number[] = []): RowSource {
  const { rows, columns, data } = matrix;
  return {
    rows, columns, type: elementTypeOf(matrix),
    read: async (first, count) => {
      reads.push(count);
      return { rows: count, columns, data: data.slice(first * columns, (first + count) * columns) };
    },
  };
}

async function furthest(matrix: Matrix, found: Float64Array): Promise<number> {
  const expected = await exactSolver.singularValues(copyOf(matrix));
  expect(found).toHaveLength(expected.length);
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / expected[0]!;
}

async function largestOf(matrix: Matrix): Promise<number> {
  return (await exactSolver.singularValues(copyOf(matrix)))[0]!;
}

const clusters = (rows: number, columns: number): Matrix => matrixOfSpectrum(rows, columns, Array.from({ length: Math.min(rows, columns) }, (_, i) => [1, 0.5, 0.1][i % 3]!));

describe("spectra of matrices that are read by their rows", () => {
  it.each([[900, 70], [70, 900], [300, 290], [290, 333], [333, 1]] as const)("agree with float64 for %i × %i, whatever the scale", async (rows, columns) => {
    for (const scale of [1, 1e30, 1e-30]) {
      const matrix = asFloat32(scaledBy(gaussianMatrix(rows, columns, 9), scale));
      expect(await furthest(matrix, await solver.singularValuesOf(sourceOf(matrix)))).toBeLessThan(1e-6);
    }
  });

  it.each([[1500, 300], [300, 1500], [400, 390]] as const)("are read again in float64 where float32 blurs clusters: %i × %i", async (rows, columns) => {
    const matrix = asFloat32(clusters(rows, columns));
    expect(await furthest(matrix, await solver.singularValuesOf(sourceOf(matrix)))).toBeLessThan(1e-9);
  });

  it("are those of float64 from the start where that is asked for", async () => {
    for (const [rows, columns] of [[2000, 100], [150, 140], [100, 700]] as const) {
      const matrix = asFloat32(gaussianMatrix(rows, columns, 3));
      expect(await furthest(matrix, await solver.singularValuesOf(sourceOf(matrix), true))).toBeLessThan(1e-13);
    }
  });

  it.each([[400, 60], [70, 60], [60, 400]] as const)("keep what float64 files hold, whatever its scale: %i × %i", async (rows, columns) => {
    for (const scale of [1, 1e200, 1e-200]) {
      const matrix = scaledBy(gaussianMatrix(rows, columns, 4), scale);
      expect(await furthest(matrix, await solver.singularValuesOf(sourceOf(matrix)))).toBeLessThan(1e-13);
    }
  });

  it("of zeros are zeros", async () => {
    for (const [rows, columns] of [[200, 50], [50, 200], [60, 60]] as const) {
      const found = await solver.singularValuesOf(sourceOf({ rows, columns, data: new Float32Array(rows * columns) }));
      expect(found).toEqual(new Float64Array(Math.min(rows, columns)));
    }
  });

  it("have the leading value within its bound, in fewer passes where it stands alone", async () => {
    const bulk = asFloat32(gaussianMatrix(1800, 700, 5));
    const spiked = { ...bulk, data: bulk.data.map((value) => value + 1) };
    const passes: number[] = [];
    const [ofBulk, ofSpiked] = [await largestOf(bulk), await largestOf(spiked)];
    // What float32 rounds off by the scale is far below the bound.
    for (const [matrix, largest] of [[bulk, ofBulk], [spiked, ofSpiked], [asFloat32(scaledBy(spiked, 1e-25)), ofSpiked * 1e-25], [{ ...spiked, data: Float64Array.from(spiked.data) }, ofSpiked]] as const) {
      const reads: number[] = [];
      const { value, error } = await solver.leadingSingularValueOf(sourceOf(matrix, reads));
      expect(Math.abs(value - largest)).toBeLessThanOrEqual(error);
      expect(error).toBeLessThan(0.1 * largest);
      passes.push(reads.reduce((sum, count) => sum + count, 0) / matrix.rows);
    }
    expect(passes[1]).toBeLessThan(passes[0]!);
    expect(passes[2]).toBe(passes[1]);
    expect(passes[3]).toBe(passes[1]);
    // The exact solver, which it is held to, takes seconds for each of the four.
  }, 120_000);
});

describe("a factor that is made block by block", () => {
  it("has the singular values of the whole, whatever the blocks", async () => {
    const tall = gaussianMatrix(530, 41, 6);
    for (const size of [1, 7, 64, 530]) {
      const [down, across] = [0, 1].map(() => new BlockedFactor(41, plainGemm, new KernelModule(), 0)) as [BlockedFactor, BlockedFactor];
      for (let first = 0; first < 530; first += size) {
        const count = Math.min(size, 530 - first);
        const block = { rows: count, columns: 41, data: tall.data.slice(first * 41, (first + count) * 41) };
        down.addRows(block);
        across.addColumns(transposed(block));
      }
      for (const factor of [down, across]) expect(await furthest(tall, await exactSolver.singularValues(factor.finish()))).toBeLessThan(1e-13);
    }
  });
});
