import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Draft } from "../../src/shared/planning";
import { enginesOfTest } from "./support/enginesOfTest";
import { noise, writeModel } from "./support/modelFiles";
import { isAlive, untilGone, type WatchedEngine } from "./support/watchedEngine";
import { convolutionModel } from "../unit/factorize/support/runnable";

const context = enginesOfTest();
let engine: WatchedEngine;

beforeEach(() => { engine = context.start(); });

/** Time for processes to be gone after they were told. */
const GONE_MS = 10_000;
const draft = (amount: number, changes: Partial<Draft> = {}): Draft => ({ scheme: "auto", as: "factored", wish: { kind: "budget", unit: "params", amount, allocation: "least-total" }, included: [], excluded: [], locks: {}, ...changes });
const planners = (): number[] => engine.logs.flatMap((line) => /^Planning process (\d+) started/.exec(line)?.[1] ?? []).map(Number);

async function analyzed(): Promise<string> {
  const path = writeModel(context.path, "m.safetensors", { "a.weight": noise(2, 40, 30), "b.weight": noise(4, 30, 40), "c.weight": noise(5, 30, 30), "head.weight": noise(6, 12, 30) });
  await engine.client.request("analyze", { path });
  return path;
}

describe("planning in the engine", () => {
  it("asks for an analysis where spectra are missing", async () => {
    const path = writeModel(context.path, "m.safetensors", { "a.weight": noise(2, 40, 30) });
    expect(await engine.client.request("planning", { path, as: "factored" })).toEqual({ state: "unanalyzed", missing: 1, total: 1 });
    await expect(engine.client.request("propose", { path, draft: draft(100) })).rejects.toThrow(/not analyzed/);
    expect(planners()).toHaveLength(0);
  });

  it("offers layers and choices, proposes within a budget, and draws the curve", async () => {
    const path = await analyzed();
    const planning = await engine.client.request("planning", { path, as: "factored" });
    expect(planning).toMatchObject({ state: "ready", check: "layers", ending: ".safetensors" });
    const total = 2 * 1200 + 900 + 360;
    const { after } = await engine.client.request("propose", { path, draft: draft(0.6 * total) });
    expect(after.parameters).toBeLessThanOrEqual(0.6 * total);
    expect(await engine.client.request("curve", { path, draft: draft(0) })).toMatchObject({ total, least: 70 + 70 + 60 + 360 });
    expect(await engine.client.request("ladders", { path, as: "factored", name: "c.weight" })).toHaveLength(1);
  });

  it("goes on with another process when the planning one dies, and ends it with itself", async () => {
    const path = await analyzed();
    await engine.client.request("propose", { path, draft: draft(2500) });
    process.kill(planners()[0]!, "SIGKILL");
    await untilGone(planners(), GONE_MS);
    expect((await engine.client.request("propose", { path, draft: draft(2500) })).after.parameters).toBeLessThanOrEqual(2500);
    expect(planners()).toHaveLength(2);
    await engine.client.dispose();
    await untilGone(planners(), GONE_MS);
  });

  it("writes what a plan says, as the terminal does, and checks it layer by layer", async () => {
    const path = await analyzed();
    const { text } = await engine.client.request("plan", { path, draft: draft(2000) });
    const output = join(context.path, "small.safetensors");
    const works: number[] = [];
    engine.client.onWork(({ task, total }) => { if (task === "apply") works.push(total); });
    const { written, before, after } = await engine.client.request("apply", { path, plan: text, output, as: "factored" });
    expect(written.map((file) => file.slice(context.path.length + 1)).sort()).toEqual(["load_factorized.py", "small.safetensors", "small.safetensors.plan.json"]);
    expect(readFileSync(`${output}.plan.json`, "utf8")).toBe(text);
    expect(before.parameters).toBe(3660);
    expect(after.parameters).toBeLessThanOrEqual(2000);
    expect(works[0]).toBe(3);
    const check = await engine.client.request("verify", { path, candidate: output, data: null });
    expect(check).toMatchObject({ kind: "layers" });
    const planned = (JSON.parse(text) as { layers: { name: string; action: string; relativeError: number }[] }).layers;
    for (const { name, relativeError } of check.kind === "layers" ? check.layers : []) {
      // Gaussian inputs spread around the weights' own error.
      expect(relativeError / planned.find((layer) => layer.name === name)!.relativeError, name).toBeGreaterThan(0.7);
      expect(relativeError / planned.find((layer) => layer.name === name)!.relativeError, name).toBeLessThan(1.4);
    }
  });

  it("runs both models where there is a graph, and says where the inputs are from", async () => {
    const { path: made } = convolutionModel({ opType: "Conv", channels: [8, 12], kernel: [3, 3], pads: [1, 1, 1, 1], bias: true });
    const path = join(context.path, "m.onnx");
    writeFileSync(path, readFileSync(made));
    await engine.client.request("analyze", { path });
    const asked = draft(0, { wish: { kind: "rule", rule: "fixed:5" }, scheme: "channel", included: ["conv.weight"] });
    const { layers } = await engine.client.request("propose", { path, draft: asked });
    const { text } = await engine.client.request("plan", { path, draft: { ...asked, included: layers.map(({ name }) => name) } });
    const output = join(context.path, "small.onnx");
    await engine.client.request("apply", { path, plan: text, output, as: "factored" });
    const check = await engine.client.request("verify", { path, candidate: output, data: null });
    expect(check).toMatchObject({ kind: "run", seeded: true, outputs: [{ name: "y" }] });
  });

  it("counts multiply-adds by one run of the graph, when the unit is first asked for, and leaves nothing of the run behind", async () => {
    const { path: made } = convolutionModel({ opType: "Conv", channels: [8, 12], kernel: [3, 3], pads: [1, 1, 1, 1], bias: true });
    const path = join(context.path, "counted.onnx");
    writeFileSync(path, readFileSync(made));
    await engine.client.request("analyze", { path });
    const unitOf = async (count: boolean) => {
      const planning = await engine.client.request("planning", { path, as: "factored", count });
      return planning.state === "ready" ? { total: planning.choices.units.find(({ id }) => id === "macs")?.total, unasked: planning.countsUnasked } : null;
    };
    expect(await unitOf(false)).toEqual({ total: null, unasked: true });
    // 8 × 12 kernels of 3 × 3, at each of 16 × 16 positions.
    const total = 8 * 12 * 9 * 16 * 16;
    const asked = draft(0, { wish: { kind: "budget", unit: "macs", amount: 0.6 * total, allocation: "least-total" }, included: ["conv.weight"] });
    const { multiplyAdds } = await engine.client.request("propose", { path, draft: asked });
    expect(multiplyAdds).toMatchObject({ before: total, per: expect.stringMatching(/^one run on x/) as string, uncounted: [] });
    expect(multiplyAdds!.after).toBeLessThanOrEqual(0.6 * total);
    expect(await unitOf(false)).toEqual({ total, unasked: false });
    // It is not counted again for another process.
    process.kill(planners()[0]!, "SIGKILL");
    await untilGone(planners(), GONE_MS);
    expect((await engine.client.request("propose", { path, draft: asked })).multiplyAdds).toEqual(multiplyAdds);
    expect(await unitOf(true)).toEqual({ total, unasked: false });
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("ranklens-sizes-") && existsSync(join(tmpdir(), name, "counted.onnx")))).toEqual([]);
  });

  it("never writes over the original", async () => {
    const path = await analyzed();
    const before = readFileSync(path);
    const { text } = await engine.client.request("plan", { path, draft: draft(2000) });
    await expect(engine.client.request("apply", { path, plan: text, output: path, as: "factored" })).rejects.toThrow(/is the original, which RankLens never overwrites/);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(context.path)).toEqual(["m.safetensors"]);
  });

  it("says what is wrong with a path that was typed, and with a plan that was edited, and leaves nothing behind", async () => {
    const path = await analyzed();
    const { text } = await engine.client.request("plan", { path, draft: draft(2000) });
    const apply = (output: string, plan = text) => engine.client.request("apply", { path, plan, output, as: "factored" });
    symlinkSync("nowhere", join(context.path, "link.safetensors"));
    await expect(apply(join(context.path, "small"))).rejects.toThrow("The factorized model is safetensors: the name of the output ends in .safetensors.");
    await expect(apply("small.safetensors")).rejects.toThrow("small.safetensors is no whole path.");
    await expect(apply(join(context.path, "gone", "small.safetensors"))).rejects.toThrow("The folder of small.safetensors does not exist.");
    await expect(apply(join(context.path, "link.safetensors"))).rejects.toThrow(/link\.safetensors is a link/);
    await expect(apply(join(context.path, "small.safetensors"), text.replace(/"sha256": "./, '"sha256": "x'))).rejects.toThrow(/made for another model/);
    await expect(apply(join(context.path, "small.safetensors"), text.replace(/"ranks": \[\s*\d+/, '"ranks": [999'))).rejects.toThrow(/rank 999 is out of range/);
    await expect(apply(join(context.path, "small.safetensors"), "{}")).rejects.toThrow(/is no plan of RankLens/);
    expect(readdirSync(context.path).sort()).toEqual(["link.safetensors", "m.safetensors"]);
  });

  it("leaves nothing behind when it is cancelled while it writes", async () => {
    const path = writeModel(context.path, "large.safetensors", { "a.weight": noise(2, 900, 900), "b.weight": noise(4, 900, 900), "c.weight": noise(7, 900, 900), "d.weight": noise(8, 20, 20) });
    await engine.client.request("analyze", { path });
    const { text } = await engine.client.request("plan", { path, draft: draft(1_000_000) });
    const stop = new AbortController();
    engine.client.onWork(({ task }) => { if (task === "apply") stop.abort(); });
    await expect(engine.client.request("apply", { path, plan: text, output: join(context.path, "small.safetensors"), as: "factored" }, stop.signal)).rejects.toThrow(/cancel/i);
    await expect.poll(() => readdirSync(context.path)).toEqual(["large.safetensors"]);
    expect(isAlive(engine.engines()[0]!)).toBe(true);
  });
});
