import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactSolver } from "../../../src/linalg/exactSolver";
import type { Matrix } from "../../../src/linalg/matrix";
import { breakEvenRank } from "../../../src/rank/breakEven";
import { evbmfRank } from "../../../src/rank/evbmf";
import { hardThresholdRank } from "../../../src/rank/hardThreshold";
import { marchenkoPasturBulk } from "../../../src/rank/marchenkoPastur";
import { lowerEdge, marchenkoPasturShare, upperEdge } from "../../../src/rank/marchenkoPasturLaw";
import { powerLaw } from "../../../src/rank/powerLaw";
import { relativeSpectrum } from "../../../src/rank/relativeSpectrum";
import { gaussianMatrix, matrixOfSpectrum } from "../support/matrices";

/** Relative size of rounding in a float32 matrix of these shapes. */
const ROUNDING = 1e-7;
const relative = async (matrix: Matrix) => relativeSpectrum(await exactSolver.singularValues({ ...matrix, data: matrix.data.slice() }));

/** White noise of variance 1 plus a low-rank signal of given singular values, in units of the noise's own largest, √m + √n. */
function signalInNoise(rows: number, columns: number, signal: number[], seed: number): Matrix {
  const edge = Math.sqrt(rows) + Math.sqrt(columns);
  const { data } = matrixOfSpectrum(rows, columns, signal.map((value) => value * edge), seed);
  return { rows, columns, data: gaussianMatrix(rows, columns, seed + 1).data.map((value, i) => value + data[i]!) };
}

const shapes = [[60, 60], [40, 160], [160, 40]] as const;

describe.each(shapes)("white noise of %i × %i", (rows, columns) => {

  it("has no component that any of the noise models keeps", async () => {
    const s = await relative(gaussianMatrix(rows, columns, 77));
    expect(hardThresholdRank(s, rows, columns, ROUNDING)?.count).toBe(0);
    expect(evbmfRank(s, rows, columns, ROUNDING).count).toBe(0);
    const bulk = marchenkoPasturBulk(s, rows, columns, ROUNDING)!;
    expect(bulk.spikes).toBe(0);
    expect(bulk.softRank).toBeGreaterThan(0.9);
    expect(bulk.softRank).toBeLessThan(1.3);
  });

  it("with three strong components has three, the bulk's edge up to the one that fluctuates across it", async () => {
    const s = await relative(signalInNoise(rows, columns, [8, 5, 3], 21));
    expect(hardThresholdRank(s, rows, columns, ROUNDING)?.count).toBe(3);
    expect(evbmfRank(s, rows, columns, ROUNDING).count).toBe(3);
    const { spikes } = marchenkoPasturBulk(s, rows, columns, ROUNDING)!;
    expect(spikes).toBeGreaterThanOrEqual(3);
    expect(spikes).toBeLessThanOrEqual(4);
  });

  it("is bounded by the edge that the law puts at s(√m + √n)", async () => {
    const matrix = signalInNoise(rows, columns, [6], 5);
    const first = (await exactSolver.singularValues({ ...matrix, data: matrix.data.slice() }))[0]!;
    const edge = marchenkoPasturBulk(await relative(matrix), rows, columns, ROUNDING)!.edge * first;
    expect(edge / (Math.sqrt(rows) + Math.sqrt(columns))).toBeGreaterThan(0.9);
    expect(edge / (Math.sqrt(rows) + Math.sqrt(columns))).toBeLessThan(1.1);
  });
});

describe("the hard threshold", () => {
  // ω(1) = 0.56 − 0.95 + 1.82 + 1.43, ω(1/4) = 0.56/64 − 0.95/16 + 1.82/4 + 1.43
  it.each([[9, 9, 2.86], [9, 36, 1.834375]])("of %i × %i lies at %d times the median", (rows, columns, omega) => {
    const around = (size: number) => Float64Array.of(10, 8, 6, size, 1, 1, 1, 0.9, 0.8).map((value) => value / 10);
    expect(hardThresholdRank(around(omega + 0.001), rows, columns, ROUNDING)?.count).toBe(4);
    expect(hardThresholdRank(around(omega - 0.001), rows, columns, ROUNDING)?.count).toBe(3);
    expect(hardThresholdRank(around(omega), rows, columns, ROUNDING)?.tie).toBe(true);
  });
});

