import { describe, expect, it } from "vitest";
import { BandStorage, bandLength, bandwidth } from "../../../../src/linalg/fast/band";
import { BandReduction } from "../../../../src/linalg/fast/bandReduction";
import { bandMemory, bandTriplets } from "../../../../src/linalg/fast/bandTriplets";
import { leadingBidiagonalVectors } from "../../../../src/linalg/fast/bidiagonalVectors";
import { TILE_SCRATCH, applyChase, keptLength, spareRows } from "../../../../src/linalg/fast/chaseReflectors";
import { KernelModule } from "../../../../src/linalg/fast/kernels";
import { plainGemm } from "../../../../src/linalg/fast/plainGemm";
import { ReflectorPanels } from "../../../../src/linalg/fast/reflectorPanels";
import { multiply, transposed } from "../../../../src/linalg/products";
import type { Matrix } from "../../../../src/linalg/matrix";
import { asFloat32, gaussianMatrix, matrixOfSpectrum } from "../../support/matrices";

const B = bandwidth("float32");
const module = new KernelModule();
/** Where norms are about one, of sums of some hundred products in float32. */
const ROUNDING = 2e-5;

describe("the reflectors that the chase keeps", () => {
  // Odd and even numbers of blocks: tiles join two by two.
  it.each([2, 3, 5, 6].map((blocks) => blocks * B))("turn the bidiagonal matrix's right side into the band's, order %i", (order) => {
    const dense = bandOf(order, 1);
    const size = spareRows(B);
    const [data, scratch, kept, tile] = module.allocate("float32", bandLength(order, B), TILE_SCRATCH * B, keptLength(order, B), size ** 2) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const band = new BandStorage(order, B, data);
    for (let i = 0; i < order; i++) for (let j = i; j < Math.min(order, i + B + 1); j++) data[i * 3 * B + j + B] = dense.data[i * order + j]!;
    const { diagonal, superdiagonal } = band.toBidiagonal(module, scratch, 0, kept);
    const rotation = identity(order, size);
    applyChase(kept, order, B, rotation, tile, scratch, plainGemm, module);
    const v: Matrix = { rows: order, columns: order, data: rotation.data.subarray(0, order * order) };

    const expected = oneByOne(kept, order);
    expect(furthest(v, expected)).toBeLessThan(ROUNDING);
    const turned = multiply(dense, v);
    expect(furthest(multiply(transposed(turned), turned), tridiagonal(diagonal, superdiagonal))).toBeLessThan(ROUNDING);
    expect(rotation.data.subarray(order * order).every((value) => value === 0)).toBe(true);
  });
});

describe("the reflectors of the first stage", () => {
  it.each([[5 * B, 3 * B], [4 * B, 4 * B], [2 * B, 6 * B]])("turn the band's columns into the short side of %i × %i", (rows, columns) => {
    const matrix = asFloat32(matrixOfSpectrum(rows, columns, Array.from({ length: Math.min(rows, columns) }, (_, i) => 1 / (1 + i / 10))));
    const order = Math.min(rows, columns);
    const panels = new ReflectorPanels(order, B);
    const reduction = new BandReduction(matrix, new Float32Array(rows * columns), plainGemm, module, 0, panels.add);
    reduction.run();
    const { data } = reduction.band;
    const band: Matrix = { rows: order, columns: order, data: new Float64Array(order * order) };
    for (let i = 0; i < order; i++) for (let j = i; j < Math.min(order, i + B + 1); j++) band.data[i * order + j] = data[i * 3 * B + j + B]!;
    const v = identity(order, 0);
    panels.apply(v, plainGemm);
    // AᵀA = V (BᵀB) Vᵀ, and AAᵀ for a wide matrix.
    const gram = rows >= columns ? multiply(transposed(matrix), matrix) : multiply(matrix, transposed(matrix));
    expect(furthest(multiply(multiply(transposed(v), gram), v), multiply(transposed(band), band))).toBeLessThan(ROUNDING);
  });
});

describe("the leading vectors of a bidiagonal matrix", () => {
  const n = 96;
  const cases: Record<string, { diagonal: (i: number) => number; above: (i: number) => number }> = {
    "of random entries": { diagonal: (i) => 1 + Math.sin(3 * i), above: (i) => 0.5 * Math.cos(7 * i) },
    "of equal values": { diagonal: () => 2, above: () => 0 },
    "that falls into equal parts": { diagonal: (i) => 3 + (i % 12), above: (i) => (i % 12 === 11 ? 0 : 1) },
    "with pairs of values closer than rounding": { diagonal: (i) => 2 + Math.abs(n / 2 - 0.5 - i), above: () => 1 },
    "that is graded": { diagonal: (i) => 0.5 ** i, above: (i) => 0.5 ** i },
    "with zeros at the end": { diagonal: (i) => (i < 60 ? 60 - i : 0), above: (i) => (i < 59 ? 1 : 0) },
  };

  it.each(Object.keys(cases))("have small residuals and are orthogonal: %s", (name) => {
    const { diagonal: of, above } = cases[name]!;
    const [diagonal, superdiagonal] = [Float64Array.from({ length: n }, (_, i) => of(i)), Float64Array.from({ length: n - 1 }, (_, i) => above(i))];
    const count = 22;
    const found = leadingBidiagonalVectors(diagonal, superdiagonal, count, 0, module)!;
    const z: Matrix = { rows: n, columns: found.columns, data: Float64Array.from(found.vectors) };
    const gram = tridiagonal(diagonal, superdiagonal);
    const image = multiply(gram, z);
    const scale = found.values[0]! ** 2;
    const residual = image.data.map((value, at) => value - found.values[at % z.columns]! ** 2 * z.data[at]!);
    expect(Math.max(...residual.map(Math.abs)) / scale).toBeLessThan(1e-6);
    expect(furthest(multiply(transposed(z), z), identity(z.columns, 0))).toBeLessThan(1e-5);
  });
});

