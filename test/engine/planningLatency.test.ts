import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parsePlan } from "../../src/factorize/plan";
import type { Draft, Planning, Work } from "../../src/shared/planning";
import { gaussians } from "../unit/factorize/support/runnable";
import { bytes, graph, model, node, tensor, typedValue } from "../unit/onnx/onnxFile";
import { enginesOfTest } from "./support/enginesOfTest";
import { noise, writeModel } from "./support/modelFiles";
import { untilGone, type WatchedEngine } from "./support/watchedEngine";

const context = enginesOfTest();
let engine: WatchedEngine;
let works: Work[];

beforeEach(() => {
  engine = context.start();
  works = [];
  engine.client.onWork((work) => works.push(work));
});

const GONE_MS = 10_000;
const NAMES = ["a", "b", "c"] as const;
const draft = (amount: number, changes: Partial<Draft> = {}): Draft => ({ scheme: "auto", as: "factored", wish: { kind: "budget", unit: "latency", amount, allocation: "least-total" }, included: ["c.weight"], excluded: [], locks: {}, ...changes });
const measuring = (): Work[] => works.filter(({ task }) => task === "latency");
const unitOf = (planning: Planning) => (planning.state === "ready" ? planning.choices.units.find(({ id }) => id === "latency") : undefined);
const latencyOf = (planning: Planning) => (planning.state === "ready" ? planning.latency : null);

/** Three products of 512 × 512 for 64 rows: all of the time, of which rank 1 takes next to nothing. */
async function analyzed(): Promise<string> {
  const size = 512, weight = gaussians(size * size, 3);
  const path = join(context.path, "timed.onnx");
  writeFileSync(path, model(Buffer.concat([
    graph({ nodes: NAMES.map((name, index) => node("MatMul", [index === 0 ? "x" : `${name}.in`, `${name}.weight`], [index === 2 ? "y" : `${NAMES[index + 1]!}.in`], [], name)), initializers: NAMES.map((name) => tensor(`${name}.weight`, [size, size], weight)) }),
    bytes(11, typedValue("x", 1, [64, size])), bytes(12, typedValue("y", 1, [64, size])),
  ])));
  await engine.client.request("analyze", { path });
  return path;
}

