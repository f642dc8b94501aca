import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gaussians, value } from "../unit/factorize/support/runnable";
import { graph, intsAttribute, model, node, tensor } from "../unit/onnx/onnxFile";
import { noise, temporaryFolder, writeModel } from "./support/modelFiles";
import { buildPrograms, type Programs } from "./support/programs";

let programs: Programs;
let folder: ReturnType<typeof temporaryFolder>;

beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());
beforeEach(() => { folder = temporaryFolder(); });
afterEach(() => folder.remove());

const environment = () => ({ ...process.env, XDG_CACHE_HOME: join(folder.path, "cache"), LOCALAPPDATA: join(folder.path, "cache"), NO_COLOR: "1" });
const files = (): string[] => readdirSync(folder.path).filter((name) => name !== "cache").sort();
const bytes = (name: string): Buffer => readFileSync(join(folder.path, name));

function factorize(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [programs.cli, "factorize", ...args], { encoding: "utf8", env: environment(), cwd: folder.path });
  return { code: status, out: stdout, err: stderr };
}

interface Json {
  readonly plan: {
    readonly choice: string;
    readonly calibration?: { readonly file: string; readonly sha256: string; readonly samples: number };
    readonly layers: readonly { readonly name: string; readonly action: string; readonly calibrated?: true; readonly reason: string; readonly errorOf?: "outputs"; readonly relativeError: number; readonly ranks: readonly number[] }[];
  };
  readonly notes: readonly string[];
  readonly verification: { readonly outputs: readonly { readonly relativeError: number }[] };
}

const json = ({ out }: { readonly out: string }): Json => JSON.parse(out) as Json;
const python = (script: string): void => void execFileSync("/usr/bin/python3", ["-c", `import numpy\nr = numpy.random.RandomState(3)\n${script}`], { cwd: folder.path });

/** A convolution of 8 channels, one of which is a thousand times as strong as the last, and a product: y = relu(conv x) · w. */
function onnx(): string {
  const body = Buffer.concat([
    graph({
      nodes: [node("Conv", ["x", "conv.weight"], ["c"], [], "conv"), node("Relu", ["c"], ["r"], [], "relu"), node("MatMul", ["r", "fc.weight"], ["y"], [], "fc")],
      initializers: [tensor("conv.weight", [12, 8, 3, 3], gaussians(864, 3)), tensor("fc.weight", [10, 16], gaussians(160, 4))],
    }),
    value(11, "x", 4, 8), value(12, "y", 4),
  ]);
  writeFileSync(join(folder.path, "m.onnx"), model(body));
  python("for name, n in ('d', 40), ('other', 24): numpy.savez(name, x=(r.standard_normal((n, 8, 9, 12)) * 10.0 ** -numpy.linspace(0, 3, 8).reshape(8, 1, 1)).astype('f4'))");
  return "m.onnx";
}

const INCLUDED = ["--include", "*", "--scheme", "channel"] as const;

