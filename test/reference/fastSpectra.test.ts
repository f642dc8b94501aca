import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exactSolver } from "../../src/linalg/exactSolver";
import { FastSolver } from "../../src/linalg/fast/fastSolver";
import type { Matrix } from "../../src/linalg/matrix";
import { asFloat32, copyOf, gaussianMatrix, matrixOfSpectrum } from "../unit/support/matrices";

/** Values that a layer of a model may have, made at the size of one. */
const spectra: Record<string, (rows: number, columns: number) => Matrix> = {
  "Marchenko–Pastur": (rows, columns) => gaussianMatrix(rows, columns, rows),
  "spiked": (rows, columns) => spiked(gaussianMatrix(rows, columns, 2)),
  "power law and noise": (rows, columns) => withNoise(matrixOfSpectrum(rows, columns, ofEach(rows, columns, (i) => (i + 1) ** -0.8)), 1e-3),
  "geometric decay to 1e-7": (rows, columns) => matrixOfSpectrum(rows, columns, ofEach(rows, columns, (i, count) => 1e-7 ** (i / count))),
  "exactly low rank": (rows, columns) => matrixOfSpectrum(rows, columns, ofEach(rows, columns, (i) => (i < 16 ? 1 + i : 0))),
  "clustered": (rows, columns) => matrixOfSpectrum(rows, columns, ofEach(rows, columns, (i, count) => [1, 0.5, 0.1][Math.floor((3 * i) / count)]!)),
  "rows of zeros": (rows, columns) => withZeroRows(gaussianMatrix(rows, columns, 3)),
};

const cases: { name: string; matrix: Matrix }[] = Object.entries(spectra).flatMap(([name, of]) =>
  ([[1000, 1000], [640, 1920]] as const).map(([rows, columns]) => ({ name: `${name}, ${rows} × ${columns}`, matrix: asFloat32(of(rows, columns)) })),
);
for (const scale of [1e30, 1e-30]) cases.push({ name: `entries of ${scale}, 700 × 600`, matrix: asFloat32(times(gaussianMatrix(700, 600, 4), scale)) });
for (const [rows, columns] of [[3073, 1025], [1025, 1537]] as const) {
  cases.push({ name: `Marchenko–Pastur, ${rows} × ${columns}`, matrix: asFloat32(gaussianMatrix(rows, columns, 5)) });
}
for (const [rows, columns] of [[1000, 1000], [1537, 1025], [3073, 400]] as const) {
  cases.push({ name: `float64 Marchenko–Pastur, ${rows} × ${columns}`, matrix: gaussianMatrix(rows, columns, 6) });
}

const solver = new FastSolver({ threads: 2, fallback: exactSolver });
let folder: string;
const expectedOf = (i: number): Float64Array => new Float64Array(new Uint8Array(readFileSync(join(folder, `${i}.values`))).buffer);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ranklens-spectra-"));
  const lines = cases.map(({ matrix: { rows, columns, data } }, i) => {
    writeFileSync(join(folder, String(i)), data);
    return `${join(folder, String(i))} ${data instanceof Float32Array ? "float32" : "float64"} ${rows} ${columns}\n`;
  });
  execFileSync("/usr/bin/python3", [join(import.meta.dirname, "fast_spectra.py")], { input: lines.join("") });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("fast spectra agree with LAPACK in float64", () => {
  it.each(cases.map(({ name }, i) => [name, i] as const))("%s", async (_, i) => {
    await expectPromises(cases[i]!.matrix, expectedOf(i));
  });
});

describe("fast spectra of layers at full size", () => {
  // LAPACK would take the better part of a minute for these; products of small spectra are known.
  it.each([[[64, 64], [64, 64]], [[7, 7], [439, 439]], [[12, 24], [64, 128]], [[43, 16], [256, 256]]] as const)("of the Kronecker product of %j and %j", async (first, second) => {
    const [b, c] = [gaussianMatrix(first[0], first[1], 10), gaussianMatrix(second[0], second[1], 11)];
    const [ofB, ofC] = [await exactSolver.singularValues(copyOf(b)), await exactSolver.singularValues(copyOf(c))];
    const expected = Float64Array.from([...ofB].flatMap((left) => [...ofC].map((right) => left * right))).sort().reverse();
    await expectPromises(kronecker(b, c), expected);
  });
});

async function expectPromises(matrix: Matrix, expected: Float64Array): Promise<void> {
  const found = await solver.singularValues(copyOf(matrix));
  const promise = matrix.data instanceof Float32Array ? { values: 1e-6, nuclear: 5e-7, effective: 2e-6 } : { values: 1e-13, nuclear: 1e-13, effective: 1e-12 };
  const furthest = found.reduce((most, value, k) => Math.max(most, Math.abs(value - expected[k]!)), 0);
  expect(found).toHaveLength(expected.length);
  expect(furthest / expected[0]!, "max |Δσ|/σ₁").toBeLessThanOrEqual(promise.values);
  expect(Math.abs(sum(found) / sum(expected) - 1), "nuclear norm").toBeLessThanOrEqual(promise.nuclear);
  expect(Math.abs(effectiveRank(found) / effectiveRank(expected) - 1), "effective rank").toBeLessThanOrEqual(promise.effective);
}

function ofEach(rows: number, columns: number, value: (i: number, count: number) => number): number[] {
  const count = Math.min(rows, columns);
  return Array.from({ length: count }, (_, i) => value(i, count));
}

function spiked({ rows, columns, data }: Matrix): Matrix {
  for (let k = 0; k < data.length; k++) data[k]! += 0.5 * Math.sin(Math.floor(k / columns)) * Math.cos(k % columns);
  return { rows, columns, data };
}

function withNoise({ rows, columns, data }: Matrix, size: number): Matrix {
  const noise = gaussianMatrix(rows, columns, 9).data;
  for (let k = 0; k < data.length; k++) data[k]! += (size * noise[k]!) / Math.sqrt(columns);
  return { rows, columns, data };
}

function withZeroRows({ rows, columns, data }: Matrix): Matrix {
  for (let i = 0; i < rows; i += 3) data.fill(0, i * columns, (i + 1) * columns);
  return { rows, columns, data };
}

function times({ rows, columns, data }: Matrix, factor: number): Matrix {
  return { rows, columns, data: data.map((value) => value * factor) };
}

/** B ⊗ C in float32: its singular values are all products of theirs. */
function kronecker(b: Matrix, c: Matrix): Matrix {
  const [rows, columns] = [b.rows * c.rows, b.columns * c.columns];
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const left = b.data[Math.floor(i / c.rows) * b.columns + Math.floor(j / c.columns)]!;
      data[i * columns + j] = left * c.data[(i % c.rows) * c.columns + (j % c.columns)]!;
    }
  }
  return { rows, columns, data };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function effectiveRank(values: Float64Array): number {
  const total = sum(values);
  return Math.exp(-values.reduce((entropy, value) => (value > 0 ? entropy + (value / total) * Math.log(value / total) : entropy), 0));
}
