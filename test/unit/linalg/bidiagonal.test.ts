import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bidiagonalize } from "../../../src/linalg/bidiagonalize";
import { bidiagonalSingularValues } from "../../../src/linalg/bidiagonalSingularValues";
import { triangularFactor } from "../../../src/linalg/triangularFactor";
import { tallView } from "../../../src/linalg/tallView";
import { triangularPair } from "../../../src/linalg/triangularPair";
import { gaussianMatrix } from "../support/matrices";

const entry = fc.oneof(fc.constant(0), fc.double({ min: -4, max: 4, noNaN: true }), fc.double({ min: -1e-9, max: 1e-9, noNaN: true }));
const bidiagonal = fc.array(entry, { minLength: 1, maxLength: 41 }).map((entries) => {
  const n = Math.ceil(entries.length / 2);
  return { diagonal: Float64Array.from(entries.slice(0, n)), above: Float64Array.from({ length: n - 1 }, (_, i) => entries[n + i] ?? 1) };
});
const values = ({ diagonal, above }: { diagonal: Float64Array; above: Float64Array }) =>
  bidiagonalSingularValues({ diagonal: diagonal.slice(), above: above.slice() });
const sum = (numbers: Float64Array, power: number) => numbers.reduce((total, value) => total + Math.abs(value) ** power, 0);

describe("the singular values of a bidiagonal matrix", () => {
  it("carry its norm and its determinant, split and singular ones included", () => {
    fc.assert(fc.property(bidiagonal, (matrix) => {
      const computed = values(matrix);
      const norm = sum(matrix.diagonal, 2) + sum(matrix.above, 2);
      expect(Math.abs(sum(computed, 2) - norm)).toBeLessThanOrEqual(1e-13 * norm);
      expect(computed.every((value, i) => value >= 0 && (i === 0 || value <= computed[i - 1]!))).toBe(true);
    }), { numRuns: 500 });
  });

  it("are accurate each by itself, however small: their product is that of the diagonal", () => {
    for (const ratio of [1e-3, 1e-12, 1e3]) {
      const n = 12;
      const diagonal = Float64Array.from({ length: n }, (_, i) => ratio ** i);
      const above = diagonal.slice(1);
      const logs = (numbers: Float64Array) => numbers.reduce((total, value) => total + Math.log(value), 0);
      expect(Math.abs(logs(values({ diagonal, above })) - logs(diagonal))).toBeLessThan(1e-12);
    }
  });

  it("of a diagonal matrix are its entries", () => {
    expect([...values({ diagonal: Float64Array.of(-2, 0, 5, 5), above: new Float64Array(3) })]).toEqual([5, 5, 2, 0]);
  });

  it("of the second difference matrix are 2 cos of the known angles", () => {
    const n = 50;
    const computed = values({ diagonal: new Float64Array(n).fill(1), above: new Float64Array(n - 1).fill(1) });
    computed.forEach((value, i) => expect(value).toBeCloseTo(2 * Math.cos(((i + 1) * Math.PI) / (2 * n + 1)), 13));
  });

  it("of a 2 × 2 block have its determinant, whatever the sizes of its entries", () => {
    // From 1e-100 to 1e100: the smaller value stays a normal number.
    const size = fc.double({ min: -200, max: 200, noNaN: true }).map((exponent) => 10 ** (exponent / 2));
    fc.assert(fc.property(size, size, size, (f, g, h) => {
      const { larger, smaller } = triangularPair(f, g, h);
      expect((smaller / f) * (larger / h)).toBeCloseTo(1, 12);
      expect(larger).toBeGreaterThanOrEqual(Math.max(f, g, h) * (1 - 1e-15));
      expect(larger).toBeLessThanOrEqual((f + g + h) * (1 + 1e-15));
    }));
  });
});

describe("the reductions", () => {
  const squares = (numbers: Float64Array) => sum(numbers, 2);

  it("keep the norm and never touch what follows from dead rows: no NaN", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 20 }), fc.nat(1000), (n, more, seed) => {
      const { data } = gaussianMatrix(n + more, n, seed);
      data.forEach((_, i) => { if (Math.floor(i / n) % 3 === 1) data[i] = 0; });
      const norm = squares(data);
      const { diagonal, above } = bidiagonalize(data, n + more, n);
      expect(Math.abs(squares(diagonal) + squares(above) - norm)).toBeLessThanOrEqual(1e-13 * norm);
    }));
  });

  it("read a tall matrix in blocks of half a megabyte, and keep only its triangle", () => {
    const { data } = gaussianMatrix(20_000, 8, 6);
    const view = tallView({ rows: 20_000, columns: 8, data });
    let largest = 0;
    let rows = 0;
    const factor = triangularFactor({ ...view, copyRows: (first, count, target) => {
      largest = Math.max(largest, target.byteLength);
      rows += count;
      view.copyRows(first, count, target);
    } });
    expect(largest).toBeLessThanOrEqual(512 * 1024);
    expect(rows).toBe(20_000);
    expect(factor.length).toBe(64);
    expect(factor.every((value, i) => i % 8 >= Math.floor(i / 8) || value === 0)).toBe(true);
    // RᵀR = AᵀA, here its first entry.
    const column = data.filter((_, i) => i % 8 === 0);
    expect((factor[0]! * view.unit) ** 2 / squares(column)).toBeCloseTo(1, 12);
  });
});