describe("a matrix of exactly low rank, without noise", () => {
  it("has no hard threshold, its own rank by EVBMF, and no bulk", async () => {
    const s = await relative(matrixOfSpectrum(96, 80, Array.from({ length: 20 }, (_, i) => 1 + i / 20), 3));
    expect(hardThresholdRank(s, 96, 80, ROUNDING)).toBeNull();
    expect(evbmfRank(s, 96, 80, ROUNDING).count).toBe(20);
    expect(marchenkoPasturBulk(s, 96, 80, ROUNDING)).toBeNull();
  });
});

describe("the Marchenko–Pastur law", () => {
  const beta = fc.double({ min: 1e-4, max: 1, noNaN: true });

  it("has all of its mass between its edges, and grows from one to the other", () => {
    fc.assert(fc.property(beta, fc.double({ min: 0, max: 1, noNaN: true }), (b, t) => {
      expect(marchenkoPasturShare(lowerEdge(b), b)).toBe(0);
      expect(marchenkoPasturShare(upperEdge(b), b)).toBe(1);
      const x = lowerEdge(b) + t * (upperEdge(b) - lowerEdge(b));
      const share = marchenkoPasturShare(x, b);
      expect(share).toBeGreaterThanOrEqual(-1e-10);
      expect(share).toBeLessThanOrEqual(1 + 1e-10);
      expect(marchenkoPasturShare(x * 1.001, b)).toBeGreaterThanOrEqual(share - 1e-10);
    }));
  });

  it("has the density √((b − x)(x − a)) / 2πβx", () => {
    fc.assert(fc.property(fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0.05, max: 0.95, noNaN: true }), (b, t) => {
      const [low, high] = [lowerEdge(b), upperEdge(b)];
      const x = low + t * (high - low);
      const step = 1e-5 * (high - low);
      const slope = (marchenkoPasturShare(x + step, b) - marchenkoPasturShare(x - step, b)) / (2 * step);
      expect(slope * (2 * Math.PI * b * x) / Math.sqrt((high - x) * (x - low))).toBeCloseTo(1, 4);
    }));
  });

  it("is found in no power law, no equal values, and no ten of anything but noise", () => {
    const bulk = (values: number[], rows: number) => marchenkoPasturBulk(relativeSpectrum(Float64Array.from(values)), rows, values.length, 1e-5);
    expect(bulk(Array.from({ length: 200 }, (_, i) => (i + 1) ** -1), 200)).toBeNull();
    expect(bulk(new Array<number>(50).fill(1), 50)).toBeNull();
    expect(bulk([5, 4, 3, 2, 1], 5)).toBeNull();
  });
});

describe("the power law", () => {
  /** Singular values whose eigenvalues are the quantiles of a Pareto law from λ_min = 1. */
  const pareto = (n: number, alpha: number) => Float64Array.from({ length: n }, (_, i) => Math.sqrt(((i + 0.5) / n) ** (-1 / (alpha - 1))));

  it.each([1.8, 2.5, 4])("of exponent %d is found from its quantiles", (alpha) => {
    expect(powerLaw(relativeSpectrum(pareto(800, alpha)), 1e-7)!.alpha / alpha).toBeCloseTo(1, 1.5);
  });

  it("is found in the tail above a bulk that follows none", () => {
    const tail = pareto(400, 3);
    const bulk = Float64Array.from({ length: 400 }, (_, i) => 1 - (i / 400) ** 0.3 * 0.5);
    const all = Float64Array.from([...tail, ...bulk]).sort().reverse();
    expect(powerLaw(relativeSpectrum(all), 1e-7)!.alpha).toBeGreaterThan(2.7);
    expect(powerLaw(relativeSpectrum(all), 1e-7)!.alpha).toBeLessThan(3.3);
  });

  it("has no exponent for fewer than ten eigenvalues, nor for equal ones", () => {
    expect(powerLaw(Float64Array.of(1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2), 1e-7)).toBeNull();
    expect(powerLaw(new Float64Array(40).fill(1).map((value, i) => value - i * 1e-9), 1e-7)).toBeNull();
  });

  it("leaves numerically zero values out", () => {
    const s = relativeSpectrum(pareto(60, 2));
    const padded = Float64Array.from({ length: 90 }, (_, i) => s[i] ?? 1e-12);
    expect(powerLaw(padded, 1e-7)).toEqual(powerLaw(s, 1e-7));
  });
});

describe("the break-even rank", () => {
  it("is the first at which two factors save nothing", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 5000 }), (m, n) => {
      const rank = breakEvenRank(m, n);
      if (rank > 0) expect((rank - 1) * (m + n)).toBeLessThan(m * n);
      expect((rank + 1) * (m + n)).toBeGreaterThan(m * n);
    }));
  });
});
