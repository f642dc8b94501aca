import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { LOADER, LOADER_NAME } from "../../src/factorize/safetensors/loader";
import { folder } from "../unit/support/folders";
import { writeFactored } from "../unit/factorize/support/writeFactored";
import { describeWithModels, MODELS, modelFiles } from "./models";

/** Recurrent and attention layers of Keras, written as safetensors, in torch.nn: it computes what Keras does. */
const SCRIPT = join(import.meta.dirname, "keras_functions.py");
const python = (...args: string[]): unknown => JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, ...args], { encoding: "utf8" }));
/** Of float32. */
const ROUNDING = 1e-6;

interface Checked {
  readonly errors: Record<string, number>;
  readonly missing: string[];
  readonly left: string[];
  readonly foreign: boolean;
}

const at = folder();
const original = join(at, "layers.h5"), loader = join(at, LOADER_NAME);
beforeAll(() => {
  python("make", at);
  writeFileSync(loader, LOADER);
});

describe("a layer of Keras in PyTorch", () => {
  it.each(["reconstructed", "factored"] as const)("%s, computes what it did: LSTM, GRU, SimpleRNN, Bidirectional, MultiHeadAttention", async (as) => {
    const output = join(at, `${as}.safetensors`);
    const { layers, kept } = await writeFactored(original, output, "svd", as, undefined, (name) => as === "factored" || name === "");
    const { errors, missing, left, foreign } = python("check", original, output, loader) as Checked;
    expect(Object.keys(errors)).toEqual(["lstm", "gru", "simple_rnn", "bidirectional", "multi_head_attention"]);
    for (const [name, error] of Object.entries(errors)) expect([name, error < ROUNDING]).toEqual([name, true]);
    // Nothing of a layer is missing, and all that PyTorch has no place for is the GRU that resets its state first.
    expect(missing).toEqual([]);
    expect([...new Set(left.map((name) => name.split(".")[0]))]).toEqual(["gru_9"]);
    expect(foreign).toBe(true);
    expect(layers.length).toBe(as === "factored" ? 14 : 0);
    expect(Object.keys(kept).every((name) => name.startsWith("gru_9/"))).toBe(true);
  });
});

describeWithModels("an LSTM of a real Keras model", modelFiles(/^keras_h5.(?:dtln_model|textgenrnn_base)\.(?:h5|hdf5)$/), () => {
  it.each(modelFiles(/^keras_h5.(?:dtln_model|textgenrnn_base)\.(?:h5|hdf5)$/))("computes in PyTorch what it did: %s", async (name) => {
    const path = join(MODELS, name), output = join(folder(), "model.safetensors");
    await writeFactored(path, output, "svd", "reconstructed", undefined, () => false);
    const errors = python("check-real", path, output, loader) as Record<string, number>;
    expect(Object.keys(errors).length).toBeGreaterThan(1);
    for (const [layer, error] of Object.entries(errors)) expect([layer, error < 10 * ROUNDING]).toEqual([layer, true]);
  });
});
