import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FastSvd } from "../../src/linalg/fast/truncatedSvd";
import type { Matrix } from "../../src/linalg/matrix";
import { asFloat32, gaussianMatrix, matrixOfSpectrum, scaledBy } from "../unit/support/matrices";

/** Figures of leading_triplets.py. */
interface Found {
  /** ‖A − U Σ Vᵀ‖ less what the best matrix of that rank leaves, as part of ‖A‖. */
  readonly excess: number;
  /** max |Δσ|/σ₁ */
  readonly values: number;
  /** max |VᵀV − I| of the shorter side. */
  readonly nearDefect: number;
  /** The same of the longer side, times σ_r/σ₁: these are images, whose rounding is one of A. */
  readonly farDefect: number;
}

const ofSpectrum = (value: (part: number, i: number) => number) => (rows: number, columns: number): Matrix => {
  const count = Math.min(rows, columns);
  return matrixOfSpectrum(rows, columns, Array.from({ length: count }, (_, i) => value(i / count, i)));
};

const spectra: Record<string, (rows: number, columns: number) => Matrix> = {
  "Marchenko–Pastur": (rows, columns) => gaussianMatrix(rows, columns, rows),
  "spiked": (rows, columns) => plus(gaussianMatrix(rows, columns, 2), (i, j) => 0.5 * Math.sin(i) * Math.cos(j)),
  "a power law over noise": (rows, columns) => withNoise(ofSpectrum((_, i) => (i + 1) ** -0.8)(rows, columns), 1e-2),
  "geometric decay to 1e-7": ofSpectrum((part) => 1e-7 ** part),
  "clustered": ofSpectrum((part) => [1, 0.5, 0.1][Math.floor(3 * part)]!),
  "all equal": ofSpectrum(() => 3),
  "exactly low rank": ofSpectrum((_, i) => (i < 100 ? 1 + i / 100 : 0)),
  "rows of zeros": (rows, columns) => plus(gaussianMatrix(rows, columns, 3), (i, _, value) => (i % 3 === 0 ? -value : 0)),
  "a diagonal": (rows, columns) => plus({ rows, columns, data: new Float64Array(rows * columns) }, (i, j) => (i === j ? 1 + (i % 7) : 0)),
  "blocks side by side that are the same": (rows, columns) => plus({ rows, columns, data: new Float64Array(rows * columns) }, (i, j) => (i >> 5 === j >> 5 ? Math.sin((i & 31) * 32 + (j & 31)) : 0)),
};

const cases = [
  ...Object.keys(spectra).map((name) => ({ name, rows: 1000, columns: 1000, rank: 250 })),
  // Within a cluster, where float32 alone says which of its vectors are the leading ones.
  { name: "clustered", rows: 1000, columns: 1000, rank: 500 },
  { name: "exactly low rank", rows: 1000, columns: 1000, rank: 60 },
  { name: "exactly low rank", rows: 1000, columns: 1000, rank: 100 },
  { name: "a power law over noise", rows: 2048, columns: 2048, rank: 511 },
  { name: "clustered", rows: 1024, columns: 1024, rank: 1024 },
  { name: "Marchenko–Pastur", rows: 1024, columns: 1024, rank: 900 },
  { name: "Marchenko–Pastur", rows: 3073, columns: 1025, rank: 300 },
  { name: "clustered", rows: 3072, columns: 768, rank: 300 },
  { name: "spiked", rows: 768, columns: 3072, rank: 301 },
  { name: "Marchenko–Pastur", rows: 1025, columns: 1537, rank: 7 },
  { name: "clustered", rows: 641, columns: 999, rank: 320 },
].map((each) => ({ ...each, title: `${each.name}, ${each.rows} × ${each.columns}, rank ${each.rank}`, matrix: asFloat32(spectra[each.name]!(each.rows, each.columns)) }));
for (const scale of [1e30, 1e-30]) cases.push({ name: "scaled", rows: 700, columns: 600, rank: 150, title: `entries of ${scale}`, matrix: asFloat32(scaledBy(gaussianMatrix(700, 600, 4), scale)) });

const svd = new FastSvd(2, () => undefined);
let folder: string;
let found: readonly Found[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ranklens-triplets-"));
  let lines = "";
  for (const [index, { matrix, rank }] of cases.entries()) {
    const path = join(folder, String(index));
    const { values, left, right } = await svd.truncate(matrix, rank);
    writeFileSync(path, matrix.data);
    for (const [name, data] of Object.entries({ values, left, right })) writeFileSync(`${path}.${name}`, data);
    lines += `${path} ${matrix.rows} ${matrix.columns} ${rank}\n`;
  }
  found = JSON.parse(execFileSync("/usr/bin/python3", [join(import.meta.dirname, "leading_triplets.py")], { input: lines, encoding: "utf8" })) as Found[];
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("leading triplets of large float32 matrices leave no more than LAPACK's", () => {
  it.each(cases.map(({ title }, index) => [title, index] as const))("%s", (_, index) => {
    const { excess, values, nearDefect, farDefect } = found[index]!;
    expect(Math.abs(excess), "what is left beyond the least").toBeLessThanOrEqual(1e-6);
    expect(values, "max |Δσ|/σ₁").toBeLessThanOrEqual(1e-6);
    expect(nearDefect, "orthonormality of the shorter side").toBeLessThanOrEqual(1e-6);
    expect(farDefect, "orthonormality of the longer side").toBeLessThanOrEqual(2e-6);
  });
});

function plus({ rows, columns, data }: Matrix, added: (i: number, j: number, value: number) => number): Matrix {
  return { rows, columns, data: Float64Array.from(data, (value, at) => value + added(Math.floor(at / columns), at % columns, value)) };
}

function withNoise(matrix: Matrix, size: number): Matrix {
  const noise = gaussianMatrix(matrix.rows, matrix.columns, 9).data;
  return plus(matrix, (i, j) => (size * noise[i * matrix.columns + j]!) / Math.sqrt(matrix.columns));
}
