import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cancelled, Fault } from "../../../src/shared/fault";
import type { Applied, Draft, ModelCheck, Work } from "../../../src/shared/planning";
import { Jobs, type JobEnd } from "../../../src/vscode/wizard/jobs";
import { outputStem } from "../../../src/vscode/wizard/outputPath";
import { Readying } from "../../../src/vscode/wizard/readying";
import { RunHistory, type Memory } from "../../../src/vscode/wizard/runHistory";
import { wizardHandlers, type WizardHandlers } from "../../../src/vscode/wizard/wizardHandlers";
import { deleteWritten, namesBeside, writtenFiles } from "../../../src/vscode/wizard/writtenFiles";
import { temporaryFolder } from "../../engine/support/modelFiles";
import { english } from "./support/english";
import { FakeEngine, settled } from "./support/fakeEngine";

const draft: Draft = { scheme: "auto", as: "factored", wish: { kind: "rule", rule: "energy:0.9" }, included: [], excluded: [], locks: {} };
const check: ModelCheck = { kind: "layers", inputs: "seeded", layers: [{ name: "a", relativeError: 0.1 }] };

function memory(): Memory {
  const kept = new Map<string, unknown>();
  // As the editor does: what is kept is JSON.
  return { get: (key) => kept.get(key), update: async (key, value) => void kept.set(key, JSON.parse(JSON.stringify(value))) };
}

let folder: ReturnType<typeof temporaryFolder>;
let engine: FakeEngine;
let history: RunHistory;
let jobs: Jobs;
let readying: Readying;
let ends: JobEnd[];
let replace: boolean;
let remove: boolean;
let handlers: WizardHandlers;
const signal = new AbortController().signal;
const at = (name: string): string => join(folder.path, name);

beforeEach(() => {
  folder = temporaryFolder();
  engine = new FakeEngine();
  history = new RunHistory(memory());
  let id = 0;
  jobs = new Jobs(engine, history, () => `run${++id}`, english);
  readying = new Readying(engine);
  ends = [];
  jobs.onEnd((end) => ends.push(end));
  replace = remove = true;
  handlers = wizardHandlers({
    engine, analyses: { start: () => undefined, cancel: () => undefined }, jobs, readying, history, t: english,
    start: () => ({ target: null, job: null, readying: null, history: [] }), chooseModel: async () => null, chooseOutput: async () => null, chooseData: async () => null,
    mayReplace: async () => replace, mayDelete: async () => remove, savePlan: async (suggested) => suggested,
    openReport: async () => undefined, reveal: async () => undefined, copy: async () => undefined, showLog: () => undefined,
  });
});
afterEach(() => folder.remove());

/** The engine's answers up to the written file, which lies in the folder then. */
async function write(output = at("small.onnx")): Promise<void> {
  const applied: Applied = { written: [output, `${output}.plan.json`], before: { parameters: 10, bytes: 40 }, after: { parameters: 6, bytes: 24 } };
  engine.nth().resolve({ after: { error: 0.1, factorized: 2 }, latency: { before: 8, after: 5 } } as never);
  await settled();
  expect(engine.nth()).toMatchObject({ method: "plan" });
  engine.nth().resolve({ text: "the plan" } as never);
  await expect.poll(() => engine.nth().method).toBe("apply");
  for (const file of applied.written) writeFileSync(file, "x");
  engine.nth().resolve(applied as never);
}

