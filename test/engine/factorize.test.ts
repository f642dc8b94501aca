import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** As transformers saves a large model: two shards, their index, and what belongs to the model beside them. */
function shardedModel(name: string, size: number): string {
  const at = join(folder.path, name);
  mkdirSync(at);
  writeModel(at, "model-00001-of-00002.safetensors", { "embed_tokens.weight": noise(1, 30, size), "layers.0.fc.weight": noise(2, size, size) });
  writeModel(at, "model-00002-of-00002.safetensors", { "layers.0.fc.bias": noise(3, size), "layers.1.fc.weight": noise(4, size, size), "lm_head.weight": noise(5, 30, size) });
  const map = { "embed_tokens.weight": 1, "layers.0.fc.weight": 1, "layers.0.fc.bias": 2, "layers.1.fc.weight": 2, "lm_head.weight": 2 };
  writeFileSync(join(at, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(Object.entries(map).map(([key, shard]) => [key, `model-0000${shard}-of-00002.safetensors`])) }));
  for (const companion of ["config.json", "tokenizer.json", "LICENSE"]) writeFileSync(join(at, companion), `${companion} as it was`);
  for (const other of ["trainer_state.json", "optimizer.bin"]) writeFileSync(join(at, other), "of the training");
  return at;
}

describe("ranklens factorize, of a folder", () => {
  const written = ["LICENSE", "config.json", "load_factorized.py", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "model.safetensors.index.json.plan.json", "tokenizer.json"];

  it("writes another folder, with shards as shards and all that belongs to the model, which opens again", () => {
    const model = shardedModel("hf", 48);
    expect(run("factorize", model, "--out", "small", "--budget", "params:0.7", "--verify", "--json")).toMatchObject({ code: 0, err: "" });
    expect(readdirSync(at("small")).sort()).toEqual(written);
    expect(readFileSync(join(at("small"), "tokenizer.json"), "utf8")).toBe("tokenizer.json as it was");
    expect(run("analyze", "small").code).toBe(0);
    const { code, out } = run("verify", "hf", "small");
    expect(code).toBe(0);
    expect(out).toMatch(/^Output error of each layer that changed, on seeded Gaussian inputs/);
    expect(out).toMatch(/layers\.1\.fc\.weight {2}0\.\d+/);
  });

  it("gives the same bytes again, and leaves what is there under a companion's name", () => {
    shardedModel("hf", 40);
    mkdirSync(at("two"));
    writeFileSync(join(at("two"), "config.json"), "mine");
    expect(run("factorize", "hf", "--out", "one", "--ranks", "ratio:0.5").code).toBe(0);
    expect(run("factorize", "hf", "--out", "two", "--ranks", join("one", "model.safetensors.index.json.plan.json")).code).toBe(0);
    for (const name of written.filter((each) => each !== "config.json")) expect(readFileSync(join(at("one"), name)).equals(readFileSync(join(at("two"), name)))).toBe(true);
    expect(readFileSync(join(at("two"), "config.json"), "utf8")).toBe("mine");
  });

  it("never writes into the folder that it reads, where names are the same", () => {
    shardedModel("hf", 40);
    const before = readdirSync(at("hf")).sort();
    expect(run("factorize", "hf", "--out", "hf", "--ranks", "ratio:0.5")).toMatchObject({ code: 1, err: expect.stringMatching(/is the original, which RankLens never overwrites/) as string });
    expect(run("factorize", "hf", "--out", join("hf", "small.safetensors"), "--ranks", "ratio:0.5")).toMatchObject({ code: 2, err: expect.stringMatching(/is of several files: the name of the output ends in \.safetensors\.index\.json/) as string });
    expect(readdirSync(at("hf")).sort()).toEqual(before);
  });

  it("says which shards are missing, before anything is computed", () => {
    rmSync(join(shardedModel("hf", 40), "model-00002-of-00002.safetensors"));
    expect(run("factorize", "hf", "--out", "small", "--ranks", "ratio:0.5")).toMatchObject({ code: 1, err: expect.stringMatching(/1 of 2 shards of model\.safetensors\.index\.json are missing/) as string });
    expect(files()).toEqual(["hf"]);
  });

  it("cancelled in mid-write leaves neither folder nor files", async () => {
    shardedModel("hf", 1100);
    const child = spawn(process.execPath, [programs.cli, "factorize", "hf", "--out", "small", "--ranks", "fixed:9"], { env: environment(), cwd: folder.path, stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.once("exit", (code, signal) => resolve(signal === "SIGINT" ? 130 : code)));
    while (!files().some((name) => name.endsWith(".partial"))) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(files()).toEqual(["hf"]);
  });
});

describe("ranklens factorize, to a base and an adapter,", () => {
  it("writes both, which together are the original, and says that they are no smaller", () => {
    const { code, out } = run("factorize", safetensors(), "--as", "adapter", "--out", "base.safetensors", "--ranks", "ratio:0.5", "--verify", "--json");
    expect(code).toBe(0);
    expect(files()).toEqual(["base-adapter", "base.safetensors", "base.safetensors.plan.json", "m.safetensors"]);
    const { before, after, layerErrors } = JSON.parse(out) as Json & { layerErrors: { layers: { name: string; relativeError: number }[] } };
    expect(after.parameters).toBeGreaterThan(before.parameters);
    expect(layerErrors.layers.map(({ name }) => name)).toEqual(["a.weight", "b.weight", "c.weight"]);
    expect(Math.max(...layerErrors.layers.map(({ relativeError }) => relativeError))).toBeLessThan(1e-6);
    expect(run("analyze", join("base-adapter", "adapter_model.safetensors"), "--json").out).toMatch(/scale 1 · rank 8 of at most 30/);
  });

  it("refuses what an adapter cannot hold", () => {
    expect(run("factorize", safetensors(), "--as", "adapter", "--out", "b.safetensors", "--scheme", "tucker2")).toMatchObject({ code: 2, err: expect.stringMatching(/adapter cannot hold factors of the tucker2 scheme/) as string });
    expect(run("factorize", onnx(), "--as", "adapter", "--out", "b.onnx")).toMatchObject({ code: 2 });
    expect(files()).toEqual(["m.onnx", "m.safetensors"]);
  });
});

describe("ranklens factorize, of other formats", () => {
  it("writes a checkpoint of PyTorch as safetensors, and says what was left out", () => {
    execFileSync("/usr/bin/python3", ["-c", "import torch; m = torch.nn.Sequential(torch.nn.Linear(30, 40), torch.nn.Linear(40, 30), torch.nn.Linear(30, 5)); o = torch.optim.SGD(m.parameters(), 0.1, momentum=0.9); m(torch.ones(1, 30)).sum().backward(); o.step(); torch.save({'state_dict': m.state_dict(), 'optimizer': o.state_dict()}, 'm.pt')"], { cwd: folder.path });
    const { code, out } = run("factorize", "m.pt", "--out", "small.safetensors", "--ranks", "ratio:0.5", "--verify");
    expect(code).toBe(0);
    expect(out).toMatch(/Note: 6 tensors that are no part of the model itself, as an optimizer's, are left out\./);
    expect(out).toMatch(/1\.weight {2}0\.\d+/);
    expect(files()).toEqual(["load_factorized.py", "m.pt", "small.safetensors", "small.safetensors.plan.json"]);
  });

  it("verifies on ONNX test data as onnx itself writes it", () => {
    const model = onnx();
    execFileSync("/usr/bin/python3", ["-c", "import os, numpy\nfrom onnx import numpy_helper\nos.makedirs('data/test_data_set_0')\nopen('data/test_data_set_0/input_0.pb', 'wb').write(numpy_helper.from_array(numpy.random.randn(2, 8, 9, 9).astype('f4'), 'x').SerializeToString())"], { cwd: folder.path });
    for (const data of ["data", join("data", "test_data_set_0"), join("data", "test_data_set_0", "input_0.pb")]) {
      expect(run("verify", model, model, "--data", data)).toMatchObject({ code: 0, out: expect.stringMatching(/^Compared on 1 batch of (?:data|test_data_set_0|input_0\.pb):\n {2}y: relative error 0/) as string });
    }
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
    fails(1, /^ranklens: The budget of 37 parameters \(1 %\) cannot be met: .* still takes 600 parameters \(\d+\.\d %\)\./, safetensors(), "--out", "s.safetensors", "--budget", "params:0.01");
  });

  it("refuses a plan for another model, one out of range and one that is none", () => {
    const model = onnx();
    run("factorize", model, "--out", "a.onnx", "--ranks", "fixed:3", "--scheme", "channel", "--include", "*");
    const plan = readFileSync(at("a.onnx.plan.json"), "utf8");
    writeFileSync(at("range.json"), plan.replace(/"ranks": \[\s*3\s*\]/, '"ranks": [99]'));
    writeFileSync(at("none.json"), '{"schema": "other/1"}');
    writeFileSync(at("other.json"), plan.replace(/"sha256": "./, '"sha256": "x'));
    fails(1, /hashes differ/, model, "--out", "b.onnx", "--ranks", "other.json");
    fails(1, /layer conv\.weight of m\.onnx: rank 99 is out of range, the highest is 12/, model, "--out", "b.onnx", "--ranks", "range.json");
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
    expect(limited.stderr).toMatch(/^ranklens: s\.onnx is larger than a file may be there\. .*nothing was left behind\.$/m);
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

  it("killed in the middle leaves nothing behind", async () => {
    const model = writeModel(folder.path, "large.safetensors", { "a.weight": noise(2, 1200, 1200), "b.weight": noise(4, 1200, 1200), "c.weight": noise(4, 20, 20) });
    const child = spawn(process.execPath, [programs.cli, "factorize", model, "--out", "s.safetensors", "--ranks", "fixed:9"], { env: environment(), cwd: folder.path, stdio: "ignore" });
    while (!files().some((name) => name.endsWith(".partial"))) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    while (files().some((name) => name.endsWith(".partial"))) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(files()).toEqual(["large.safetensors"]);
  });
});
