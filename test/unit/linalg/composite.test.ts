import { describe, expect, it } from "vitest";
import { fullRankOf, mapLeaves, sizeOf, type Composite, type Size } from "../../../src/linalg/composite";
import { estimateCompositeCost } from "../../../src/linalg/compositeCost";
import { coreOf, kroneckerSpectrum } from "../../../src/linalg/compositeCore";
import { estimateCost, exactSolver } from "../../../src/linalg/exactSolver";
import type { Matrix } from "../../../src/linalg/matrix";
import { matrixOfSpectrum, scaledBy, transposed } from "../support/matrices";

const leaf = (matrix: Matrix): Composite<Matrix> => ({ op: "matrix", leaf: matrix });
const sized = (rows: number, columns: number): Composite<Size> => ({ op: "matrix", leaf: { rows, columns } });
const product = <Leaf>(...factors: Composite<Leaf>[]): Composite<Leaf> => ({ op: "product", factors });
const spectrum = async (composite: Composite<Matrix>) => [...await exactSolver.singularValues(coreOf(composite))];

/** Columns of norm 1, orthogonal to each other. */
const orthonormal = (rows: number, columns: number, seed: number) => matrixOfSpectrum(rows, columns, Array.from({ length: columns }, () => 1), seed);

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => { expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-13 * expected[0]!); });
}

describe("a product of factors", () => {
  it("has the singular values that stand between orthonormal ones, in a core as small as its rank", async () => {
    const middle = matrixOfSpectrum(5, 5, [9, 4, 2, 1, 0.25], 3);
    const composite = product(leaf(orthonormal(200, 5, 1)), leaf(middle), leaf(transposed(orthonormal(300, 5, 2))));
    expect(coreOf(composite)).toMatchObject({ rows: 5, columns: 5 });
    expectNear(await spectrum(composite), [9, 4, 2, 1, 0.25]);
  });

  it("keeps values far below and far above one", async () => {
    for (const scale of [1e-30, 1e-60, 1e60]) {
      const composite = product(leaf(scaledBy(orthonormal(40, 3, 1), scale)), leaf(scaledBy(matrixOfSpectrum(3, 30, [3, 2, 1], 2), scale)));
      expectNear((await spectrum(composite)).map((value) => value / scale / scale), [3, 2, 1]);
    }
  });

  it("of a zero factor is zero", async () => {
    expect(await spectrum(product(leaf({ rows: 20, columns: 2, data: new Float32Array(40) }), leaf(matrixOfSpectrum(2, 20, [2, 1]))))).toEqual([0, 0]);
  });

  it("with a diagonal scales what is between", async () => {
    const composite = product(leaf(orthonormal(30, 3, 1)), { op: "diagonal", leaf: { rows: 3, columns: 1, data: Float32Array.of(0.5, -7, 2) } }, leaf(transposed(orthonormal(20, 3, 2))));
    expectNear(await spectrum(composite), [7, 2, 0.5]);
  });

  it("repeats the singular values of what is repeated", async () => {
    const composite = product(leaf(orthonormal(30, 6, 1)), { op: "kronecker", factors: [{ op: "identity", size: 3 }, leaf(matrixOfSpectrum(2, 25, [5, 3], 4))] });
    expect(coreOf(composite)).toMatchObject({ rows: 6, columns: 6 });
    expectNear(await spectrum(composite), [5, 5, 5, 3, 3, 3]);
  });
});

describe("an entry-by-entry product", () => {
  const signs = (length: number): Matrix => ({ rows: length, columns: 1, data: Float64Array.from({ length }, (_, i) => (i % 3 === 0 ? -1 : 1)) });

  it("with a matrix of signs in rows and columns keeps the spectrum", async () => {
    const composite: Composite<Matrix> = { op: "hadamard", factors: [
      product(leaf(orthonormal(40, 3, 1)), leaf(matrixOfSpectrum(3, 50, [4, 2, 1], 2))), product(leaf(signs(40)), leaf(transposed(signs(50)))),
    ] };
    expect(coreOf(composite)).toMatchObject({ rows: 3, columns: 3 });
    expectNear(await spectrum(composite), [4, 2, 1]);
  });

  it("whose ranks multiply to no less than its sides is formed", () => {
    const factor = product(leaf(matrixOfSpectrum(8, 3, [1, 1, 1])), leaf(matrixOfSpectrum(3, 9, [1, 1, 1])));
    expect(coreOf({ op: "hadamard", factors: [factor, factor] })).toMatchObject({ rows: 8, columns: 9 });
  });
});

it("A Kronecker product has all products of singular values, largest first", () => {
  expect([...kroneckerSpectrum(Float64Array.of(3, 1), Float64Array.of(10, 5, 1))]).toEqual([30, 15, 10, 5, 3, 1]);
});

describe("sizes and ranks follow from the factors'", () => {
  it.each<[string, Composite<Size>, Size | null, number]>([
    ["a product", product(sized(64, 4), sized(4, 100)), { rows: 64, columns: 100 }, 4],
    ["a product of more rank than its sides", product(sized(3, 4), sized(4, 100)), { rows: 3, columns: 100 }, 3],
    ["a product that does not fit", product(sized(64, 4), sized(5, 100)), null, 0],
    ["entries times entries", { op: "hadamard", factors: [product(sized(64, 4), sized(4, 100)), product(sized(64, 3), sized(3, 100))] }, { rows: 64, columns: 100 }, 12],
    ["entries times entries of another size", { op: "hadamard", factors: [sized(64, 4), sized(4, 64)] }, null, 0],
    ["a Kronecker product", { op: "kronecker", factors: [sized(4, 8), sized(16, 6)] }, { rows: 64, columns: 48 }, 24],
    ["a Kronecker product of what does not fit", { op: "kronecker", factors: [product(sized(4, 8), sized(9, 2)), sized(16, 6)] }, null, 0],
  ])("%s", (_what, composite, size, rank) => {
    expect(sizeOf(composite)).toEqual(size);
    expect(fullRankOf(composite)).toBe(rank);
  });

  it("and are those of the leaves' own matrices", () => {
    expect(mapLeaves(product(leaf(orthonormal(7, 2, 1)), { op: "identity", size: 2 }), ({ rows }) => rows)).toEqual(product({ op: "matrix", leaf: 7 }, { op: "identity", size: 2 }));
  });
});

it("Two thin factors cost a small part of what their product would", () => {
  expect(estimateCompositeCost(product(sized(3072, 64), sized(64, 3072)))).toBeLessThan(estimateCost(3072, 3072) / 100);
});