describe("a budget of measured latency", () => {
  it("is measured once it is asked for, layer by layer, and never twice: not for another process either", async () => {
    const path = await analyzed();
    const before = await engine.client.request("planning", { path, as: "factored" });
    expect(unitOf(before)).toMatchObject({ total: null, refusal: null, whole: false });
    expect(latencyOf(before)).toBeNull();
    const planning = await engine.client.request("ready", { path, draft: draft(1) });
    const found = latencyOf(planning)!;
    expect(unitOf(planning)?.total).toBe(found.ms);
    expect(found).toMatchObject({ unmeasured: [], schemes: ["svd", "channel", "spatial", "tucker2"] });
    expect(found.low).toBeLessThanOrEqual(found.ms);
    expect(found.high).toBeGreaterThanOrEqual(found.ms);
    expect(found.runs).toBeGreaterThan(10);
    const told = measuring();
    expect(new Set(told.map(({ layer }) => layer))).toEqual(new Set(NAMES.map((name) => `${name}.weight`)));
    expect(told.at(-1)).toMatchObject({ path, done: told.length, total: told.length });
    const planner = engine.logs.flatMap((line) => /^Planning process (\d+) started/.exec(line)?.[1] ?? []).map(Number);
    process.kill(planner[0]!, "SIGKILL");
    await untilGone(planner, GONE_MS);
    expect(latencyOf(await engine.client.request("ready", { path, draft: draft(1) }))).toEqual(found);
    expect(measuring()).toHaveLength(told.length);
  });

  it("is kept by what is proposed, and the plan says what was measured and what is expected", async () => {
    const path = await analyzed();
    const { ms } = latencyOf(await engine.client.request("ready", { path, draft: draft(1) }))!;
    const asked = draft(0.7 * ms);
    const { latency, layers } = await engine.client.request("propose", { path, draft: asked });
    expect(latency?.before).toBe(ms);
    expect(latency!.after).toBeLessThanOrEqual(0.7 * ms * (1 + 1e-6));
    expect(layers.some(({ action }) => action === "factorize")).toBe(true);
    const curve = await engine.client.request("curve", { path, draft: asked });
    expect(curve).toMatchObject({ unit: "latency", total: ms });
    expect(curve!.points.every(({ amount }) => amount >= curve!.least * (1 - 1e-6) && amount <= ms * (1 + 1e-6))).toBe(true);
    expect(curve!.points.at(-1)).toMatchObject({ error: 0 });
    const { text } = await engine.client.request("plan", { path, draft: asked });
    const plan = parsePlan(text, "plan.json");
    expect(plan.choice).toMatch(/^budget of [\d.]+ ms by least-total, scheme auto, measured on this machine$/);
    const digits = (figure: number): number => Number(figure.toPrecision(4));
    expect(plan.latency).toEqual({ beforeMs: digits(ms), budgetMs: digits(0.7 * ms), budgetShare: expect.closeTo(0.7, 6) as number, expectedMs: digits(latency!.after), unmeasured: [] });
    await expect(engine.client.request("propose", { path, draft: draft(curve!.least * 0.9) })).rejects.toThrow(/cannot be met: with every layer at its smallest the model still takes [\d.]+ ms/);
  });

  it("measures further schemes when they are chosen, and of them alone", async () => {
    const path = await analyzed();
    const before = latencyOf(await engine.client.request("ready", { path, draft: draft(1) }))!;
    const first = measuring().length;
    works.length = 0;
    const after = latencyOf(await engine.client.request("ready", { path, draft: draft(1, { scheme: "groups2" }) }))!;
    expect(after).toEqual({ ...before, schemes: [...before.schemes, "groups2"] });
    // As it is, and four ranks of one scheme: what svd took, too.
    expect(measuring()).toHaveLength(first);
    const { latency, layers } = await engine.client.request("propose", { path, draft: draft(0.8 * before.ms, { scheme: "groups2" }) });
    expect(latency!.after).toBeLessThanOrEqual(0.8 * before.ms * (1 + 1e-6));
    expect(new Set(layers.flatMap(({ scheme }) => scheme ?? []))).toEqual(new Set(["groups2"]));
    // What was not measured in a scheme is not told of its plans.
    const other = await engine.client.request("propose", { path, draft: draft(1, { scheme: "groups4", wish: { kind: "rule", rule: "fixed:8" } }) });
    expect(other.latency).toBeNull();
  });

  it("leaves nothing behind when it is cancelled, and is measured when it is asked for again", async () => {
    const path = await analyzed();
    const stop = new AbortController();
    engine.client.onWork(({ task }) => { if (task === "latency") stop.abort(); });
    await expect(engine.client.request("ready", { path, draft: draft(1) }, stop.signal)).rejects.toThrow(/cancel/i);
    await expect.poll(() => readdirSync(tmpdir()).filter((name) => name.startsWith("ranklens-sizes-") && existsSync(join(tmpdir(), name, "timed.onnx")))).toEqual([]);
    expect(latencyOf(await engine.client.request("planning", { path, as: "factored" }))).toBeNull();
    expect(latencyOf(await engine.client.request("ready", { path, draft: draft(1) }))?.ms).toBeGreaterThan(0);
  });

  it("is refused, with the reason, where there is no graph", async () => {
    const path = writeModel(context.path, "m.safetensors", { "a.weight": noise(2, 40, 30), "b.weight": noise(3, 30, 40) });
    await engine.client.request("analyze", { path });
    expect(unitOf(await engine.client.request("planning", { path, as: "factored" }))).toMatchObject({ total: null, refusal: "The latency cannot be measured. Its file holds no graph that could be run." });
    await expect(engine.client.request("ready", { path, draft: draft(1) })).rejects.toThrow("The latency of m.safetensors cannot be measured. Its file holds no graph that could be run.");
  });
});
