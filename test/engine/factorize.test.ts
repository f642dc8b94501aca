import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gzipSync } from "node:zlib";
import { noise, temporaryFolder, writeModel } from "./support/modelFiles";
import { buildPrograms, type Programs } from "./support/programs";
import { convolutionModel } from "../unit/factorize/support/runnable";

let programs: Programs;
let folder: ReturnType<typeof temporaryFolder>;

beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());
beforeEach(() => { folder = temporaryFolder(); });
afterEach(() => folder.remove());

const environment = () => ({ ...process.env, XDG_CACHE_HOME: join(folder.path, "cache"), LOCALAPPDATA: join(folder.path, "cache"), NO_COLOR: "1" });
const at = (name: string): string => join(folder.path, name);
const files = (): string[] => readdirSync(folder.path).filter((name) => name !== "cache").sort();

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [programs.cli, ...args], { encoding: "utf8", env: environment(), cwd: folder.path });
  return { code: status, out: stdout, err: stderr };
}

interface Json {
  readonly plan: { readonly layers: readonly { readonly name: string; readonly action: string; readonly ranks: number[]; readonly reason: string; readonly multiplyAddsAfter?: number; readonly relativeError: number }[] };
  readonly before: { readonly parameters: number; readonly macs: number };
  readonly after: { readonly parameters: number; readonly bytes: number; readonly macs: number };
  readonly verification: { readonly outputs: readonly { readonly relativeError: number; readonly cosine: number }[] } | null;
}

/** Four layers of noise: the last is the model's head. */
function safetensors(): string {
  return writeModel(folder.path, "m.safetensors", { "a.weight": noise(2, 40, 30), "a.bias": noise(3, 40), "b.weight": noise(4, 30, 40), "c.weight": noise(5, 30, 30), "head.weight": noise(6, 12, 30) });
}

function onnx(): string {
  const { path } = convolutionModel({ opType: "Conv", channels: [8, 12], kernel: [3, 3], pads: [1, 1, 1, 1], bias: true });
  writeFileSync(at("m.onnx"), readFileSync(path));
  return at("m.onnx");
}

