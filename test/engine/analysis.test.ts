import { appendFileSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RowsQuery } from "../../src/shared/protocol";
import type { Progress } from "../../src/shared/report";
import { enginesOfTest } from "./support/enginesOfTest";
import { diagonal, noise, writeModel } from "./support/modelFiles";
import type { WatchedEngine } from "./support/watchedEngine";

const here = enginesOfTest();
const ALL: RowsQuery = { start: 0, end: 1000, sort: { key: "model", descending: false }, filter: "", open: [] };

describe("an analysis in the engine process", () => {
  it("opens by header only, then measures every matrix", async () => {
    const path = writeModel(here.path, "m.safetensors", { "a.weight": diagonal(4, 3, 2, 1), "a.bias": noise(1, 4), "b.weight": noise(2, 6, 9) });
    const { client, computers } = here.start();
    const opened = await client.request("open", { path });
    expect(opened).toMatchObject({ rows: 2, skipped: 1, progress: { state: "idle", done: 0, total: 2 } });
    expect(computers()).toEqual([]);
    expect(await client.request("analyze", { path })).toMatchObject({ state: "done", done: 2, failed: 0, total: 2 });
    const { lines, total } = await client.request("rows", { path, ...ALL });
    expect(total).toBe(2);
    expect(lines.map(({ row }) => [row.name, row.state])).toEqual([["a.weight", "done"], ["b.weight", "done"]]);
    // Stable rank of diag(4, 3, 2, 1): (16 + 9 + 4 + 1) / 16.
    expect(lines[0]?.row.measures?.stableRank).toBeCloseTo(30 / 16, 9);
    const { singularValues } = await client.request("spectrum", { path, id: 0 });
    [4, 3, 2, 1].forEach((sigma, index) => expect(singularValues[index]).toBeCloseTo(sigma, 9));
  });

  it("answers map, skipped, badge and export after it", async () => {
    const path = writeModel(here.path, "m.safetensors", {
      "layers.0.up.weight": noise(1, 8, 4), "layers.1.up.weight": noise(2, 8, 4), "head.weight": noise(3, 3, 4), "norm.weight": noise(4, 4),
    });
    const { client } = here.start();
    expect((await client.request("badge", { path })).meanUtilization).toBeNull();
    await client.request("analyze", { path });
    const map = await client.request("map", { path });
    expect(map.cells.length + map.strip.length).toBe(3);
    expect([...map.cells, ...map.strip].every(({ utilization }) => utilization !== null)).toBe(true);
    const skipped = await client.request("skipped", { path, start: 0, end: 10 });
    expect(skipped.items.map(({ name }) => name)).toEqual(["norm.weight"]);
    expect((await client.request("badge", { path })).meanUtilization).toBeGreaterThan(0);
    const { text } = await client.request("export", { path, format: "json", spectrum: true });
    expect(JSON.parse(text)).toMatchObject({ schema: "ranklens.analysis/1", layers: [{}, {}, {}], skipped: [{ name: "norm.weight" }] });
  });

  it("tells progress at most ten times a second, with names, and ends with all of it", async () => {
    const path = writeModel(here.path, "m.safetensors", Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`l${i}.weight`, noise(i, 60, 60)])));
    const { client, progress } = here.start();
    const begin = performance.now();
    await client.request("analyze", { path });
    const seconds = (performance.now() - begin) / 1000;
    // The first state and the last one are told besides.
    expect(progress.length).toBeLessThanOrEqual(10 * seconds + 3);
    expect(progress.at(-1)).toMatchObject({ state: "done", done: 60, total: 60, current: [] });
  });
});

describe("the cache", () => {
  it("makes a second engine compute nothing", async () => {
    const path = writeModel(here.path, "m.safetensors", { "a.weight": diagonal(3, 2, 1), "b.weight": noise(2, 20, 10) });
    const cacheFolder = join(here.path, "cache");
    const first = here.start({ cacheFolder });
    await first.client.request("analyze", { path });
    const measured = await first.client.request("rows", { path, ...ALL });
    await first.client.dispose();

    const second = here.start({ cacheFolder });
    expect((await second.client.request("badge", { path })).meanUtilization).toBeGreaterThan(0);
    expect((await second.client.request("open", { path })).progress).toMatchObject({ state: "done", done: 2 });
    expect(await second.client.request("analyze", { path })).toMatchObject({ state: "done", done: 2 });
    expect(second.computers()).toEqual([]);
    expect(await second.client.request("rows", { path, ...ALL })).toEqual(measured);
    expect((await second.client.request("spectrum", { path, id: 0 })).singularValues).toHaveLength(3);

    await second.client.request("forget", { path });
    expect((await second.client.request("open", { path })).progress).toMatchObject({ state: "idle", done: 0 });
  });

  it("is not asked for a file that was written again", async () => {
    const cacheFolder = join(here.path, "cache");
    const { client } = here.start({ cacheFolder });
    const path = writeModel(here.path, "m.safetensors", { w: diagonal(3, 2, 1) });
    await client.request("analyze", { path });
    writeModel(here.path, "m.safetensors", { w: diagonal(5, 5, 5) });
    utimesSync(path, new Date(), new Date(Date.now() + 5000));
    expect((await client.request("open", { path })).progress.state).toBe("idle");
    await client.request("analyze", { path });
    expect((await client.request("rows", { path, ...ALL })).lines[0]?.row.measures?.stableRank).toBeCloseTo(3, 9);
  });

  it("serves two engines that analyze one model at the same time", async () => {
    const path = writeModel(here.path, "m.safetensors", Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`l${i}`, noise(i, 40, 30)])));
    const cacheFolder = join(here.path, "cache");
    const pair = [here.start({ cacheFolder }), here.start({ cacheFolder })];
    const ends = await Promise.all(pair.map(({ client }) => client.request("analyze", { path })));
    expect(ends.map(({ done }) => done)).toEqual([12, 12]);
    const third = here.start({ cacheFolder });
    expect((await third.client.request("open", { path })).progress).toMatchObject({ state: "done", done: 12 });
    expect(third.computers()).toEqual([]);
  });
});

