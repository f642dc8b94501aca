import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ResultsCache } from "../../src/engine/cache";
import { Journal } from "../../src/engine/journal";
import { doneRow, pendingRow, measuresOf } from "./support/rows";
import { temporaryFolder } from "./support/modelFiles";

const OPTIONS = { smallestTensor: 16, allowExternalDataOutside: false };
const rows = ["a", "b", "c"].map((name, id) => pendingRow(id, { name, matrix: [3, 2] }));
const result = (seed: number) => ({ measures: measuresOf({ spectralNorm: seed }), singularValues: Float64Array.of(seed, 1 / 3), readMs: 1, computeMs: 2 });

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => { folder = temporaryFolder(); });
afterEach(() => folder.remove());

describe("a journal", () => {
  it("gives back what was appended, to the last bit", async () => {
    const journal = new Journal(join(folder.path, "j"));
    await journal.appendResult(rows[0]!, result(Math.PI));
    await journal.appendFault(rows[2]!, { code: "not-finite", message: "c holds NaN.", next: "" });
    await journal.appendRun({ ms: 40, complete: false, meanUtilization: null });
    await journal.appendRun({ ms: 2, complete: true, meanUtilization: 0.25 });
    const { outcomes, runMs } = await journal.load(rows);
    expect(outcomes.get(0)).toEqual({ result: result(Math.PI) });
    expect(outcomes.has(1)).toBe(false);
    expect(outcomes.get(2)).toEqual({ fault: { code: "not-finite", message: "c holds NaN.", next: "" } });
    expect(runMs).toBe(42);
    expect(await journal.lastRun()).toEqual({ ms: 2, complete: true, meanUtilization: 0.25 });
  });

  it("loses only the line that a kill tore, even when more is appended after it", async () => {
    const journal = new Journal(join(folder.path, "j"));
    await journal.appendResult(rows[0]!, result(1));
    await journal.appendResult(rows[1]!, result(2));
    truncateSync(journal.path, statSync(journal.path).size - 20);
    expect([...(await journal.load(rows)).outcomes.keys()]).toEqual([0]);
    await journal.appendResult(rows[2]!, result(3));
    expect([...(await journal.load(rows)).outcomes.keys()]).toEqual([0, 2]);
  });

  it("ignores every line that is damaged or of another model", async () => {
    const journal = new Journal(join(folder.path, "j"));
    await journal.appendResult(rows[0]!, result(1));
    const line = readFileSync(journal.path, "utf8");
    appendFileSync(journal.path, line.replace('"row":0', '"row":1'));
    appendFileSync(journal.path, "\nnonsense\n\u0000\u0001\n[]\n");
    await journal.appendResult({ ...rows[1]!, name: "another" }, result(5));
    await journal.appendResult({ ...rows[1]!, matrix: [9, 9] }, result(5));
    await journal.appendResult(rows[1]!, { ...result(5), measures: measuresOf({ nuclearNorm: NaN }) });
    await journal.appendResult(rows[1]!, { ...result(5), singularValues: new Float64Array(7) });
    expect([...(await journal.load(rows)).outcomes.keys()]).toEqual([0]);
  });

  it("survives bytes changed anywhere in it", async () => {
    const journal = new Journal(join(folder.path, "j"));
    for (const row of rows) await journal.appendResult(row, result(row.id));
    const bytes = readFileSync(journal.path);
    for (let at = 0; at < bytes.length; at += 7) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      writeFileSync(journal.path, damaged);
      const { outcomes } = await journal.load(rows);
      expect(outcomes.size).toBeGreaterThanOrEqual(1);
      for (const [id, outcome] of outcomes) expect(outcome).toEqual({ result: result(id) });
    }
  });

  it("takes lines from several writers at once", async () => {
    const writers = Array.from({ length: 8 }, () => new Journal(join(folder.path, "j")));
    const many = Array.from({ length: 200 }, (_, id) => pendingRow(id, { name: `n${id}`, matrix: [3, 2] }));
    await Promise.all(many.map((row) => writers[row.id % 8]!.appendResult(row, result(row.id))));
    expect((await writers[0]!.load(many)).outcomes.size).toBe(200);
  });

  it("that does not exist is empty", async () => {
    const journal = new Journal(join(folder.path, "none"));
    expect((await journal.load(rows)).outcomes.size).toBe(0);
    expect(await journal.lastRun()).toBeNull();
  });
});

describe("the cache folder", () => {
  it("keeps under its bound by forgetting what was not used for longest", async () => {
    const cache = new ResultsCache(folder.path, 1500);
    const journals = await Promise.all(["one", "two", "three"].map((print) => cache.journal(print, OPTIONS)));
    const [one, two, three] = journals as [Journal, Journal, Journal];
    for (const [age, journal] of [[30, one], [20, two], [10, three]] as const) {
      await journal.appendResult(doneRow(0, { name: "a", matrix: [3, 2] }), result(1));
      const time = new Date(Date.now() - age * 1000);
      utimesSync(journal.path, time, time);
    }
    // Each holds about 700 bytes: two fit. Loading "one" makes it the latest.
    expect(statSync(one.path).size).toBeGreaterThan(500);
    expect(statSync(one.path).size).toBeLessThan(750);
    await one.load(rows);
    await cache.trim(three);
    expect(journals.map(({ path }) => existsSync(path))).toEqual([true, false, true]);
  });

  it("tells files and options apart, and drops results of other versions", async () => {
    const cache = new ResultsCache(folder.path, 1e6);
    const paths = await Promise.all([
      cache.journal("print", OPTIONS), cache.journal("other", OPTIONS), cache.journal("print", { ...OPTIONS, smallestTensor: 1 }), cache.journal("print", OPTIONS),
    ]).then((all) => all.map(({ path }) => path));
    expect(new Set(paths).size).toBe(3);
    expect(paths[0]).toBe(paths[3]);
    mkdirSync(join(folder.path, "v0"));
    writeFileSync(join(folder.path, "v0", "old.journal"), "x");
    writeFileSync(join(folder.path, "not-ours.txt"), "x");
    await cache.trim(new Journal(paths[0] ?? ""));
    expect(readdirSync(folder.path).sort()).toEqual(["not-ours.txt", "v1"]);
  });
});
