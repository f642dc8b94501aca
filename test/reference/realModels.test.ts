import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Measures } from "../../src/shared/report";
import { buildPrograms, type Programs } from "../engine/support/programs";
import { type Reference, disagreements } from "./disagreements";

/**
 * The product from file to JSON, against numpy: `ranklens analyze` runs on every real model at hand, and Python reads
 * the same files by itself, forms the matrix of every row, and measures it.
 */
const MODELS = join(import.meta.dirname, "../../../shared/models");
const FEWEST_MODELS = 10;
const run = promisify(execFile);

const files = existsSync(MODELS)
  ? readdirSync(MODELS, { recursive: true, encoding: "utf8" }).filter((name) => /\.(onnx|safetensors|safetensors\.index\.json)$/.test(name)).sort()
  : [];

/** A line of the JSON report. */
interface Row extends Measures {
  readonly name: string;
  readonly part: string | null;
  readonly unfolding: string;
  readonly matrix: readonly [number, number];
  readonly singularValues: number[];
}

let programs: Programs | null = null;
const folder = mkdtempSync(join(tmpdir(), "ranklens-real-"));
const reports = new Map<string, Row[]>();
const references = new Map<string, Reference[][]>();

beforeAll(async () => {
  programs = await buildPrograms();
  for (const [i, file] of files.entries()) {
    const out = join(folder, `${i}.json`);
    await run(process.execPath, [programs.cli, "analyze", join(MODELS, file), "--json", "--spectrum", "--no-cache", "--out", out]);
    reports.set(file, (JSON.parse(readFileSync(out, "utf8")) as { layers: Row[] }).layers);
  }
  await Promise.all([files.filter((_, i) => i % 2 === 0), files.filter((_, i) => i % 2 === 1)].map(measureByNumpy));
}, 170_000);

afterAll(() => {
  programs?.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function measureByNumpy(some: readonly string[]): Promise<void> {
  const jobs = some.map((file) => ({ model: join(MODELS, file), report: join(folder, `${files.indexOf(file)}.json`) }));
  const answer = run("/usr/bin/python3", [join(import.meta.dirname, "real_models.py")], { maxBuffer: 2 ** 29, env: { ...process.env, OPENBLAS_NUM_THREADS: "1" } });
  answer.child.stdin?.end(JSON.stringify(jobs));
  const measured = JSON.parse((await answer).stdout) as Reference[][][];
  some.forEach((file, i) => references.set(file, measured[i]!));
}

/** Why a row agrees with none of the tensors of its name; empty when it agrees with one. */
function disagreementsOf(row: Row, candidates: readonly Reference[]): string[] {
  if (candidates.length === 0) return ["no tensor of this name and shape"];
  const each = candidates.map((reference) => [...disagreements(row, reference, 1e-6), ...spectrumDisagreements(row, reference)]);
  return each.find((found) => found.length === 0) ?? each[0]!;
}

function spectrumDisagreements({ singularValues }: Row, reference: Reference): string[] {
  const expected = reference.singularValues;
  const largest = Math.max(...expected.map((value, i) => Math.abs(value - (singularValues[i] ?? Infinity))));
  const agree = singularValues.length === expected.length && largest <= 1e-12 * expected[0]!;
  return agree ? [] : [`singular values: ${singularValues.length} for ${expected.length}, off by ${largest}`];
}

describe.skipIf(files.length === 0)("every measure of every matrix of the real models, against numpy", () => {
  it("has models to compare", () => {
    expect([...reports.values()].filter((rows) => rows.length > 0).length).toBeGreaterThanOrEqual(FEWEST_MODELS);
  });

  it.each(files.map((file) => relative(".", file)))("%s", (file) => {
    const rows = reports.get(file)!;
    const expected = references.get(file)!;
    expect(expected.length).toBe(rows.length);
    const wrong = rows.flatMap((row, i) => disagreementsOf(row, expected[i]!).map((text) => `${row.name} ${row.part ?? ""} ${row.unfolding}: ${text}`));
    expect(wrong).toEqual([]);
  });
});
