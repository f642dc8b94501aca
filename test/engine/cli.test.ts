import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { diagonal, noise, temporaryFolder, writeModel } from "./support/modelFiles";
import { buildPrograms, type Programs } from "./support/programs";
import { isAlive, untilGone } from "./support/watchedEngine";

let programs: Programs;
let folder: ReturnType<typeof temporaryFolder>;
let model: string;

beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());
beforeEach(() => {
  folder = temporaryFolder();
  model = writeModel(folder.path, "m.safetensors", { "a.weight": diagonal(4, 3, 2, 1), "b.weight": noise(2, 12, 9), "a.bias": noise(3, 4) });
});
afterEach(() => folder.remove());

const environment = () => ({ ...process.env, XDG_CACHE_HOME: join(folder.path, "cache"), LOCALAPPDATA: join(folder.path, "cache"), NO_COLOR: "1" });

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [programs.cli, ...args], { encoding: "utf8", env: environment(), cwd: folder.path });
  return { code: status, out: stdout, err: stderr };
}

describe("ranklens analyze", () => {
  it("writes a table to standard output and nothing else", () => {
    const { code, out, err } = run("analyze", model);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/a\.weight .*4 × 4/);
    expect(out).not.toContain("\u001b");
  });

  it("takes a folder for the model in it", () => {
    const { code, out } = run("analyze", folder.path, "--json");
    expect(code).toBe(0);
    expect((JSON.parse(out) as { model: { path: string } }).model.path).toBe(model);
    writeModel(folder.path, "n.safetensors", { "a.weight": diagonal(2, 1) });
    const several = run("analyze", folder.path);
    expect([several.code, several.err]).toEqual([1, expect.stringMatching(/^ranklens: \S+ holds several models: m\.safetensors, n\.safetensors\. Open one of them\.\n$/)]);
  });

  it("writes JSON that is JSON, with the spectrum on request", () => {
    const { code, out } = run("analyze", model, "--json", "--spectrum");
    expect(code).toBe(0);
    const report = JSON.parse(out) as { schema: string; layers: { name: string; singularValues: number[] }[]; skipped: { name: string }[] };
    expect(report.schema).toBe("ranklens.analysis/1");
    const sigma = report.layers.find(({ name }) => name === "a.weight")?.singularValues ?? [];
    [4, 3, 2, 1].forEach((value, index) => expect(sigma[index]).toBeCloseTo(value, 9));
    expect(report.skipped.map(({ name }) => name)).toEqual(["a.bias"]);
  });

  it("--out writes whole files, by their ending, and leaves nothing else", () => {
    for (const [name, begin] of [["r.json", "{"], ["r.csv", "name,"], ["r.md", "# "], ["r.txt", "m.safetensors"]] as const) {
      expect(run("analyze", model, "--out", name)).toMatchObject({ code: 0, out: "" });
      expect(readFileSync(join(folder.path, name), "utf8").startsWith(begin)).toBe(true);
    }
    expect(readdirSync(folder.path).sort()).toEqual(["cache", "m.safetensors", "r.csv", "r.json", "r.md", "r.txt"]);
  });

  it("--out says before it computes that the place cannot be written", () => {
    mkdirSync(join(folder.path, "d"));
    expect(run("analyze", model, "--out", "nowhere/r.json")).toMatchObject({ code: 1, out: "" });
    expect(run("analyze", model, "--out", "d").err).toMatch(/^ranklens: d is a folder\. .+\n$/);
    expect(existsSync(join(folder.path, "cache"))).toBe(false);
  });

  it("--layers measures what matches and says how many were left out", () => {
    const { code, out, err } = run("analyze", model, "--json", "--layers", "b*");
    expect(code).toBe(0);
    expect((JSON.parse(out) as { layers: { name: string }[] }).layers.map(({ name }) => name)).toEqual(["b.weight"]);
    expect(err).toBe("1 of 2 matrices were left out by --layers.\n");
    const none = run("analyze", model, "--layers", "c.weigth");
    expect(none.code).toBe(1);
    expect(none.err).toMatch(/^ranklens: None of 2 layers matches "c\.weigth"\. Close names: .*\.weight.*\n$/);
  });

  it("keeps results, so that a second run computes nothing; --no-cache does not", () => {
    run("analyze", model, "--no-cache");
    expect(existsSync(join(folder.path, "cache"))).toBe(false);
    expect(run("analyze", model).out).toContain("Took");
    const first = run("analyze", model, "--json").out;
    expect(run("analyze", model).out).toContain("From the cache");
    expect(run("analyze", model, "--json").out).toBe(first);
  });

  it("ends with 1 and one line for an input at fault", () => {
    writeFileSync(join(folder.path, "bad.safetensors"), "not a model at all");
    for (const path of ["bad.safetensors", "missing.safetensors", "m.unknown", "."]) {
      const { code, out, err } = run("analyze", path);
      expect({ path, code, out }).toEqual({ path, code: 1, out: "" });
      expect(err).toMatch(/^ranklens: .+\.\n$/);
    }
  });

  it("measures the rest of a model with a NaN layer and says so; 1 when there is nothing else", () => {
    const broken = noise(1, 4, 4);
    broken.values[0] = NaN;
    const some = run("analyze", writeModel(folder.path, "some.safetensors", { broken, good: noise(2, 4, 4) }), "--json");
    expect(some.code).toBe(0);
    expect(some.err).toMatch(/1 of 2 matrices could not be measured/);
    expect(run("analyze", writeModel(folder.path, "all.safetensors", { broken }), "--json").code).toBe(1);
  });

  it("ends with 2 for wrong usage", () => {
    for (const args of [[], ["analyze"], ["analyze", model, "--jsn"], ["analyze", model, "--json", "--csv"], ["analyze", model, "--threads", "0"], ["analyze", model, "--spectrum"], ["nonsense"]]) {
      const { code, out } = run(...args);
      expect({ args, code, out }).toEqual({ args, code: 2, out: "" });
    }
  });

  it("explains itself", () => {
    expect(run("--help").out).toMatch(/Examples:[\s\S]+Exit status/);
    expect(run("analyze", "--help").out).toContain("--allow-external-data");
    expect(run("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
  });

  it.skipIf(process.platform === "win32")("is quiet when its reader closes the pipe", () => {
    const many = writeModel(folder.path, "many.safetensors", Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`layer.${i}.weight`, noise(i, 2, 2)])));
    const out = execFileSync("bash", ["-c", `set -o pipefail; "$0" "$1" analyze "$2" --json --smallest 1 --threads 1 2>err | head -1; echo "$?"; cat err`, process.execPath, programs.cli, many], { encoding: "utf8", env: environment(), cwd: folder.path });
    expect(out).toBe("{\n0\n");
  });
});

describe.skipIf(process.platform === "win32")("Ctrl+C", () => {
  it("stops at once, says what is kept, and leaves no process", async () => {
    const large = writeModel(folder.path, "large.safetensors", { victim: noise(1, 3000, 3000), small: noise(2, 20, 20) });
    const child = spawn(process.execPath, [programs.cli, "analyze", large, "--threads", "2"], { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => { out += text; });
    child.stderr.setEncoding("utf8").on("data", (text: string) => { err += text; });
    const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
    const journals = () => (existsSync(join(folder.path, "cache")) ? readdirSync(join(folder.path, "cache"), { recursive: true, encoding: "utf8" }) : []).filter((name) => name.endsWith(".journal"));
    while (journals().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(child.pid)], { encoding: "utf8" }).trim().split(/\s+/).map(Number);
    expect(children.filter(isAlive).length).toBeGreaterThan(0);
    const asked = performance.now();
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    expect(performance.now() - asked).toBeLessThan(500);
    expect(err).toMatch(/^ranklens: interrupted, 1 of 2 matrices were measured and are kept: run it again to go on\.\n$/);
    expect(out).toBe("");
    await untilGone(children, 500);
  });
});
