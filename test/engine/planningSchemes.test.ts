import { spawnSync } from "node:child_process";
import { beforeEach, describe, expect, it } from "vitest";
import type { Draft, Planning, Work } from "../../src/shared/planning";
import { enginesOfTest } from "./support/enginesOfTest";
import { noise, writeModel } from "./support/modelFiles";
import { isAlive, untilGone, type WatchedEngine } from "./support/watchedEngine";

const context = enginesOfTest();
let engine: WatchedEngine;
let works: Work[];

beforeEach(() => {
  engine = context.start();
  works = [];
  engine.client.onWork((work) => works.push(work));
});

const GONE_MS = 10_000;
const SHARE = 0.5;
/** Channels of a layer whose fit takes long enough to be cancelled. */
const LARGE = 12;
const draft = (scheme: string, changes: Partial<Draft> = {}): Draft => ({ scheme, as: "factored", wish: { kind: "rule", rule: "energy:0.9" }, included: [], excluded: [], locks: {}, ...changes });
const budget = (amount: number, allocation: string): Draft["wish"] => ({ kind: "budget", unit: "params", amount, allocation });
const making = (): Work[] => works.filter(({ task }) => task === "ladders");
const makers = (): number[] => engine.logs.flatMap((line) => /^Ladder process (\d+) started/.exec(line)?.[1] ?? []).map(Number);

function small(): string {
  return writeModel(context.path, "m.safetensors", { "first.weight": noise(1, 6, 4, 3, 3), "a.weight": noise(2, 8, 6, 3, 3), "b.weight": noise(3, 12, 16, 3, 1), "c.weight": noise(4, 32, 24), "head.weight": noise(5, 10, 24) });
}
const TOTAL = 6 * 4 * 9 + 8 * 6 * 9 + 12 * 16 * 3 + 32 * 24 + 10 * 24;

interface Planned {
  readonly name: string;
  readonly action: string;
  readonly scheme: string | null;
  readonly ranks: readonly number[];
  readonly relativeError: number;
}

const planned = (layers: readonly Planned[]): Planned[] => layers.map(({ name, action, scheme, ranks, relativeError }) => ({ name, action, scheme, ranks, relativeError }));

function terminal(path: string, ...args: string[]): Planned[] {
  const { stdout, stderr } = spawnSync(process.execPath, [context.programs.cli, "factorize", path, "--dry-run", "--json", "--no-cache", ...args], { encoding: "utf8" });
  expect(stderr).toBe("");
  return planned((JSON.parse(stdout) as { plan: { layers: Planned[] } }).plan.layers);
}

