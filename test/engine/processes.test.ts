import { fork } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Cancelled } from "../../src/shared/fault";
import { enginesOfTest } from "./support/enginesOfTest";
import { noise, writeModel } from "./support/modelFiles";
import { isAlive, untilGone } from "./support/watchedEngine";

const here = enginesOfTest();
/** Takes any solver far longer than a test needs to step in. */
const LARGE = 3000;

/** One layer that takes a second, scheduled first, and three that take none. */
function modelWithVictim(size = 2500, name = "m.safetensors"): string {
  return writeModel(here.path, name, { victim: noise(1, size, size), "a.weight": noise(2, 30, 20), "b.weight": noise(3, 30, 20), "c.weight": noise(4, 30, 20) });
}

/** Results that a cache folder holds on the disk. */
function journalLines(cacheFolder: string): number {
  const files = readdirSync(cacheFolder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.flatMap(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8").split("\n")).filter((line) => line !== "").length;
}

function kill(pid: number | undefined): void {
  if (pid !== undefined) process.kill(pid, "SIGKILL");
}

describe("a compute process that dies", () => {
  it("once: its layer is computed again", async () => {
    const path = modelWithVictim();
    const { client, until, computers } = here.start({ threads: 1 });
    const end = client.request("analyze", { path });
    await until(({ current }) => current.includes("victim"));
    kill(computers().at(-1));
    expect(await end).toMatchObject({ state: "done", done: 4, failed: 0 });
    expect(computers()).toHaveLength(2);
  });

  it("twice on one layer: that layer is named, the others are measured", async () => {
    const path = modelWithVictim();
    const { client, computers } = here.start({ threads: 1 });
    const killed = new Set<number>();
    client.onProgress(({ current }) => {
      const pid = computers().at(-1);
      if (!current.includes("victim") || pid === undefined || killed.has(pid)) return;
      killed.add(pid);
      kill(pid);
    });
    expect(await client.request("analyze", { path })).toMatchObject({ state: "done", done: 3, failed: 1 });
    expect(killed.size).toBe(2);
    const { lines } = await client.request("rows", { path, start: 0, end: 9, sort: { key: "model", descending: false }, filter: "victim", open: [] });
    expect(lines[0]?.row).toMatchObject({ state: "failed", fault: { code: "crashed", message: expect.stringContaining("victim") as string } });
    // Asked for again, it gets another chance.
    expect(await client.request("analyze", { path })).toMatchObject({ state: "done" });
  });

  it("before it can work, again and again: the analysis ends with a fault and the engine lives", async () => {
    const path = modelWithVictim(40);
    const { client, computers, engines: started } = here.start({ threads: 1 });
    client.onLog(() => computers().filter(isAlive).forEach(kill));
    expect(await client.request("analyze", { path })).toMatchObject({ state: "failed", fault: { code: "crashed" } });
    expect((await client.request("open", { path })).rows).toBe(4);
    expect(started()).toHaveLength(1);
  });
});

describe("an engine that dies in mid-run", () => {
  it("is started again and goes on from its journal", async () => {
    const path = modelWithVictim();
    const cacheFolder = join(here.path, "cache");
    const { client, until, engines: started, logs } = here.start({ threads: 2, cacheFolder });
    const end = client.request("analyze", { path });
    await until(({ done, current }) => done === 3 && current.includes("victim"));
    // Rows are told of while they are being written.
    await expect.poll(() => journalLines(cacheFolder)).toBe(3);
    kill(started()[0]);
    expect(await end).toMatchObject({ state: "done", done: 4 });
    expect(started()).toHaveLength(2);
    expect(logs.filter((line) => line.includes("computing")).map((line) => /computing (\d+) of 4/.exec(line)?.[1])).toEqual(["4", "1"]);
  });

  it("leaves no compute process behind", async () => {
    const path = modelWithVictim(LARGE);
    const { client, until, engines: started, computers } = here.start();
    const stop = new AbortController();
    const end = client.request("analyze", { path }, stop.signal);
    await until(({ current }) => current.includes("victim"));
    const orphans = computers();
    kill(started()[0]);
    await untilGone(orphans, 10_000);
    stop.abort();
    await expect(end).rejects.toBeInstanceOf(Cancelled);
  });

  it("again and again is given up with a fault, not awaited for ever", async () => {
    const path = modelWithVictim(LARGE);
    const { client, engines: started } = here.start({ threads: 1 });
    client.onProgress(({ state }) => { if (state === "running") started().filter(isAlive).forEach(kill); });
    await expect(client.request("analyze", { path })).rejects.toMatchObject({ code: "engine-gone" });
    await expect(client.request("open", { path })).rejects.toMatchObject({ code: "engine-gone" });
    expect(started()).toHaveLength(4);
  });

  it("answers a read through its successor", async () => {
    const path = modelWithVictim(40);
    const { client, engines: started } = here.start();
    await client.request("open", { path });
    kill(started()[0]);
    expect((await client.request("open", { path })).rows).toBe(4);
  });
});

describe("the end of the client", () => {
  it("dispose ends all processes, in the middle of a matrix too", async () => {
    const path = modelWithVictim(LARGE);
    const { client, until, engines: started, computers } = here.start();
    const end = client.request("analyze", { path });
    const ended = expect(end).rejects.toBeInstanceOf(Cancelled);
    await until(({ current }) => current.includes("victim"));
    await client.dispose();
    await ended;
    await untilGone([...started(), ...computers()], 1000);
    await expect(client.request("open", { path })).rejects.toBeInstanceOf(Cancelled);
  });

  it.skipIf(process.platform === "win32")("dispose ends an engine that no longer answers", async () => {
    const path = modelWithVictim(40);
    const { client, engines: started } = here.start();
    await client.request("open", { path });
    process.kill(started()[0] ?? 0, "SIGSTOP");
    await client.dispose();
    await untilGone(started(), 1000);
  });

  it("a lost connection ends all processes", async () => {
    const path = modelWithVictim(LARGE);
    const child = fork(here.programs.engine, ["--threads", "2"], { execArgv: [] });
    const computers: number[] = [];
    const computing = new Promise<void>((resolve) => {
      child.on("message", ({ method, params }: { method?: string; params?: { text?: string; current?: string[] } }) => {
        const pid = /^Compute process (\d+) started/.exec(params?.text ?? "")?.[1];
        if (method === "log" && pid !== undefined) computers.push(Number(pid));
        if (method === "progress" && params?.current?.includes("victim") === true) resolve();
      });
    });
    child.send({ jsonrpc: "2.0", id: 1, method: "analyze", params: { path } });
    await computing;
    expect(computers.length).toBeGreaterThan(0);
    child.disconnect();
    await untilGone([child.pid ?? 0, ...computers], 2000);
  });
});

describe("cancelling", () => {
  it("stops within half a second inside a large matrix, and what is done stays", async () => {
    const path = modelWithVictim(LARGE);
    const { client, until, computers } = here.start();
    const stop = new AbortController();
    const end = client.request("analyze", { path }, stop.signal);
    await until(({ done, current }) => done === 3 && current.includes("victim"));
    const asked = performance.now();
    stop.abort();
    await expect(end).rejects.toBeInstanceOf(Cancelled);
    const cancelled = await until(({ state }) => state === "cancelled");
    await untilGone(computers(), 500);
    // The product's promise to the person who cancels, not a speed.
    expect(performance.now() - asked).toBeLessThan(500);
    expect(cancelled).toMatchObject({ done: 3, total: 4 });
    expect((await client.request("open", { path })).progress.done).toBe(3);
  });

  it("of one request does not stop the analysis for another", async () => {
    const path = modelWithVictim();
    const { client, until } = here.start({ threads: 1 });
    const stop = new AbortController();
    const first = client.request("analyze", { path }, stop.signal);
    const second = client.request("analyze", { path });
    await until(({ current }) => current.includes("victim"));
    stop.abort();
    await expect(first).rejects.toBeInstanceOf(Cancelled);
    expect(await second).toMatchObject({ state: "done", done: 4 });
  });

  it("and asking again at once computes what is left", async () => {
    const path = modelWithVictim();
    const { client, until } = here.start({ threads: 1 });
    const stop = new AbortController();
    const first = client.request("analyze", { path }, stop.signal);
    await until(({ current }) => current.includes("victim"));
    stop.abort();
    await expect(first).rejects.toBeInstanceOf(Cancelled);
    expect(await client.request("analyze", { path })).toMatchObject({ state: "done", done: 4 });
  });
});

describe("several analyses", () => {
  it("run one after the other, and each knows how many are ahead", async () => {
    const paths = ["one", "two", "three"].map((name) => modelWithVictim(400, `${name}.safetensors`));
    const { client, progress } = here.start({ threads: 1 });
    const ends = await Promise.all(paths.map((path) => client.request("analyze", { path })));
    expect(ends.map(({ state }) => state)).toEqual(["done", "done", "done"]);
    const of = (index: number) => progress.filter(({ path }) => path === paths[index]);
    expect(of(1)[0]).toMatchObject({ state: "queued", ahead: 1 });
    expect(of(2).filter(({ state }) => state === "queued").map(({ ahead }) => ahead)).toEqual([2, 1]);
    const running = progress.filter(({ state }) => state === "running" || state === "done").map(({ path }) => path);
    expect(running).toEqual([...running].sort((a, b) => paths.indexOf(a) - paths.indexOf(b)));
  });

  it("one that is cancelled in the queue never starts", async () => {
    const [first, second, third] = ["one", "two", "three"].map((name) => modelWithVictim(400, `${name}.safetensors`)) as [string, string, string];
    const { client, until, progress } = here.start({ threads: 1 });
    const stop = new AbortController();
    const running = client.request("analyze", { path: first });
    const queued = client.request("analyze", { path: second }, stop.signal);
    const last = client.request("analyze", { path: third });
    await until(({ path, state }) => path === second && state === "queued");
    stop.abort();
    await expect(queued).rejects.toBeInstanceOf(Cancelled);
    await Promise.all([running, last]);
    expect(progress.filter(({ path }) => path === second).map(({ state }) => state)).toEqual(["queued", "cancelled"]);
  });
});