describe("input at fault", () => {
  it("is a sentence, and the engine goes on", async () => {
    const good = writeModel(here.path, "good.safetensors", { w: diagonal(1, 1) });
    const truncated = join(here.path, "truncated.safetensors");
    writeFileSync(truncated, readFileSync(good).subarray(0, 30));
    const nonsense = join(here.path, "nonsense.safetensors");
    writeFileSync(nonsense, "this is not a model");
    const { client, engines: started } = here.start();
    for (const path of [truncated, nonsense, join(here.path, "missing.safetensors"), here.path]) {
      await expect(client.request("open", { path })).rejects.toMatchObject({ name: "Fault", message: expect.stringMatching(/\w+ .+\./) as string });
      await expect(client.request("analyze", { path })).rejects.toMatchObject({ name: "Fault" });
    }
    expect(await client.request("analyze", { path: good })).toMatchObject({ state: "done" });
    expect(started()).toHaveLength(1);
  });

  it("a layer with NaN or ∞ is named as failed, and the rest is measured", async () => {
    const broken = noise(1, 8, 8);
    broken.values[5] = NaN;
    const infinite = noise(2, 8, 8);
    infinite.values[9] = Infinity;
    const path = writeModel(here.path, "m.safetensors", { broken, good: noise(3, 8, 8), infinite });
    const { client } = here.start({ cacheFolder: join(here.path, "cache") });
    expect(await client.request("analyze", { path })).toMatchObject({ state: "done", done: 1, failed: 2 });
    const { text } = await client.request("export", { path, format: "json", spectrum: false });
    const report = JSON.parse(text) as { layers: { name: string }[]; skipped: { name: string; reason: string }[] };
    expect(report.layers.map(({ name }) => name)).toEqual(["good"]);
    expect(report.skipped.map(({ name }) => name).sort()).toEqual(["broken", "infinite"]);
    expect(report.skipped.find(({ name }) => name === "broken")?.reason).toMatch(/NaN/);
    expect(text).not.toMatch(/\bNaN,|Infinity,/);
  });

  it("a file that changes while it is analyzed fails its rows, by name", async () => {
    const path = writeModel(here.path, "m.safetensors", { big: noise(1, 900, 900), small: noise(2, 8, 8) });
    const { client, until } = here.start({ threads: 1 });
    const end = client.request("analyze", { path });
    await until(({ current }) => current.includes("big"));
    appendFileSync(path, "more");
    expect(await end).toMatchObject({ state: "done", done: 1, failed: 1 });
    const { lines } = await client.request("rows", { path, ...ALL });
    expect(lines.find(({ row }) => row.name === "small")?.row.fault?.code).toBe("changed-while-read");
  });
});

describe("first figures", () => {
  /** Large enough for a sweep ahead of the spectra: a diagonal of known norms in front of noise that takes long. */
  const sizes = [2200, 2300];
  const known = (size: number) => ({ shape: [size, size], values: diagonal(...Array.from({ length: size }, (_, i) => (i === 0 ? 4 : 1))).values });

  it("of all large matrices come before the first full spectrum, within their own error", async () => {
    const path = writeModel(here.path, "m.safetensors", { ...Object.fromEntries(sizes.map((size) => [`l${size}`, known(size)])), small: noise(1, 20, 20) });
    const { client, progress } = here.start();
    await client.request("analyze", { path }, stopWhen(client, ({ estimated, done }) => estimated === sizes.length || done > 1).signal).catch(() => undefined);
    expect(progress.findLast(({ state }) => state === "running")?.done).toBeLessThanOrEqual(1);
    const { lines } = await client.request("rows", { path, ...ALL });
    for (const size of sizes) {
      const { first } = lines.find(({ row }) => row.name === `l${size}`)!.row;
      expect(Math.abs(first!.spectralNorm - 4)).toBeLessThanOrEqual(4 * first!.relativeError + 1e-12);
      expect(first!.stableRank).toBeCloseTo((16 + size - 1) / 16, 4);
    }
  });

  it("are kept by the journal, and computed once", async () => {
    const path = writeModel(here.path, "m.safetensors", { large: known(2200), other: known(2300) });
    const cacheFolder = join(here.path, "cache");
    const first = here.start({ cacheFolder });
    await first.client.request("analyze", { path }, stopWhen(first.client, ({ estimated }) => estimated === 2).signal).catch(() => undefined);
    await first.until(({ state }) => state === "cancelled");
    await first.client.dispose();
    const second = here.start({ cacheFolder });
    expect((await second.client.request("open", { path })).progress).toMatchObject({ state: "idle", done: 0, estimated: 2 });
  });
});

/** A signal that stops an analysis as soon as its progress fits. */
function stopWhen(client: WatchedEngine["client"], fits: (progress: Progress) => boolean): AbortController {
  const stop = new AbortController();
  client.onProgress((progress) => { if (fits(progress)) stop.abort(); });
  return stop;
}
