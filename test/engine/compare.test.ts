import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { enginesOfTest } from "./support/enginesOfTest";
import { diagonal, noise, writeModel, type TestTensor } from "./support/modelFiles";

const test = enginesOfTest();

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [test.programs.cli, ...args], { encoding: "utf8", cwd: test.path });
  return { code: status, out: stdout, err: stderr };
}

const plus = (a: TestTensor, b: TestTensor): TestTensor => ({ shape: a.shape, values: a.values.map((value, index) => value + b.values[index]!) });

interface Written {
  readonly schema: string;
  readonly adapter: boolean;
  readonly layers: { name: string; baseName: string | null; relativeNorm: number | null; stableRank: number; fullRank: number; frobeniusNorm: number; energyRank: Record<string, number>; withinRounding: boolean }[];
  readonly onlyInA: { name: string }[];
  readonly onlyInB: { name: string }[];
  readonly shapesDiffer: { name: string }[];
  readonly failed: { name: string }[];
  readonly untouched: number;
  readonly rankForMost: number;
}

const compared = (...args: string[]): Written => JSON.parse(run("compare", ...args, "--json").out) as Written;

describe("ranklens compare", () => {
  const base = diagonal(4, 4, 4, 4);

  it("tells the size and the ranks of each layer's change, and what has no counterpart", () => {
    // A change of diag(3, 1, 0, 0) has the energies 0.9 and 0.1.
    const a = writeModel(test.path, "a.safetensors", { "q.weight": base, "same.weight": noise(1, 6, 6), "old.weight": noise(2, 5, 5), "wide.weight": noise(3, 4, 8) });
    const b = writeModel(test.path, "b.safetensors", { "q.weight": plus(base, diagonal(3, 1, 0, 0)), "same.weight": noise(1, 6, 6), "new.weight": noise(2, 5, 5), "wide.weight": noise(3, 8, 4) });
    const { schema, layers, onlyInA, onlyInB, shapesDiffer, rankForMost } = compared(a, b);
    expect(schema).toBe("ranklens.comparison/1");
    const [q, same] = layers;
    expect(q).toMatchObject({ name: "q.weight", fullRank: 4, energyRank: { "0.95": 2, "0.99": 2 }, withinRounding: false });
    expect(q?.relativeNorm).toBeCloseTo(Math.sqrt(10) / 8, 6);
    expect(q?.stableRank).toBeCloseTo(10 / 9, 6);
    expect(same).toMatchObject({ name: "same.weight", relativeNorm: 0, frobeniusNorm: 0, energyRank: { "0.9": 0 } });
    expect([onlyInA, onlyInB, shapesDiffer].map((list) => list.map(({ name }) => name))).toEqual([["old.weight"], ["new.weight"], ["wide.weight"]]);
    expect(rankForMost).toBe(q?.energyRank["0.9"]);
    const { code, out, err } = run("compare", a, b);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/q\.weight +4 × 4 +0\.395/);
    expect(out).toContain("1 of 2 matrices are the same in both.");
    expect(out).toContain("Only in A (1)\n  old.weight [5, 5]");
  });

  it("tells what an adapter adds to its base, with its scale", () => {
    const a = writeModel(test.path, "a.safetensors", { "model.q.weight": base, "model.k.weight": noise(1, 4, 4) });
    const up: TestTensor = { shape: [4, 2], values: Float32Array.of(3, 0, 0, 1, 0, 0, 0, 0) }, down: TestTensor = { shape: [2, 4], values: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0) };
    const b = writeModel(test.path, "adapter_model.safetensors", { "base_model.model.model.q.lora_A.weight": down, "base_model.model.model.q.lora_B.weight": up });
    writeFileSync(join(test.path, "adapter_config.json"), JSON.stringify({ r: 2, lora_alpha: 4 }));
    const { adapter, layers: [q, ...others], untouched } = compared(a, b);
    expect([adapter, others.length, untouched]).toEqual([true, 0, 1]);
    expect(q).toMatchObject({ baseName: "model.q.weight", fullRank: 2, energyRank: { "0.95": 2 } });
    // α/r = 2: diag(6, 2) beside diag(4, 4, 4, 4).
    expect(q?.frobeniusNorm).toBeCloseTo(Math.sqrt(40), 6);
    expect(q?.relativeNorm).toBeCloseTo(Math.sqrt(40) / 8, 6);
    expect(run("compare", b, a)).toMatchObject({ code: 2, err: expect.stringContaining("Name the base model first") as string });
  });

  it("goes on beside a layer of NaN, and says which it was", () => {
    const broken = noise(1, 4, 4);
    broken.values[3] = NaN;
    const a = writeModel(test.path, "a.safetensors", { bad: broken, good: base }), b = writeModel(test.path, "b.safetensors", { bad: noise(1, 4, 4), good: plus(base, diagonal(1, 0, 0, 0)) });
    const { code, err, out } = run("compare", a, b, "--json");
    expect(code).toBe(0);
    expect(err).toMatch(/^ranklens: bad: .*1 NaN/);
    expect((JSON.parse(out) as Written).failed.map(({ name }) => name)).toEqual(["bad"]);
  });

  it("ends with 1 and one line where nothing can be compared", () => {
    const a = writeModel(test.path, "a.safetensors", { q: base }), b = writeModel(test.path, "b.safetensors", { other: base });
    expect(run("compare", a, b)).toMatchObject({ code: 1, out: "", err: "ranklens: The two models have no layer of one name: a.safetensors has 1, such as q; b.safetensors has 1, such as other. Compare a model with what was trained from it.\n" });
    expect(run("compare", a, "missing.safetensors")).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/^ranklens: .+\n$/) as string });
    expect(run("compare", a).code).toBe(2);
  });

  it.skipIf(process.platform === "win32")("stops at Ctrl+C", async () => {
    const large = { x: noise(1, 3000, 3000), y: noise(2, 3000, 3000) };
    const a = writeModel(test.path, "a.safetensors", large), b = writeModel(test.path, "b.safetensors", { x: large.y, y: large.x });
    const child = spawn(process.execPath, [test.programs.cli, "compare", a, b], { stdio: ["ignore", "pipe", "pipe"] });
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => { err += text; });
    const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    expect(err).toBe("ranklens: interrupted.\n");
  });
});