describe("ranklens factorize --calibration, of a graph,", () => {
  const verified = [...INCLUDED, "--verify", "other.npz", "--json"] as const;

  it("loses less of the outputs at the same ranks", () => {
    const path = onnx();
    const ranks = ["--ranks", "fixed:4", ...verified, "--exclude", "fc.weight"] as const;
    const plain = json(factorize(path, "--out", "a.onnx", ...ranks)), calibrated = json(factorize(path, "--out", "b.onnx", ...ranks, "--calibration", "d.npz"));
    expect(calibrated.plan.layers[0]).toMatchObject({ name: "conv.weight", calibrated: true, errorOf: "outputs", ranks: [4] });
    expect(calibrated.plan.calibration).toMatchObject({ file: "d.npz", samples: 40, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(plain.plan.layers.every((layer) => layer.calibrated === undefined)).toBe(true);
    expect(calibrated.verification.outputs[0]!.relativeError).toBeLessThan(0.75 * plain.verification.outputs[0]!.relativeError);
  });

  it("tells of a layer what its outputs lose, on other samples too", () => {
    const one = json(factorize(onnx(), "--out", "c.onnx", "--ranks", "fixed:4", ...verified, "--exclude", "conv.weight", "--calibration", "d.npz"));
    const told = one.plan.layers.find(({ name }) => name === "fc.weight")!.relativeError;
    expect(one.verification.outputs[0]!.relativeError / told).toBeGreaterThan(0.9);
    expect(one.verification.outputs[0]!.relativeError / told).toBeLessThan(1.1);
  });

  it("gives the same bytes again from the plan and the data, and says what is missing from the plan alone or with other data", () => {
    const path = onnx();
    expect(factorize(path, "--out", "a.onnx", "--budget", "params:0.6", ...INCLUDED, "--calibration", "d.npz")).toMatchObject({ code: 0, err: "" });
    expect(factorize(path, "--out", "b.onnx", "--ranks", "a.onnx.plan.json", "--calibration", "d.npz")).toMatchObject({ code: 0, err: "" });
    expect(bytes("a.onnx").equals(bytes("b.onnx"))).toBe(true);
    expect(bytes("a.onnx.plan.json").equals(bytes("b.onnx.plan.json"))).toBe(true);
    const before = files();
    expect(factorize(path, "--out", "c.onnx", "--ranks", "a.onnx.plan.json")).toMatchObject({ code: 1, err: "ranklens: The factors of this plan follow the calibration data d.npz, which is not given. Give it with --calibration.\n" });
    expect(factorize(path, "--out", "c.onnx", "--ranks", "a.onnx.plan.json", "--calibration", "other.npz")).toMatchObject({ code: 1, err: expect.stringMatching(/follow other data: .*d\.npz had another content/) as string });
    expect(files()).toEqual(before);
  });

  it.each([["channel", 1e-4], ["spatial", 0.1], ["tucker2", 0.1]] as const)("tells of the %s scheme what its factors lose of the outputs: nearly what the model then loses on this data", (scheme, tolerance) => {
    onnx();
    const body = Buffer.concat([graph({ nodes: [node("Conv", ["x", "conv.weight"], ["y"], [], "conv")], initializers: [tensor("conv.weight", [12, 8, 3, 3], gaussians(864, 3))] }), value(11, "x", 4, 8), value(12, "y", 4)]);
    writeFileSync(join(folder.path, "m.onnx"), model(body));
    const { plan, verification } = json(factorize("m.onnx", "--out", "a.onnx", "--ranks", "ratio:0.6", "--scheme", scheme, "--include", "*", "--calibration", "d.npz", "--verify", "d.npz", "--json"));
    const [layer] = plan.layers;
    expect(layer).toMatchObject({ scheme, errorOf: "outputs" });
    // Only the channel scheme's factors follow data.
    expect(layer!.calibrated).toBe(scheme === "channel" ? true : undefined);
    expect(Math.abs(verification.outputs[0]!.relativeError / layer!.relativeError - 1)).toBeLessThan(tolerance);
  });

  it("says what is wrong with data, and writes nothing", () => {
    const path = onnx();
    python("x = r.standard_normal((3, 8, 9, 12)).astype('f4')\nnumpy.savez('names', z=x, w=x)\nnumpy.savez('shape', x=x[:, :5])\nx[1, 0, 0, 0] = numpy.nan\nnumpy.savez('nan', x=x)\nopen('text.npz', 'w').write('no data')");
    const before = files();
    const told = (data: string): { code: number | null; err: string } => factorize(path, "--out", "a.onnx", "--ranks", "ratio:0.5", "--include", "*", "--calibration", data);
    expect(told("nowhere.npz")).toMatchObject({ code: 1, err: "ranklens: There is no nowhere.npz. Check the path.\n" });
    expect(told("names.npz")).toMatchObject({ code: 1, err: expect.stringMatching(/names\.npz has no array named x, an input of the model; it has z, w/) as string });
    expect(told("shape.npz")).toMatchObject({ code: 1, err: expect.stringMatching(/has the shape \[3, 5, 9, 12\]/) as string });
    expect(told("nan.npz")).toMatchObject({ code: 1, err: expect.stringMatching(/Input x of nan\.npz holds numbers that are not finite/) as string });
    expect(told("text.npz")).toMatchObject({ code: 1, err: expect.stringMatching(/text\.npz/) as string });
    expect(files()).toEqual(before);
  });

  it("interrupted leaves neither output nor temporary files", async () => {
    // Patches of 9 · 64 numbers at 1 024 places of each of 200 samples: seconds of work.
    const body = Buffer.concat([graph({ nodes: [node("Conv", ["x", "w"], ["y"], [intsAttribute("pads", [1, 1, 1, 1])], "conv")], initializers: [tensor("w", [16, 64, 3, 3], gaussians(9216, 3))] }), value(11, "x", 4, 64), value(12, "y", 4)]);
    writeFileSync(join(folder.path, "m.onnx"), model(body));
    python("numpy.savez('large', x=r.standard_normal((200, 64, 32, 32)).astype('f4'))");
    const temporary = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("ranklens-calibration-"));
    const before = temporary();
    const child = spawn(process.execPath, [programs.cli, "factorize", "m.onnx", "--out", "a.onnx", "--ranks", "ratio:0.5", "--include", "*", "--calibration", "large.npz"], { env: environment(), cwd: folder.path, stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
    while (temporary().every((name) => before.includes(name))) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(temporary()).toEqual(before);
    expect(files()).toEqual(["large.npz", "m.onnx"]);
  });
});

/** y = x a + x b / 1000: two products of one size, of which the outputs need one. */
function unequal(): string {
  const body = Buffer.concat([
    graph({
      nodes: [node("MatMul", ["x", "a"], ["ya"], [], "a"), node("MatMul", ["x", "b"], ["yb"], [], "b"), node("Mul", ["yb", "scale"], ["small"], [], "mul"), node("Add", ["ya", "small"], ["y"], [], "add")],
      initializers: [tensor("a", [24, 24], gaussians(576, 3)), tensor("b", [24, 24], gaussians(576, 4)), tensor("scale", [1], [0.001])],
    }),
    value(11, "x", 2, 24), value(12, "y", 2),
  ]);
  writeFileSync(join(folder.path, "m.onnx"), model(body));
  python("numpy.savez('d', x=r.standard_normal((50, 24)).astype('f4'))");
  return "m.onnx";
}

describe("ranklens factorize --allocate sensitivity", () => {
  const share = ["--budget", "params:0.6", "--include", "*", "--calibration", "d.npz"] as const;

  it("cuts what the outputs do not need, where the layers themselves tell no difference", () => {
    const path = unequal();
    const { plan, verification } = json(factorize(path, "--out", "s.onnx", ...share, "--allocate", "sensitivity", "--verify", "d.npz", "--json"));
    expect(plan.choice).toMatch(/^budget params:0\.6 by sensitivity, scheme auto, measured on 50 samples/);
    expect(plan.layers).toMatchObject([{ name: "a", action: "keep" }, { name: "b", action: "factorize", reason: expect.stringMatching(/^sensitivity under a budget/) as string }]);
    expect(verification.outputs[0]!.relativeError).toBeLessThan(0.002);
    const equal = json(factorize(path, "--out", "e.onnx", ...share, "--verify", "d.npz", "--json"));
    expect(equal.verification.outputs[0]!.relativeError).toBeGreaterThan(0.1);
    expect(factorize(path, "--out", "t.onnx", "--ranks", "s.onnx.plan.json", "--calibration", "d.npz").code).toBe(0);
    expect(bytes("s.onnx").equals(bytes("t.onnx"))).toBe(true);
  });

  it("keeps within budgets of other units", () => {
    for (const budget of ["bytes:0.7", "macs:0.7"]) {
      const { code, out } = factorize(unequal(), "--dry-run", "--budget", budget, "--include", "*", "--calibration", "d.npz", "--allocate", "sensitivity", "--json");
      expect(code).toBe(0);
      expect(json({ out }).plan.layers[0]).toMatchObject({ name: "a", action: "keep" });
    }
  });

  it("says what it needs: data, a budget, and a graph", () => {
    const path = unequal();
    expect(factorize(path, "--dry-run", "--budget", "params:0.6", "--allocate", "sensitivity")).toMatchObject({ code: 2, err: expect.stringMatching(/Sensitivities are measured on data of yours.*--calibration/) as string });
    expect(factorize(path, "--dry-run", "--calibration", "d.npz", "--allocate", "sensitivity")).toMatchObject({ code: 2, err: expect.stringMatching(/Sensitivities share a budget, and there is none/) as string });
    expect(factorize(recorded(), "--dry-run", ...share, "--allocate", "sensitivity")).toMatchObject({ code: 1, err: "ranklens: The sensitivities of m.safetensors cannot be measured: its file holds no graph that could be run. Sensitivities need an ONNX model: share the budget in another way.\n" });
  });
});

/** Three layers of noise and their recorded inputs, in few directions; the last is the model's head. */
function recorded(): string {
  python("numpy.savez('d', **{'a.weight': (r.standard_normal((400, 6)) @ r.standard_normal((6, 30)) + 0.01 * r.standard_normal((400, 30))).astype('f4'), 'b': r.standard_normal((5, 100, 40)).astype('f4'), 'epoch': numpy.arange(3.0)})");
  return writeModel(folder.path, "m.safetensors", { "a.weight": noise(2, 40, 30), "a.bias": noise(3, 40), "b.weight": noise(4, 30, 40), "c.weight": noise(5, 30, 30), "head.weight": noise(6, 12, 30) });
}

describe("ranklens factorize --calibration, of a format without a graph,", () => {
  it("takes inputs of layers by their names, and factorizes the others by their weights, which it names", () => {
    const { plan, notes } = json(factorize(recorded(), "--out", "s.safetensors", "--ranks", "fixed:6", "--calibration", "d.npz", "--json"));
    expect(plan.layers.filter(({ calibrated }) => calibrated).map(({ name }) => name)).toEqual(["a.weight", "b.weight"]);
    expect(plan.layers.map(({ action }) => action)).toEqual(["factorize", "factorize", "factorize", "keep"]);
    // Six directions hold all but noise of what a is applied to.
    expect(plan.layers[0]!.relativeError).toBeLessThan(0.05);
    expect(plan.layers[1]!.relativeError).toBeGreaterThan(0.5);
    expect(notes).toEqual(["calibrated on 500 samples of d.npz", "the data says nothing of c.weight, which is looked at by its weight alone: d.npz has no inputs of it", "d.npz holds arrays that are named as none of these layers: epoch"]);
  });

  it("writes factors that lose of the recorded outputs what the plan says, and the same bytes again", () => {
    const path = recorded();
    expect(factorize(path, "--out", "s.safetensors", "--ranks", "fixed:5", "--calibration", "d.npz", "--as", "reconstructed").code).toBe(0);
    expect(factorize(path, "--out", "t.safetensors", "--ranks", "s.safetensors.plan.json", "--calibration", "d.npz", "--as", "reconstructed").code).toBe(0);
    expect(bytes("s.safetensors").equals(bytes("t.safetensors"))).toBe(true);
    const script = "import numpy, sys, json\ndef read(path):\n  raw = open(path, 'rb').read(); n = int.from_bytes(raw[:8], 'little'); head = json.loads(raw[8:8 + n])\n  return {k: numpy.frombuffer(raw[8 + n + v['data_offsets'][0]:8 + n + v['data_offsets'][1]], 'f4').reshape(v['shape']).astype(float) for k, v in head.items() if k != '__metadata__'}\na, b, d = read('m.safetensors'), read('s.safetensors'), numpy.load('d.npz')\nout = {}\nfor name, key in ('a.weight', 'a.weight'), ('b.weight', 'b'):\n  x = d[key].reshape(-1, d[key].shape[-1]).astype(float); out[name] = float(numpy.linalg.norm(x @ (a[name] - b[name]).T) / numpy.linalg.norm(x @ a[name].T))\nprint(json.dumps(out))";
    const errors = JSON.parse(execFileSync("/usr/bin/python3", ["-c", script], { encoding: "utf8", cwd: folder.path })) as Record<string, number>;
    const plan = JSON.parse(bytes("s.safetensors.plan.json").toString()) as Json["plan"];
    for (const [name, error] of Object.entries(errors)) expect(Math.abs(error - plan.layers.find((layer) => layer.name === name)!.relativeError)).toBeLessThan(1e-5);
  });

  it("says what is wrong with data, and writes nothing", () => {
    const path = recorded();
    python("x = r.standard_normal((4, 30))\nnumpy.savez('names', q=x)\nnumpy.savez('shape', **{'a.weight': x[:, :7]})\nnumpy.save('one', x)\nx[2, 1] = numpy.inf\nnumpy.savez('inf', **{'a.weight': x})\nimport os; os.mkdir('set'); open('set/input_0.pb', 'wb').write(b'x')");
    const before = files();
    const told = (data: string): { code: number | null; err: string } => factorize(path, "--out", "s.safetensors", "--ranks", "ratio:0.5", "--calibration", data);
    for (const data of ["names.npz", "one.npy"]) expect(told(data)).toMatchObject({ code: 1, err: expect.stringMatching(/has no array that is named as a layer .* Save the inputs of each layer, samples × inputs, under its name \(a\.weight\) with numpy\.savez\./) as string });
    expect(told("shape.npz")).toMatchObject({ code: 1, err: "ranklens: Array a.weight of shape.npz has the shape [4, 7], where its layer takes inputs of 30 numbers. Give samples × 30.\n" });
    expect(told("inf.npz")).toMatchObject({ code: 1, err: expect.stringMatching(/Array a\.weight of inf\.npz holds numbers that are not finite/) as string });
    expect(told("set")).toMatchObject({ code: 1, err: expect.stringMatching(/set holds inputs of a graph, which the model's file does not have/) as string });
    expect(files()).toEqual(before);
  });
});
