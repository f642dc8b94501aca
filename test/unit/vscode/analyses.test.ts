import { beforeEach, describe, expect, it } from "vitest";
import { Fault } from "../../../src/shared/fault";
import type { Progress } from "../../../src/shared/report";
import { RunningAnalyses } from "../../../src/vscode/runningAnalyses";
import { FakeEngine, settled } from "./support/fakeEngine";

describe("the analyses of a window", () => {
  let engine: FakeEngine;
  let analyses: RunningAnalyses;
  let told: Progress[];
  let ended: Progress[];
  const states = (): string[] => told.map(({ path, state }) => `${path} ${state}`);

  beforeEach(() => {
    engine = new FakeEngine();
    analyses = new RunningAnalyses(engine);
    told = [];
    ended = [];
    analyses.onProgress((progress) => told.push(progress));
    analyses.onEnd((progress) => ended.push(progress));
  });

  it("run once for each model, however often they are asked for", () => {
    analyses.start("/a");
    analyses.start("/a");
    analyses.start("/b");
    expect(engine.asked.map(({ method, params }) => [method, params])).toEqual([["analyze", { path: "/a" }], ["analyze", { path: "/b" }]]);
    expect(analyses.all.map(({ path }) => path)).toEqual(["/a", "/b"]);
  });

  it("tell how they go, and once how they end", async () => {
    analyses.start("/a");
    engine.tell({ path: "/a", state: "running", done: 3 });
    engine.tell({ path: "/a", state: "done", done: 10 });
    engine.nth().resolve({ ...told[0], state: "done", done: 10, total: 10 } as never);
    await settled();
    expect(states()).toEqual(["/a queued", "/a running", "/a done"]);
    expect(ended.map(({ state }) => state)).toEqual(["done"]);
    expect(analyses.all).toEqual([]);
  });

  it("are cancelled at once, and keep quiet about what was still on its way", async () => {
    analyses.start("/a");
    engine.tell({ path: "/a", state: "running", done: 3 });
    analyses.cancel("/a");
    expect(analyses.progressOf("/a")).toBeNull();
    expect(engine.nth().signal?.aborted).toBe(true);
    engine.tell({ path: "/a", state: "running", done: 4 });
    await settled();
    expect(states()).toEqual(["/a queued", "/a running", "/a cancelled"]);
    expect(ended).toHaveLength(1);
    // The engine's own last word has the exact count.
    engine.tell({ path: "/a", state: "cancelled", done: 4 });
    expect(told.at(-1)).toMatchObject({ state: "cancelled", done: 4 });
  });

  it("can be started again while the cancelled one still says good-bye", async () => {
    analyses.start("/a");
    analyses.cancel("/a");
    analyses.start("/a");
    engine.tell({ path: "/a", state: "cancelled" });
    engine.tell({ path: "/a", state: "running", done: 1 });
    await settled();
    expect(states()).toEqual(["/a queued", "/a cancelled", "/a queued", "/a running"]);
    expect(analyses.progressOf("/a")).toMatchObject({ state: "running", done: 1 });
  });

  it("end with the fault where the engine gives one, and where it is gone", async () => {
    analyses.start("/a");
    engine.nth().reject(new Fault("engine-gone", "It ended three times.", "Try again."));
    await settled();
    expect(ended[0]).toMatchObject({ path: "/a", state: "failed", fault: { code: "engine-gone", next: "Try again." } });
    analyses.start("/a");
    engine.nth().reject(new TypeError("defect"));
    await settled();
    expect(ended[1]).toMatchObject({ state: "failed", fault: { code: "crashed" } });
  });

  it("end as cancelled when the engine is stopped", async () => {
    analyses.start("/a");
    await engine.dispose();
    await settled();
    expect(ended.map(({ state }) => state)).toEqual(["cancelled"]);
  });
});
