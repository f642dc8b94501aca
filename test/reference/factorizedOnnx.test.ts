import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sideBySide } from "../../src/verify/sideBySide";
import { folder } from "../unit/support/folders";
import { writeFactored } from "../unit/factorize/support/writeFactored";

/** Factorized files of real models, against the onnx package: valid, and unchanged but for the factorized layers. */
const MODELS = join(import.meta.dirname, "../../../shared/models");
const SCRIPT = join(import.meta.dirname, "factorized_onnx.py");
const FILES = ["onnx/ort_mnist_cnn.onnx", "onnx/ultraface_RFB-320.onnx", "onnx/ultraface_slim-320_simplified.onnx", "onnx/silero_v3_model_mini.onnx", "onnx/silero_vad_v6.onnx", "derived/onnx/tinystories_656k_fp32.onnx", "derived/onnx/tinystories_656k_fp16weights.onnx"];

interface Part { readonly gone: number; readonly new: number; readonly order: boolean }
interface Told { readonly valid: boolean; readonly nodes: Part; readonly initializers: Part; readonly inputs: Part; readonly rest: boolean; readonly unique: number }

describe.skipIf(!existsSync(MODELS))("a factorized real model", () => {
  it.each(FILES)("%s: is valid, and keeps every part of the original that no factorized layer has", async (file) => {
    const output = join(folder(), "factorized.onnx");
    const { layers } = await writeFactored(join(MODELS, file), output, "channel", "factored", (full) => Math.ceil(full / 2));
    expect(layers.length).toBeGreaterThan(0);
    const told = JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, join(MODELS, file), output], { encoding: "utf8" })) as Told;
    expect(told.rest).toBe(true);
    expect(told.unique).toBe(0);
    for (const part of [told.nodes, told.initializers, told.inputs]) expect(part.order).toBe(true);
    if (file.includes("v6")) return;
    // Weights in Constant nodes are nodes; two factors for each that goes.
    expect(told.initializers.new).toBe(2 * told.initializers.gone);
    expect(told.nodes.gone).toBeGreaterThanOrEqual(layers.length);
  });

  it.each([
    ["onnx/dtln_model_1", "svd", 1], ["onnx/dtln_model_1", "groups2", 1], ["onnx/dtln_model_1", "svd", 0.5], ["derived/onnx/tinystories_656k_fp32", "groups4", 1],
    ["onnx/ultraface_RFB-320", "depthwise", 1], ["onnx/ultraface_RFB-320", "groups8", 1], ["onnx/ort_mnist_cnn", "cp", 0.2],
  ] as const)("%s by %s at %d of the full ranks: is valid, and computes the same at all of them", async (name, scheme, share) => {
    const original = join(MODELS, `${name}.onnx`), output = join(folder(), "factorized.onnx");
    const { layers } = await writeFactored(original, output, scheme, "factored", (full) => Math.ceil(full * share));
    expect(layers.length).toBeGreaterThan(1);
    const told = JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, original, output], { encoding: "utf8" })) as Told;
    expect(told).toMatchObject({ rest: true, unique: 0, nodes: { order: true } });
    const { outputs } = await sideBySide({ original, candidate: output, data: null });
    if (share === 1) expect(Math.max(...outputs.map(({ relativeError }) => relativeError))).toBeLessThan(2e-5);
    else expect(Math.min(...outputs.map(({ relativeError }) => relativeError))).toBeGreaterThan(1e-3);
  });

  it("with channel groups of different counts on one input computes the same", async () => {
    // ONNX Runtime joins nodes that look alike: those of q, k and v, and of gate and up.
    const original = join(MODELS, "derived/onnx/tinystories_656k_fp32.onnx"), output = join(folder(), "factorized.onnx");
    let next = 0;
    const { layers } = await writeFactored(original, output, () => (["groups2", "groups4", "groups8"] as const)[next++ % 3]!);
    expect(layers.length).toBeGreaterThan(10);
    const { outputs } = await sideBySide({ original, candidate: output, data: null });
    expect(Math.max(...outputs.map(({ relativeError }) => relativeError))).toBeLessThan(2e-5);
  });

  it("with external data: keeps what stays in one new file beside it, and computes the same", async () => {
    const at = folder();
    const output = join(at, "factorized.onnx");
    const original = join(MODELS, "derived/onnx/tinystories_656k_extdata.onnx");
    const { layers } = await writeFactored(original, output, "channel");
    expect(layers.length).toBeGreaterThan(10);
    expect(readdirSync(at).sort()).toEqual(["factorized.onnx", "factorized.onnx.data"]);
    const { outputs } = await sideBySide({ original, candidate: output, data: null });
    expect(outputs[0]!.relativeError).toBeLessThan(1e-5);
    execFileSync("/usr/bin/python3", ["-c", "import onnx, sys; onnx.checker.check_model(sys.argv[1])", output]);
  });

  it("written twice is the same bytes", async () => {
    const [first, second] = [join(folder(), "a.onnx"), join(folder(), "a.onnx")];
    for (const output of [first, second]) await writeFactored(join(MODELS, FILES[1]!), output, "tucker2", "factored", (full) => Math.ceil(full / 2));
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  });
});