describe("schemes beyond the plain ones", () => {
  it.each([["alds", "minimax"], ["alds", "least-total"], ["groups2", "least-total"], ["groups4", "minimax"], ["depthwise", "least-total"], ["cp", "least-total"]])("%s under a budget by %s proposes what the terminal does", async (scheme, allocation) => {
    const path = small();
    await engine.client.request("analyze", { path });
    const asked = draft(scheme, { wish: budget(Math.floor(SHARE * TOTAL), allocation) });
    const { layers, after } = await engine.client.request("propose", { path, draft: asked });
    expect(planned(layers)).toEqual(terminal(path, "--scheme", scheme, "--budget", `params:${SHARE}`, "--allocate", allocation));
    expect(after.parameters).toBeLessThanOrEqual(SHARE * TOTAL);
    // ALDS takes one group where more would lose as much: noise is of that kind.
    expect(layers.some((layer) => layer.scheme === scheme) || scheme === "alds").toBe(true);
    const curve = await engine.client.request("curve", { path, draft: asked });
    expect(curve?.points.at(-1)).toMatchObject({ amount: TOTAL, error: 0 });
    expect(curve?.points.some(({ amount }) => amount > after.parameters * 0.9 && amount < after.parameters * 1.1)).toBe(true);
  });

  it.each([["groups8", "energy:0.8"], ["cp", "energy:0.5"], ["depthwise", "stable"]])("%s by the rule %s proposes what the terminal does", async (scheme, rule) => {
    const path = small();
    await engine.client.request("analyze", { path });
    const { layers } = await engine.client.request("propose", { path, draft: draft(scheme, { wish: { kind: "rule", rule } }) });
    expect(planned(layers)).toEqual(terminal(path, "--scheme", scheme, "--ranks", rule));
  });

  it("are offered with what they need, made once, and told of layer by layer", async () => {
    const path = small();
    await engine.client.request("analyze", { path });
    const before = await engine.client.request("planning", { path, as: "factored" });
    const readyOf = (planning: Planning): readonly string[] => (planning.state === "ready" ? planning.ready : []);
    expect(readyOf(before)).toEqual(["svd", "channel", "spatial", "tucker2"]);
    expect(before.state === "ready" && before.choices.schemes.find(({ id }) => id === "alds")?.schemes).toEqual(["svd", "channel", "groups2", "groups4", "groups8"]);
    const after = await engine.client.request("ready", { path, draft: draft("alds") });
    expect(readyOf(after)).toEqual(["svd", "channel", "spatial", "tucker2", "groups2", "groups4", "groups8"]);
    // The input of a matrix may be a vector, which is not taken apart.
    expect(making().map(({ layer, done, total }) => [layer, done, total])).toEqual(["first", "a", "b"].map((name, done) => [`${name}.weight`, done, 3]));
    await engine.client.request("ready", { path, draft: draft("groups4") });
    expect(making()).toHaveLength(3);
    const ladders = await engine.client.request("ladders", { path, as: "factored", name: "b.weight" });
    expect(ladders.map(({ scheme }) => scheme)).toEqual(["channel", "spatial", "tucker2", "groups2", "groups4", "groups8"]);
  });

  it("that are fitted have no spectrum to cut, only the ranks that were tried", async () => {
    const path = small();
    await engine.client.request("analyze", { path });
    await engine.client.request("ready", { path, draft: draft("cp") });
    const fitted = (await engine.client.request("ladders", { path, as: "factored", name: "b.weight" })).find(({ scheme }) => scheme === "cp");
    expect(fitted?.modes).toEqual([]);
    expect(fitted?.rungs[0]?.ranks).toEqual([1]);
    const errors = fitted!.rungs.map(({ error }) => error);
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
  });

  it("stay ready when the planning process dies", async () => {
    const path = small();
    await engine.client.request("analyze", { path });
    const asked = draft("cp", { wish: budget(SHARE * TOTAL, "least-total") });
    const { layers } = await engine.client.request("propose", { path, draft: asked });
    const told = making().length;
    const planner = engine.logs.flatMap((line) => /^Planning process (\d+) started/.exec(line)?.[1] ?? []).map(Number);
    process.kill(planner[0]!, "SIGKILL");
    await untilGone(planner, GONE_MS);
    expect((await engine.client.request("propose", { path, draft: asked })).layers).toEqual(layers);
    expect(making()).toHaveLength(told);
  });

  it("keep the layers that are made when they are cancelled, and leave the rest as it was", async () => {
    const path = writeModel(context.path, "slow.safetensors", Object.fromEntries(["a", "b", "c", "d"].map((name, index) => [`${name}.weight`, noise(index + 1, LARGE, LARGE, 3, 3)])));
    await engine.client.request("analyze", { path });
    await engine.client.request("planning", { path, as: "factored" });
    const stop = new AbortController();
    engine.client.onWork(({ task, done }) => { if (task === "ladders" && done === 1) stop.abort(); });
    await expect(engine.client.request("ready", { path, draft: draft("cp") }, stop.signal)).rejects.toThrow(/cancel/i);
    await untilGone(makers(), GONE_MS);
    expect((await engine.client.request("propose", { path, draft: draft("auto") })).layers).toHaveLength(4);
    works.length = 0;
    await engine.client.request("ready", { path, draft: draft("cp") });
    expect(making().map(({ layer, total }) => [layer, total])).toEqual(["b", "c", "d"].map((name) => [`${name}.weight`, 3]));
    expect(isAlive(engine.engines()[0]!)).toBe(true);
  });
});
