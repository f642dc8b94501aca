import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exactSolver } from "../../src/linalg/exactSolver";
import type { Matrix } from "../../src/linalg/matrix";
import { measureMatrix } from "../../src/rank/measure";
import type { Measured } from "../../src/rank/spectrum";
import { asFloat32, copyOf, gaussianMatrix, matrixOfSpectrum, scaledBy } from "../unit/support/matrices";
import { type Reference, disagreements } from "./disagreements";

/** Everything that a file's matrix can be, by construction. */
const shapes = [[1, 1], [1, 7], [9, 1], [2, 2], [2, 5], [31, 33], [257, 64], [64, 257], [300, 300], [768, 96]] as const;
type Spectrum = (k: number, i: number) => number;
const spectra: Record<string, Spectrum> = {
  "power law": (_k, i) => (i + 1) ** -0.7,
  "geometric decay to 1e-9": (k, i) => 1e-9 ** (i / Math.max(1, k - 1)),
  "all equal": () => 0.3,
  "clusters": (k, i) => [1, 0.5, 0.1][Math.floor((3 * i) / k)]!,
  "exactly low rank": (k, i) => (i < k / 4 ? 1 + i : 0),
  "one dominant": (_k, i) => (i === 0 ? 100 : 1 / (i + 2)),
};

const cases: { name: string; matrix: Matrix; recurrent: boolean }[] = [];
for (const [rows, columns] of shapes) {
  const k = Math.min(rows, columns);
  for (const [name, value] of Object.entries(spectra)) {
    const exact = matrixOfSpectrum(rows, columns, Array.from({ length: k }, (_, i) => value(k, i)), rows + columns);
    cases.push({ name: `${name}, ${rows} × ${columns}, float32`, matrix: asFloat32(exact), recurrent: rows === columns });
    if (name !== "power law") cases.push({ name: `${name}, ${rows} × ${columns}, float64`, matrix: exact, recurrent: false });
  }
  const noise = gaussianMatrix(rows, columns, rows * columns);
  cases.push({ name: `noise, ${rows} × ${columns}`, matrix: asFloat32(noise), recurrent: rows === columns });
  cases.push({ name: `noise with spikes, ${rows} × ${columns}`, matrix: asFloat32(spiked(noise)), recurrent: false });
  for (const from of [1, 1.05, 1.1]) cases.push({ name: `noise with components about its edge from ${from} on, ${rows} × ${columns}`, matrix: asFloat32(withWeakComponents(noise, from)), recurrent: false });
  cases.push({ name: `dead rows, ${rows} × ${columns}`, matrix: asFloat32(withDeadRows(noise)), recurrent: false });
  for (const scale of [1e30, 1e-30, 1e-42]) cases.push({ name: `noise · ${scale}, ${rows} × ${columns}, float32`, matrix: asFloat32(scaledBy(noise, scale)), recurrent: true });
  for (const scale of [1e300, 1e-300]) cases.push({ name: `noise · ${scale}, ${rows} × ${columns}, float64`, matrix: scaledBy(noise, scale), recurrent: true });
  cases.push({ name: `zero, ${rows} × ${columns}`, matrix: asFloat32(scaledBy(noise, 0)), recurrent: true });
}
cases.push({ name: "a value on the numerical tolerance", matrix: diagonal([1, 0.5, 0.25, 8 * 2 ** -23, 0, 0, 0, 0]), recurrent: false });
cases.push({ name: "an energy rank on its threshold", matrix: diagonal(Array.from({ length: 10 }, () => 1)), recurrent: true });
cases.push({ name: "a rotation: complex eigenvalues", matrix: { rows: 2, columns: 2, data: Float32Array.of(0, -2, 2, 0) }, recurrent: true });

let references: Reference[] = [];
let measured: Measured[] = [];
const folder = mkdtempSync(join(tmpdir(), "ranklens-measures-"));

beforeAll(async () => {
  const request = cases.map(({ matrix, recurrent }, i) => {
    const file = join(folder, String(i));
    writeFileSync(file, new Uint8Array(matrix.data.buffer, matrix.data.byteOffset, matrix.data.byteLength));
    return { rows: matrix.rows, columns: matrix.columns, dtype: matrix.data instanceof Float32Array ? "float32" : "float64", file, recurrent };
  });
  const answer = execFileSync("/usr/bin/python3", [join(import.meta.dirname, "measures.py")], { input: JSON.stringify(request), maxBuffer: 2 ** 28, env: { ...process.env, OPENBLAS_NUM_THREADS: "1" } });
  references = JSON.parse(answer.toString()) as Reference[];
  const measure = measureMatrix(exactSolver);
  measured = await Promise.all(cases.map(({ matrix, recurrent }) =>
    measure(copyOf(matrix), { rows: matrix.rows, columns: matrix.columns, epsilon: matrix.data instanceof Float32Array ? 2 ** -23 : 2 ** -52, recurrent, breakEvenRank: null })));
}, 170_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("every measure, against numpy and scipy", () => {
  it.each(cases.map(({ name }, i) => [name, i] as const))("%s", (_name, i) => {
    expect(disagreements(measured[i]!.measures, references[i]!, 1e-6)).toEqual([]);
  });

  it.each(cases.map(({ name }, i) => [name, i] as const))("%s: all singular values, to 1e-13 of the largest", (_name, i) => {
    const expected = references[i]!.singularValues;
    const computed = measured[i]!.singularValues;
    expect(computed.length).toBe(expected.length);
    expect(Math.max(...expected.map((value, k) => Math.abs(value - computed[k]!)))).toBeLessThanOrEqual(1e-13 * expected[0]! + Number.MIN_VALUE);
  });

  it("tells the ties that were built in", () => {
    const ties = (name: string) => measured[cases.findIndex((c) => c.name === name)]!.measures.ties;
    expect(ties("a value on the numerical tolerance")).toContain("numericalRank");
    expect(ties("an energy rank on its threshold")).toContain("energyRank0.9");
  });
});

function spiked({ rows, columns, data }: Matrix): Matrix {
  const spikes = matrixOfSpectrum(rows, columns, [40, 25].slice(0, Math.min(rows, columns)), 5);
  return { rows, columns, data: spikes.data.map((value, i) => value * Math.sqrt(rows + columns) * 0.1 + data[i]!) };
}

/** Components whose sizes lie so close around the edge of the noise that models of it differ about some. */
function withWeakComponents({ rows, columns, data }: Matrix, from: number): Matrix {
  const edge = Math.sqrt(rows) + Math.sqrt(columns);
  const sizes = Array.from({ length: Math.ceil(Math.min(rows, columns) / 4) }, (_, i) => edge * (from + 0.015 * i));
  const components = matrixOfSpectrum(rows, columns, sizes.reverse(), 6).data;
  return { rows, columns, data: components.map((value, i) => value + data[i]!) };
}

function withDeadRows({ rows, columns, data }: Matrix): Matrix {
  return { rows, columns, data: Float64Array.from(data, (value, i) => (Math.floor(i / columns) % 5 === 2 ? 0 : value)) };
}

function diagonal(values: number[]): Matrix {
  const data = new Float32Array(values.length ** 2);
  values.forEach((value, i) => { data[i * values.length + i] = value; });
  return { rows: values.length, columns: values.length, data };
}
