import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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

function started(...args: string[]) {
  const child = spawn(process.execPath, [programs.cli, ...args], { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => { output.out += text; });
  child.stderr.setEncoding("utf8").on("data", (text: string) => { output.err += text; });
  return { child, output, closed: new Promise<number | null>((resolve) => child.on("close", resolve)) };
}

/** Until a result is in the cache. */
async function journaled(child: ChildProcess): Promise<void> {
  const journals = () => (existsSync(join(folder.path, "cache")) ? readdirSync(join(folder.path, "cache"), { recursive: true, encoding: "utf8" }) : []).filter((name) => name.endsWith(".journal"));
  while (journals().length === 0 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
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

  it("ends with 1 for a model that changed while it was analyzed, with the report of what was measured before", async () => {
    const changing = writeModel(folder.path, "changing.safetensors", { first: noise(1, 900, 900), ...Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`layer.${i}.weight`, noise(i, 600, 600)])) });
    const { child, closed, output } = started("analyze", changing, "--threads", "1");
    await journaled(child);
    truncateSync(changing, 4_000_000);
    expect(await closed).toBe(1);
    expect(output.err).toMatch(/^ranklens: changing\.safetensors changed while it was analyzed: \d+ of 31 matrices could not be measured\. Wait until .+\.\n$/);
    expect(output.out).toMatch(/first .*900 × 900 +\d/);
  });

  it("says which layers need more memory than is allowed, and measures them", () => {
    const { code, out, err } = run("analyze", model, "--memory", "1");
    expect(code).toBe(0);
    expect(out).toMatch(/a\.weight .*4 × 4 +\d/);
    expect(err).toMatch(/^ranklens: b\.weight needs about \d+ MB of memory, and the computing processes may take 1 MB: it is computed alone, and so is 1 other layer\.\n$/);
  });

  it.each([
    ["does not load", 'throw new Error("libonnxruntime.so.1: cannot open shared object file")', /^ranklens: ONNX Runtime does not load on \S+: libonnxruntime\.so\.1: cannot open shared object file\. Spectra take longer without it; their values are the same\.\n$/],
    ["is of another version", "module.exports = {}", /^ranklens: ONNX Runtime 9\.9\.9 has another native interface than RankLens knows\. Spectra take longer without it; .+\.\n$/],
  ])("says once that ONNX Runtime %s, and measures without it", (_what, binding, sentence) => {
    const alone = join(folder.path, "alone"), packages = join(alone, "node_modules");
    cpSync(dirname(programs.cli), alone, { recursive: true });
    for (const name of ["onnxruntime-node/dist", "onnxruntime-common"]) mkdirSync(join(packages, name), { recursive: true });
    writeFileSync(join(packages, "onnxruntime-node/package.json"), JSON.stringify({ version: "9.9.9" }));
    writeFileSync(join(packages, "onnxruntime-node/dist/binding.js"), binding);
    writeFileSync(join(packages, "onnxruntime-common/index.js"), "");
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(alone, basename(programs.cli)), "analyze", model, "--threads", "2"], { encoding: "utf8", env: { ...environment(), NODE_PATH: "" }, cwd: folder.path });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(sentence) as string });
    expect(stdout).toMatch(/a\.weight .*4 × 4 +\d/);
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
    const { child, closed, output } = started("analyze", large, "--threads", "2");
    await journaled(child);
    const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(child.pid)], { encoding: "utf8" }).trim().split(/\s+/).map(Number);
    expect(children.filter(isAlive).length).toBeGreaterThan(0);
    const asked = performance.now();
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    expect(performance.now() - asked).toBeLessThan(500);
    expect(output.err).toMatch(/^ranklens: interrupted, 1 of 2 matrices were measured and are kept: run it again to go on\.\n$/);
    expect(output.out).toBe("");
    await untilGone(children, 500);
  });
});
