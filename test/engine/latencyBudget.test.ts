import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gaussians } from "../unit/factorize/support/runnable";
import { graph, model, node, tensor, typedValue, bytes } from "../unit/onnx/onnxFile";
import { noise, temporaryFolder, writeModel } from "./support/modelFiles";
import { buildPrograms, type Programs } from "./support/programs";

const MODELS = join(import.meta.dirname, "../../../shared/models");
/** No machine takes that long. */
const ENDLESS = "latency:600000ms";

let programs: Programs;
let folder: ReturnType<typeof temporaryFolder>;

beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());
beforeEach(() => { folder = temporaryFolder(); });
afterEach(() => folder.remove());

const environment = () => ({ ...process.env, XDG_CACHE_HOME: join(folder.path, "cache"), LOCALAPPDATA: join(folder.path, "cache"), NO_COLOR: "1" });
const files = (): string[] => readdirSync(folder.path).filter((name) => name !== "cache").sort();

function factorize(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [programs.cli, "factorize", ...args], { encoding: "utf8", env: environment(), cwd: folder.path });
  return { code: status, out: stdout, err: stderr };
}

interface Json {
  readonly plan: {
    readonly choice: string;
    readonly latency: { readonly beforeMs: number; readonly budgetMs: number; readonly budgetShare: number | null; readonly expectedMs: number; readonly unmeasured: readonly string[] };
    readonly layers: readonly { readonly name: string; readonly action: string; readonly reason: string }[];
  };
  readonly verification: { readonly latency: { readonly original: { readonly medianMs: number } } } | null;
}

/** Three products of 768 × 768 for 64 rows: all of the time, of which rank 1 takes next to nothing. */
function products(): string {
  const size = 768, weight = gaussians(size * size, 3);
  const weights = ["a", "b", "c"];
  const body = Buffer.concat([
    graph({ nodes: weights.map((name, index) => node("MatMul", [index === 0 ? "x" : `${name}.in`, `${name}.weight`], [index === 2 ? "y" : `${weights[index + 1]!}.in`], [], name)), initializers: weights.map((name) => tensor(`${name}.weight`, [size, size], weight)) }),
    bytes(11, typedValue("x", 1, [64, size])), bytes(12, typedValue("y", 1, [64, size])),
  ]);
  writeFileSync(join(folder.path, "m.onnx"), model(body));
  return "m.onnx";
}

describe("ranklens factorize --budget latency", () => {
  it("writes a plan of layers measured alone that keeps within the budget, and measures the written model unasked", () => {
    const { code, out, err } = factorize(products(), "--out", "small.onnx", "--budget", "latency:0.8", "--include", "*", "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const { plan, verification } = JSON.parse(out) as Json;
    expect(plan.choice).toMatch(/^budget latency:0\.8 by least-total, scheme auto, measured on this machine/);
    expect(plan.layers.some(({ action }) => action === "factorize")).toBe(true);
    expect(plan.latency).toMatchObject({ budgetShare: 0.8, unmeasured: [] });
    // Both are told to four digits.
    expect(plan.latency.expectedMs).toBeLessThanOrEqual(plan.latency.budgetMs * 1.001);
    expect(verification?.latency.original.medianMs).toBeGreaterThan(0);
    expect(files()).toEqual(["m.onnx", "small.onnx", "small.onnx.plan.json"]);
    expect(JSON.parse(readFileSync(join(folder.path, "small.onnx.plan.json"), "utf8"))).toEqual(plan);
  });

  it.each(["dtln_model_2.onnx", "silero_vad_half.onnx"])("tells of the real model %s what was measured, and whether the budget is met", (name) => {
    copyFileSync(join(MODELS, "onnx", name), join(folder.path, name));
    const { code, out } = factorize(name, "--out", "small.onnx", "--budget", ENDLESS);
    expect(code).toBe(0);
    expect(out).toMatch(/[\d.]+ m?s measured, [\d.]+ m?s expected from layers measured alone, under a budget of 10 min 0 s/);
    expect(out).toMatch(/Latency budget met: the written model takes [\d.]+ m?s, the budget allows 10 min 0 s\./);
  });

  it("says the least that is possible, and writes nothing", () => {
    const { code, err } = factorize(products(), "--out", "small.onnx", "--budget", "latency:0.000001ms");
    expect(code).toBe(1);
    expect(err).toMatch(/The budget of 0\.000001 ms \([\d.]+ %\) cannot be met: with every layer at its smallest the model still takes [\d.]+ m?s \([\d.]+ %\)\./);
    expect(files()).toEqual(["m.onnx"]);
  });

  it("says of a format without a graph that it cannot be measured", () => {
    const { code, err } = factorize(writeModel(folder.path, "m.safetensors", { "a.weight": noise(2, 40, 30), "b.weight": noise(3, 30, 40) }), "--dry-run", "--budget", "latency:0.8");
    expect(code).toBe(1);
    expect(err).toBe("ranklens: The latency of m.safetensors cannot be measured. Its file holds no graph that could be run. Give a budget in parameters or bytes.\n");
  });

  it.each(["latency:12", "latency:0", "latency:12k", "latency:12MiB", "params:12ms", "latency"])("does not take %s for a budget", (budget) => {
    const { code, err } = factorize(products(), "--dry-run", "--budget", budget);
    expect(code).toBe(2);
    expect(err).toContain(`"${budget}" is no budget.`);
  });
});
