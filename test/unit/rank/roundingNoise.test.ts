import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactSolver } from "../../../src/linalg/exactSolver";
import { measureMatrix } from "../../../src/rank/measure";
import { relativeSpectrum } from "../../../src/rank/relativeSpectrum";
import { roundingNoise } from "../../../src/rank/roundingNoise";
import { gaussianMatrix, matrixOfSpectrum } from "../support/matrices";

/** To the nearest number with so many bits after the first. */
function rounded(value: number, bits: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - bits);
  return Math.round(value / unit) * unit;
}

const types = { bfloat16: 7, float16: 10, float32: 23 };

describe.each(Object.entries(types))("rounding to %s", (_type, bits) => {
  it("makes no singular values above what it is taken to make, of a matrix of low rank", async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 8, max: 60 }), fc.integer({ min: 8, max: 60 }), fc.integer({ min: 1, max: 6 }), fc.nat(1e6), async (rows, columns, rank, seed) => {
      const { data } = matrixOfSpectrum(rows, columns, Array.from({ length: rank }, (_, i) => 1 / (i + 1)), seed);
      const s = relativeSpectrum(await exactSolver.singularValues({ rows, columns, data: data.map((value) => rounded(value, bits)) }));
      const noise = roundingNoise(s, rows, columns, 2 ** -bits);
      expect(s.filter((value) => value > noise).length).toBe(rank);
    }));
  });

  it("leaves a noise floor that was there before to the noise models", async () => {
    const { rows, columns, data } = gaussianMatrix(200, 150, 8);
    const { measures } = await measureMatrix(exactSolver)(
      { rows, columns, data: data.map((value) => rounded(value, bits)) },
      { rows, columns, epsilon: 2 ** -bits, recurrent: false, breakEvenRank: null },
    );
    expect(measures).toMatchObject({ hardThresholdRank: 0, evbmfRank: 0, marchenkoPastur: { spikes: 0 } });
    expect(measures.powerLawAlpha).toEqual(expect.any(Number));
  });
});