describe("a model that is written", () => {
  it("is planned, written and checked, and kept with the settings it was written by", async () => {
    await handlers.apply({ path: at("m.onnx"), draft, output: at("small.onnx"), check: { data: null } }, signal);
    expect(jobs.current).toMatchObject({ kind: "plan", output: at("small.onnx") });
    await write();
    await expect.poll(() => engine.nth().method).toBe("verify");
    expect(jobs.current).toMatchObject({ kind: "verify" });
    engine.nth().resolve(check as never);
    await expect.poll(() => ends).toMatchObject([{ fault: null, run: "run1" }]);
    expect(history.shown).toMatchObject([{ id: "run1", draft, as: "factored", error: 0.1, factorized: 2, check, undone: false }]);
    expect(history.find("run1")?.plan).toBe("the plan");
    expect(jobs.current).toBeNull();
  });

  it.each([["latency", 0.75], ["params", null]])("under a budget of %s keeps %j as the share of the original's latency", async (unit, share) => {
    await handlers.apply({ path: at("m.onnx"), draft: { ...draft, wish: { kind: "budget", unit, amount: 6, allocation: "minimax" } }, output: at("small.onnx"), check: null }, signal);
    await write();
    await expect.poll(() => history.shown).toMatchObject([{ latencyShare: share }]);
  });

  it("tells how far it is", async () => {
    const told: unknown[] = [];
    jobs.onProgress(({ kind, layer, done, total }) => told.push([kind, layer, done, total]));
    await handlers.apply({ path: "/w/m.onnx", draft, output: at("s.onnx"), check: null }, signal);
    engine.tellWork({ path: "/w/m.onnx", task: "apply", layer: "conv", done: 1, total: 4 });
    engine.tellWork({ path: "/w/other.onnx", task: "apply", layer: "conv", done: 2, total: 4 });
    expect(told).toEqual([["plan", "", 0, 0], ["apply", "conv", 1, 4]]);
  });

  it("stays when it cannot be checked, and the run says why", async () => {
    await handlers.apply({ path: at("m.onnx"), draft, output: at("small.onnx"), check: { data: "/w/d.npz" } }, signal);
    await write();
    await expect.poll(() => engine.nth().method).toBe("verify");
    engine.nth().reject(new Fault("malformed", "d.npz has no array named x.", "Save it."));
    await expect.poll(() => history.shown[0]?.checkFault?.message).toBe("d.npz has no array named x.");
    expect(ends).toMatchObject([{ fault: null, run: "run1" }]);
  });

  it("is not begun where nothing would be factorized, nor while another is written, nor over a file that shall stay", async () => {
    await handlers.apply({ path: at("m.onnx"), draft, output: at("s.onnx"), check: null }, signal);
    await expect(handlers.apply({ path: at("m.onnx"), draft, output: at("t.onnx"), check: null }, signal)).rejects.toThrow(/being written/);
    engine.nth().resolve({ after: { error: 0, factorized: 0 }, latency: null } as never);
    await expect.poll(() => ends[0]?.fault?.message).toMatch(/No layer would be factorized/);
    replace = false;
    await handlers.apply({ path: at("m.onnx"), draft, output: at("s.onnx"), check: null }, signal);
    expect(jobs.current).toBeNull();
    expect(history.shown).toEqual([]);
  });

  it("ends without a word when it is cancelled", async () => {
    await handlers.apply({ path: at("m.onnx"), draft, output: at("s.onnx"), check: null }, signal);
    await handlers.cancel(null, signal);
    await expect.poll(() => ends).toMatchObject([{ fault: null, run: null }]);
    expect(history.shown).toEqual([]);
  });

  it("is written again from its own plan", async () => {
    await handlers.apply({ path: at("m.onnx"), draft, output: at("small.onnx"), check: null }, signal);
    await write();
    await expect.poll(() => jobs.current).toBeNull();
    await handlers.applyAgain({ id: "run1" }, signal);
    await expect.poll(() => engine.nth()).toMatchObject({ method: "apply", params: { plan: "the plan", output: at("small.onnx"), as: "factored" } });
  });
});

