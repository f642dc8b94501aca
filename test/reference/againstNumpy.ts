import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Measures } from "../../src/shared/report";
import { buildPrograms, type Programs } from "../engine/support/programs";
import { type Reference, disagreements } from "./disagreements";
import { describeWithModels, MODELS } from "./models";

/**
 * The product from file to JSON, against numpy: `ranklens analyze` runs on every real model at hand, and Python reads
 * the same files by itself, forms the matrix of every row, and measures it.
 */
const FEWEST_MODELS = 10;
const run = promisify(execFile);

/** A line of the JSON report. */
interface Row extends Measures {
  readonly name: string;
  readonly part: string | null;
  readonly unfolding: string;
  readonly matrix: readonly [number, number];
  readonly singularValues: number[];
}

/** Why a row agrees with none of the tensors of its name; empty when it agrees with one. */
function disagreementsOf(row: Row, candidates: readonly Reference[]): string[] {
  if (candidates.length === 0) return ["no tensor of this name and shape"];
  const each = candidates.map((reference) => [...disagreements(row, reference, 1e-6), ...spectrumDisagreements(row, reference)]);
  return each.find((found) => found.length === 0) ?? each[0]!;
}

function spectrumDisagreements({ singularValues, matrix }: Row, reference: Reference): string[] {
  const expected = reference.singularValues;
  const largest = Math.max(...expected.map((value, i) => Math.abs(value - (singularValues[i] ?? Infinity))));
  const agree = singularValues.length === expected.length && largest <= accuracyOf(matrix) * expected[0]!;
  return agree ? [] : [`singular values: ${singularValues.length} for ${expected.length}, off by ${largest}`];
}

/** |Δσ|/σ₁ that the product promises: large float32 matrices are computed in float32. */
function accuracyOf(matrix: readonly [number, number]): number {
  return Math.min(...matrix) < 512 ? 1e-12 : 1e-6;
}

/** Analyzes every file, two at a time, and compares each row with what numpy finds. */
export function compareWithNumpy(title: string, files: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "ranklens-real-"));
  const reports = new Map<string, Row[]>();
  const references = new Map<string, Reference[][]>();

  /** Two of each kind at a time. */
  const HALVES = [0, 1].map((parity) => files.filter((_, i) => i % 2 === parity));
  const reportOf = (file: string) => join(folder, `${files.indexOf(file)}.json`);

  async function analyze(cli: string, file: string): Promise<void> {
    await run(process.execPath, [cli, "analyze", join(MODELS, file), "--json", "--spectrum", "--no-cache", "--threads", "1", "--out", reportOf(file)]);
    reports.set(file, (JSON.parse(readFileSync(reportOf(file), "utf8")) as { layers: Row[] }).layers);
  }

  async function measureByNumpy(some: readonly string[]): Promise<void> {
    const jobs = some.map((file) => ({ model: join(MODELS, file), report: reportOf(file) }));
    const answer = run("/usr/bin/python3", [join(import.meta.dirname, "real_models.py")], { maxBuffer: 2 ** 29, env: { ...process.env, OPENBLAS_NUM_THREADS: "1" } });
    answer.child.stdin?.end(JSON.stringify(jobs));
    const measured = JSON.parse((await answer).stdout) as Reference[][][];
    some.forEach((file, i) => references.set(file, measured[i]!));
  }

  describeWithModels(title, files, () => {
    let programs: Programs;
    beforeAll(async () => {
      programs = await buildPrograms();
      await Promise.all(HALVES.map(async (half) => {
        for (const file of half) await analyze(programs.cli, file);
        await measureByNumpy(half);
      }));
    }, 170_000);
    afterAll(() => programs.remove());

    it("has models to compare", () => {
      expect([...reports.values()].filter((rows) => rows.length > 0).length).toBeGreaterThanOrEqual(FEWEST_MODELS);
    });

    it.each(files)("%s", (file) => {
      const rows = reports.get(file)!;
      const expected = references.get(file)!;
      expect(expected.length).toBe(rows.length);
      const wrong = rows.flatMap((row, i) => disagreementsOf(row, expected[i]!).map((text) => `${row.name} ${row.part ?? ""} ${row.unfolding}: ${text}`));
      expect(wrong).toEqual([]);
    });
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));
}