describe("leading triplets by the two stages", () => {
  const memory = bandMemory(module);
  const of = (matrix: Matrix): Matrix & { readonly data: Float32Array } => ({ ...matrix, data: Float32Array.from(matrix.data) });

  it("are the same to the last digit whatever was computed before", () => {
    const matrix = of(gaussianMatrix(150, 110, 1));
    const first = bandTriplets(matrix, 30, plainGemm, memory)!;
    bandTriplets(of(gaussianMatrix(200, 190, 2)), 50, plainGemm, memory);
    expect(bandTriplets(matrix, 30, plainGemm, memory)).toEqual(first);
  });

  it("leave the matrix as it is and scale with it", () => {
    const plain = bandTriplets(of(gaussianMatrix(110, 150, 1)), 20, plainGemm, memory)!;
    const matrix = of({ ...gaussianMatrix(110, 150, 1), data: gaussianMatrix(110, 150, 1).data.map((value) => value * 2 ** -90) });
    const before = matrix.data.slice();
    const scaled = bandTriplets(matrix, 20, plainGemm, memory)!;
    expect(matrix.data).toEqual(before);
    scaled.values.forEach((value, k) => expect(Math.abs(value * 2 ** 90 - plain.values[k]!) / plain.values[0]!).toBeLessThan(1e-6));
  });

  it.each([
    ["all are asked for", gaussianMatrix(100, 120, 1), 100],
    ["nothing but rounding is left", matrixOfSpectrum(100, 120, [5, 4, 3, 2, 1]), 5],
    ["the last is rounding itself", matrixOfSpectrum(100, 120, [5, 4, 3, 2, 1]), 6],
    ["the last is too small beside the first", matrixOfSpectrum(100, 120, Array.from({ length: 100 }, (_, i) => (i < 40 ? 1 : 1e-5))), 50],
    ["there is nothing in the matrix", { rows: 100, columns: 120, data: new Float64Array(12_000) }, 3],
  ] as const)("are left to float64 where %s", (_, matrix, count) => {
    expect(bandTriplets(of(matrix), count, plainGemm, memory)).toBeNull();
  });
});

/** An upper band matrix with entries of about one / √(2B). */
function bandOf(order: number, seed: number): Matrix {
  const { data } = gaussianMatrix(order, order, seed);
  return { rows: order, columns: order, data: data.map((value, at) => (at % order >= Math.floor(at / order) && (at % order) - Math.floor(at / order) <= B ? value / Math.sqrt(2 * B) : 0)) };
}

/** H₀ H₁ … I, reflector by reflector: those of B sweeps at one step lie together, step after step, τ in the place of the unit entry. */
function oneByOne(kept: Float32Array, order: number): Matrix {
  const { rows, columns, data } = identity(order, 0);
  const blocks = order / B;
  const list: { readonly column: number; readonly reflector: Float32Array }[] = [];
  for (let sweep = 0; sweep < order - 1; sweep++) {
    const own = Math.floor(sweep / B);
    for (let step = 0; step < blocks - own; step++) {
      const place = Array.from({ length: own }, (_, k) => blocks - k).reduce((sum, steps) => sum + steps, step);
      const at = (place * B + (sweep % B)) * B;
      list.push({ column: sweep + 1 + step * B, reflector: kept.subarray(at, at + B) });
    }
  }
  for (const { column, reflector } of list.reverse()) {
    const v = Float64Array.from(reflector, (value, i) => (i === 0 ? 1 : value));
    const reach = Math.min(B, order - column);
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let i = 0; i < reach; i++) sum += v[i]! * data[(column + i) * columns + j]!;
      for (let i = 0; i < reach; i++) data[(column + i) * columns + j]! -= reflector[0]! * v[i]! * sum;
    }
  }
  return { rows, columns, data };
}

/** BᵀB */
function tridiagonal(diagonal: Float64Array, superdiagonal: Float64Array): Matrix {
  const n = diagonal.length;
  const b: Matrix = { rows: n, columns: n, data: new Float64Array(n * n) };
  for (let i = 0; i < n; i++) {
    b.data[i * n + i] = diagonal[i]!;
    if (i + 1 < n) b.data[i * n + i + 1] = superdiagonal[i]!;
  }
  return multiply(transposed(b), b);
}

function identity(order: number, spare: number): Matrix & { readonly data: Float32Array } {
  const data = new Float32Array((order + spare) * order);
  for (let i = 0; i < order; i++) data[i * order + i] = 1;
  return { rows: order, columns: order, data };
}

function furthest(a: Matrix, b: Matrix): number {
  return Float64Array.from(a.data).reduce((most, value, at) => Math.max(most, Math.abs(value - b.data[at]!)), 0);
}