describe("what a draft needs", () => {
  const path = "/w/m.onnx";
  const other: Draft = { ...draft, scheme: "cp" };

  it("is made once for all that ask, pages that come back among them, and goes on while a page is hidden", async () => {
    const hidden = new AbortController();
    const both = [handlers.ready({ path, draft }, hidden.signal), handlers.ready({ path, draft: { ...draft } }, signal)];
    hidden.abort();
    expect(engine.asked).toHaveLength(1);
    expect(readying.current).toEqual({ path, draft });
    engine.nth().resolve({ state: "ready" } as never);
    expect(await Promise.all(both)).toEqual([{ state: "ready" }, { state: "ready" }]);
    expect(readying.current).toBeNull();
  });
  it("tells of its own layers alone", () => {
    const told: string[] = [];
    readying.onWork(({ layer }) => told.push(layer));
    const work = (changes: Partial<Work>): void => engine.tellWork({ path, task: "latency", layer: "own", done: 1, total: 4, ...changes });
    work({});
    handlers.ready({ path, draft }, signal).catch(() => undefined);
    work({});
    work({ path: "/w/other.onnx", layer: "another model's" });
    work({ task: "apply", layer: "another task's" });
    expect(told).toEqual(["own"]);
  });
  it("ends when it is cancelled, or when another draft's is asked for", async () => {
    const first = handlers.ready({ path, draft }, signal);
    const second = handlers.ready({ path, draft: other }, signal);
    await expect(first).rejects.toBeInstanceOf(Cancelled);
    expect(readying.current).toEqual({ path, draft: other });
    await handlers.cancelReady(null, signal);
    await expect(second).rejects.toBeInstanceOf(Cancelled);
    expect(readying.current).toBeNull();
  });
});

describe("undo", () => {
  const files = async (): Promise<void> => {
    const before = new Set(["load.py"]);
    for (const name of ["load.py", "s.onnx", "s.onnx.plan.json", "new.py"]) writeFileSync(at(name), name);
    const written = await writtenFiles([at("s.onnx"), at("s.onnx.plan.json"), at("load.py"), at("new.py")], at("s.onnx"), before);
    await history.add({ id: "r", time: "", path: at("m.onnx"), output: at("s.onnx"), draft, as: "factored", error: 0, factorized: 1, latencyShare: null, plan: "", applied: { written: [], before: { parameters: 1, bytes: 1 }, after: { parameters: 1, bytes: 1 } }, check: null, checkFault: null, undone: false, files: written });
  };

  it("deletes what was written, and not what was there before", async () => {
    await files();
    await handlers.undo({ id: "r" }, signal);
    expect(readdirSync(folder.path)).toEqual(["load.py"]);
    expect(history.shown[0]?.undone).toBe(true);
  });
  it("asks first", async () => {
    await files();
    remove = false;
    await handlers.undo({ id: "r" }, signal);
    expect(existsSync(at("s.onnx"))).toBe(true);
    expect(history.shown[0]?.undone).toBe(false);
  });
  it("deletes nothing when a file was changed meanwhile", async () => {
    await files();
    writeFileSync(at("s.onnx"), "trained further");
    await expect(handlers.undo({ id: "r" }, signal)).rejects.toThrow(/s\.onnx was changed after RankLens wrote it/);
    expect(readdirSync(folder.path)).toHaveLength(4);
  });
  it("is content where somebody was faster", async () => {
    await expect(deleteWritten([{ path: at("gone.onnx"), size: 1, mtimeMs: 1 }], english)).resolves.toBeUndefined();
    expect(await namesBeside("/nowhere/x.onnx")).toEqual(new Set());
  });
});

describe("the history", () => {
  it("takes nothing that another version kept and this one cannot read", async () => {
    const kept = memory();
    await kept.update("ranklens.runs", [{ id: "x" }, null, 7]);
    expect(new RunHistory(kept).shown).toEqual([]);
  });
  it("says so when a run is not in it any more", async () => {
    await expect(handlers.undo({ id: "none" }, signal)).rejects.toThrow(/not in the history/);
  });
  it("exports a plan as it was", async () => {
    await history.add({ id: "r", time: "", path: "/w/m.onnx", output: "/w/s.onnx", draft, as: "factored", error: 0, factorized: 1, latencyShare: null, plan: "p", applied: { written: [], before: { parameters: 1, bytes: 1 }, after: { parameters: 1, bytes: 1 } }, check: null, checkFault: null, undone: false, files: [] });
    expect(await handlers.exportPlan({ id: "r" }, signal)).toEqual({ saved: "/w/s.onnx.plan.json" });
  });
});

describe("the place of a factorized model", () => {
  it.each([["/w/digits.onnx", "/w/digits.factorized"], ["/w/llama/model.safetensors.index.json", "/w/llama/model.factorized"], ["/w/a.b.pt", "/w/a.b.factorized"]])("of %s is beside it", (path, stem) => expect(outputStem(path)).toBe(stem));
});