describe("ranklens factorize", () => {
  it("keeps within its budget, and writes model, plan and loader and nothing else", () => {
    const { code, out, err } = run("factorize", safetensors(), "--out", "small.safetensors", "--budget", "params:0.6", "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const { plan, before, after } = JSON.parse(out) as Json;
    expect(after.parameters).toBeLessThanOrEqual(0.6 * before.parameters);
    expect(files()).toEqual(["load_factorized.py", "m.safetensors", "small.safetensors", "small.safetensors.plan.json"]);
    expect(plan.layers.find(({ name }) => name === "head.weight")).toMatchObject({ action: "keep", reason: expect.stringMatching(/^last layer/) as string });
    expect(JSON.parse(readFileSync(at("small.safetensors.plan.json"), "utf8"))).toEqual(plan);
  });

  it("gives the same bytes again from the plan that it wrote", () => {
    const model = onnx();
    expect(run("factorize", model, "--out", "a.onnx", "--ranks", "ratio:0.5", "--scheme", "tucker2", "--include", "*").code).toBe(0);
    expect(run("factorize", model, "--out", "b.onnx", "--ranks", "a.onnx.plan.json").code).toBe(0);
    expect(readFileSync(at("a.onnx")).equals(readFileSync(at("b.onnx")))).toBe(true);
    expect(readFileSync(at("a.onnx.plan.json"), "utf8")).toBe(readFileSync(at("b.onnx.plan.json"), "utf8"));
  });

  it("keeps within a budget of multiply-adds, which it counts by running the graph", () => {
    const { code, out } = run("factorize", onnx(), "--dry-run", "--budget", "macs:0.6", "--include", "*", "--json");
    expect(code).toBe(0);
    const { plan, before, after } = JSON.parse(out) as Json;
    // 8 × 12 kernels of 3 × 3, at each of 16 × 16 positions of the output for inputs of that size.
    expect(before.macs).toBe(8 * 12 * 9 * 16 * 16);
    expect(after.macs).toBeLessThanOrEqual(0.6 * before.macs);
    expect(plan.layers.reduce((sum, { multiplyAddsAfter = 0 }) => sum + multiplyAddsAfter, 0)).toBe(after.macs);
    expect(run("factorize", at("m.onnx"), "--dry-run", "--budget", "macs:0.5", "--include", "*").out).toMatch(/221 k multiply-adds → \d+ k \(\d+ %\), for one run on x \[1, 8, 16, 16\]/);
  });

  it("writes float32 factors that lose what the singular values say, to 1e-5, from several processes at once", () => {
    const shapes = [[300, 220], [150, 400], [260, 260], [40, 30]] as const;
    const model = writeModel(folder.path, "m.safetensors", Object.fromEntries([...shapes.map(([rows, columns], index) => [`l${index}.weight`, noise(index + 2, rows, columns)]), ["head.weight", noise(9, 8, 30)]]));
    expect(run("factorize", model, "--out", "s.safetensors", "--budget", "params:0.4").code).toBe(0);
    const plan = JSON.parse(readFileSync(at("s.safetensors.plan.json"), "utf8")) as Json["plan"];
    const told = JSON.parse(execFileSync("/usr/bin/python3", [join(import.meta.dirname, "../reference/factor_errors.py"), model, at("s.safetensors")], { encoding: "utf8" })) as Record<string, { error: number; best: number }>;
    expect(Object.keys(told).length).toBeGreaterThanOrEqual(3);
    for (const [name, { error, best }] of Object.entries(told)) {
      expect(Math.abs(error - best)).toBeLessThan(1e-5);
      expect(Math.abs(error - plan.layers.find((layer) => layer.name === name)!.relativeError)).toBeLessThan(1e-5);
    }
  });

  it("verifies in ONNX Runtime, on seeded inputs and on data", () => {
    const model = onnx();
    const seeded = JSON.parse(run("factorize", model, "--out", "a.onnx", "--ranks", "fixed:7", "--scheme", "channel", "--include", "*", "--verify", "--json").out) as Json;
    expect(seeded.verification?.outputs).toHaveLength(1);
    expect(seeded.verification?.outputs[0]?.cosine).toBeGreaterThan(0.5);
    expect(seeded.verification?.outputs[0]?.relativeError).toBeLessThan(1);
    execFileSync("/usr/bin/python3", ["-c", "import numpy; numpy.savez('d.npz', x=numpy.random.randn(3, 8, 9, 9).astype('f4')); numpy.save('w.npy', numpy.zeros((3, 5, 9, 9), 'f4'))"], { cwd: folder.path });
    const { code, out } = run("verify", "m.onnx", "a.onnx", "--data", "d.npz");
    expect(code).toBe(0);
    expect(out).toMatch(/Compared on 1 batch of d\.npz:\n {2}y: relative error .*cosine/);
    expect(run("verify", "m.onnx", "m.onnx", "--data", "d.npz", "--json").out).toMatch(/"relativeError": 0,/);
  });

  it("--dry-run shows the plan and writes nothing", () => {
    const { code, out } = run("factorize", safetensors(), "--dry-run", "--ranks", "energy:0.5");
    expect(code).toBe(0);
    expect(out).toContain("Nothing was written");
    expect(files()).toEqual(["m.safetensors"]);
  });

  it("keeps a layer whose rank is not below its break-even rank, and says so", () => {
    const { out } = run("factorize", safetensors(), "--dry-run", "--ranks", "energy:0.99", "--json");
    const { plan } = JSON.parse(out) as Json;
    expect(plan.layers.find(({ name }) => name === "c.weight")).toMatchObject({ action: "keep", reason: expect.stringMatching(/break-even rank is 14$/) as string });
  });
});

describe("ranklens factorize, given what it cannot do,", () => {
  const fails = (code: number, line: RegExp, ...args: string[]): void => {
    const before = files();
    const found = run("factorize", ...args);
    expect(found).toMatchObject({ code, out: "" });
    expect(found.err).toMatch(line);
    expect(found.err.trimEnd().split("\n")).toHaveLength(1);
    expect(files()).toEqual(before);
  };

  it("says the least that a budget can be", () => {
    // 70 + 70 + 60 at rank 1, and the head and the bias as they are.
    fails(1, /^ranklens: The budget of 37 parameters cannot be met: .* still takes 600 parameters\./, safetensors(), "--out", "s.safetensors", "--budget", "params:0.01");
  });

  it("refuses a plan for another model, one out of range and one that is none", () => {
    const model = onnx();
    run("factorize", model, "--out", "a.onnx", "--ranks", "fixed:3", "--scheme", "channel", "--include", "*");
    const plan = readFileSync(at("a.onnx.plan.json"), "utf8");
    writeFileSync(at("range.json"), plan.replace(/"ranks": \[\s*3\s*\]/, '"ranks": [99]'));
    writeFileSync(at("none.json"), '{"schema": "other/1"}');
    writeFileSync(at("other.json"), plan.replace(/"sha256": "./, '"sha256": "x'));
    fails(1, /hashes differ/, model, "--out", "b.onnx", "--ranks", "other.json");
    fails(1, /layer conv\.weight of m\.onnx: ranks 99 are out of range, the highest are 12/, model, "--out", "b.onnx", "--ranks", "range.json");
    fails(1, /none\.json is no plan of RankLens/, model, "--out", "b.onnx", "--ranks", "none.json");
  });

  it("refuses to write over the original, into no folder, over a folder, and under another ending", () => {
    const model = onnx();
    mkdirSync(at("d.onnx"));
    fails(1, /m\.onnx is the original, which RankLens never overwrites/, model, "--out", "m.onnx");
    writeFileSync(at("load_factorized.py"), "mine");
    fails(1, /another load_factorized\.py/, safetensors(), "--out", "s.safetensors");
    fails(1, /folder of s\.onnx does not exist/, model, "--out", "nowhere/s.onnx");
    fails(1, /d\.onnx is a folder/, model, "--out", "d.onnx");
    fails(2, /ends in \.onnx/, model, "--out", "s.safetensors");
    fails(2, /--out/, model);
    fails(2, /is no rule for ranks/, model, "--out", "s.onnx", "--ranks", "energy:2");
  });

  it("says which array of the data does not fit, and leaves the written model", () => {
    const model = onnx();
    execFileSync("/usr/bin/python3", ["-c", "import numpy; numpy.savez('d.npz', x=numpy.zeros((3, 5, 9), 'f4')); numpy.savez('n.npz', z=numpy.zeros(3, 'f4'), q=numpy.zeros(3, 'f4'))"], { cwd: folder.path });
    expect(run("verify", model, model, "--data", "d.npz")).toMatchObject({ code: 1, err: expect.stringMatching(/Array x of d\.npz has the shape \[3, 5, 9\], where the model.s input is \[x0, 8, x2, x3\]/) as string });
    expect(run("verify", model, model, "--data", "n.npz").err).toMatch(/n\.npz has no array named x.*it has z, q/);
    const written = run("factorize", model, "--out", "s.onnx", "--ranks", "fixed:7", "--scheme", "channel", "--include", "*", "--verify", "n.npz");
    expect(written).toMatchObject({ code: 1, out: expect.stringContaining("Written: s.onnx") as string, err: expect.stringMatching(/was written, but not verified: n\.npz/) as string });
    writeFileSync(at("junk.npz"), gzipSync("x"));
    expect(run("verify", model, model, "--data", "junk.npz")).toMatchObject({ code: 1, out: "" });
  });

  it("says in one line that the disk is full, and leaves nothing behind", () => {
    if (!existsSync("/dev/full")) return;
    const model = onnx();
    // A limit on the size of files is the disk that is full.
    const limited = spawnSync("/bin/bash", ["-c", `ulimit -f 2; trap '' XFSZ; exec "$0" "$@"`, process.execPath, programs.cli, "factorize", model, "--out", "s.onnx", "--ranks", "fixed:7", "--scheme", "channel", "--include", "*", "--no-cache"], { encoding: "utf8", env: environment(), cwd: folder.path });
    expect(limited.status).toBe(1);
    expect(limited.stderr).toMatch(/^ranklens: s\.onnx could not be written|no space left/);
    expect(files()).toEqual(["m.onnx"]);
  });

  it("ends at once on Ctrl+C, and leaves nothing behind", async () => {
    const model = writeModel(folder.path, "large.safetensors", { "a.weight": noise(2, 1200, 1200), "b.weight": noise(4, 1200, 1200), "c.weight": noise(4, 20, 20) });
    const child = spawn(process.execPath, [programs.cli, "factorize", model, "--out", "s.safetensors", "--ranks", "fixed:9"], { env: environment(), cwd: folder.path, stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.once("exit", (code, signal) => resolve(signal === "SIGINT" ? 130 : code)));
    // In the middle of the write: the file has its temporary name, and its factors are being computed.
    while (!files().some((name) => name.endsWith(".partial"))) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(files()).toEqual(["large.safetensors"]);
  });
});
