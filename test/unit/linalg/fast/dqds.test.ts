import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FULL_ACCURACY, SINGLE_ACCURACY, bidiagonalSingularValues } from "../../../../src/linalg/fast/bidiagonal";
import { KernelModule } from "../../../../src/linalg/fast/kernels";
import { exactSolver } from "../../../../src/linalg/exactSolver";
import { normal } from "../../support/matrices";

const module = new KernelModule();
const valuesOf = (diagonal: readonly number[], superdiagonal: readonly number[], accuracy = FULL_ACCURACY): number[] => [
  ...bidiagonalSingularValues(diagonal, superdiagonal, accuracy, module),
];
const worst = (found: readonly number[], expected: readonly number[]): number =>
  found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!) / (expected[i]! || 1)), Math.abs(found.length - expected.length));

/** The n × n bidiagonal matrix of ones has singular values 2 cos(kπ/(2n + 1)), k = 1 … n. */
const ofOnes = (n: number): number[] => Array.from({ length: n }, (_, k) => 2 * Math.cos(((k + 1) * Math.PI) / (2 * n + 1)));

describe("singular values of a bidiagonal matrix", () => {
  it.each([1, 2, 3, 10, 257, 1000])("of ones, order %i, have full relative accuracy down to the smallest", (n) => {
    const found = valuesOf(new Array<number>(n).fill(1), new Array<number>(n - 1).fill(1));
    expect(worst(found, ofOnes(n))).toBeLessThan(n * 1e-15);
  });

  it("do not depend on the scale, even where squares would overflow", () => {
    for (const scale of [1e-300, 1e-160, 1e160, 1e300]) {
      const found = valuesOf(new Array<number>(50).fill(scale), new Array<number>(49).fill(scale));
      expect(worst(found.map((value) => value / scale), ofOnes(50))).toBeLessThan(1e-13);
    }
  });

  it("of a diagonal matrix are its entries", () => {
    expect(valuesOf([3, -1, 0, 2 ** -300, 7], [0, 0, 0, 0])).toEqual([7, 3, 1, 2 ** -300, 0]);
    expect(valuesOf([0, 0], [0])).toEqual([0, 0]);
  });

  it("fall apart at zeros of the superdiagonal, and one becomes zero for a zero of the diagonal", () => {
    const ones = new Array<number>(10).fill(1);
    const apart = valuesOf([...ones, ...ones], [...ones.slice(1), 0, ...ones.slice(1)]);
    expect(worst(apart, ofOnes(10).flatMap((value) => [value, value]))).toBeLessThan(1e-13);
    // With its middle entry zero, the matrix of ones falls into two blocks that are not square: one zero value.
    const found = valuesOf([...ones, 0, ...ones], new Array<number>(20).fill(1));
    expect(found.at(-1)).toBeLessThan(1e-150);
    expect(found.at(-2)).toBeGreaterThan(0.01);
  });

  it("keep a graded matrix's smallest values to full relative accuracy, whichever end is small", () => {
    const d = Array.from({ length: 60 }, (_, i) => 2 ** -i);
    const e = d.slice(1).map((value) => value / 2);
    const down = valuesOf(d, e);
    const up = valuesOf([...d].reverse(), [...e].reverse());
    expect(worst(up, down)).toBeLessThan(1e-13);
    // The determinant is the product of the diagonal.
    expect(Math.abs(down.reduce((sum, value) => sum + Math.log2(value), 0) / d.reduce((sum, value) => sum + Math.log2(value), 0) - 1)).toBeLessThan(1e-13);
  });

  it("agree with the QR iteration on random matrices, sloppier where asked", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer(), async (n, seed) => {
        const next = normal(seed);
        const d = Array.from({ length: n }, next);
        const e = Array.from({ length: n - 1 }, next);
        const data = new Float64Array(n * n);
        for (let i = 0; i < n; i++) data.set(i < n - 1 ? [d[i]!, e[i]!] : [d[i]!], i * n + i);
        const expected = await exactSolver.singularValues({ rows: n, columns: n, data });
        const largest = expected[0]!;
        for (const [accuracy, tolerance] of [[FULL_ACCURACY, 1e-13], [SINGLE_ACCURACY, 2e-9]] as const) {
          valuesOf(d, e, accuracy).forEach((value, i) => expect(Math.abs(value - expected[i]!) / largest).toBeLessThan(tolerance));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("refuse a matrix with a NaN instead of running for long", () => {
    expect(() => valuesOf([1, NaN, 1], [1, 1])).toThrow(/not finite/);
  });
});
