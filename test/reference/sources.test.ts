import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { LOADER, LOADER_NAME } from "../../src/factorize/safetensors/loader";
import { folder } from "../unit/support/folders";
import { writeFactored } from "../unit/factorize/support/writeFactored";
import { describeWithModels, MODELS, modelFiles } from "./models";

/** Models of every source, written as safetensors in every form, in PyTorch, h5py and NumPy themselves. */
const SCRIPT = join(import.meta.dirname, "sources.py");
const python = (...args: string[]): unknown => JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, ...args], { encoding: "utf8" }));

interface Loaded {
  readonly error: number;
  readonly kept: Record<string, boolean>;
  readonly written: string[];
  readonly replaced: string[];
}

interface Adapted {
  readonly error: number;
  readonly without: number;
  readonly targets: string[];
  readonly left: string[];
}

const at = folder();
const loader = join(at, LOADER_NAME);
writeFileSync(loader, LOADER);
const half = (full: number): number => Math.ceil(full / 2);
const place = (name: string): string => {
  const own = join(at, name);
  mkdirSync(own, { recursive: true });
  return own;
};

describe("a training checkpoint of PyTorch", () => {
  const original = join(place("torch"), "model.pt");
  python("make-checkpoint", original);

  it("written factored at full rank computes what it did, with every other tensor as it was and no optimizer", async () => {
    const output = join(place("torch"), "small.safetensors");
    await writeFactored(original, output, "channel");
    const { error, kept, written, replaced } = python("check-loaded", original, output) as Loaded;
    expect(error).toBeLessThan(1e-5);
    expect(Object.values(kept)).not.toContain(false);
    expect(kept).toMatchObject({ "norm.num_batches_tracked": true, "embed.weight": true, "norm.running_var": true });
    expect(replaced).toEqual(["blocks.0.fc1", "blocks.0.fc2", "blocks.1.fc1", "blocks.1.fc2", "conv", "up"]);
    // The tied head is named by the metadata, as the format's own library does it.
    expect(written).not.toContain("head.weight");
    expect(written.filter((name) => /optim|state|exp_avg/.test(name))).toEqual([]);
  });

  it("split into base and adapter is the original by PEFT's formula, and the base alone is not", async () => {
    const output = join(place("peft"), "base.safetensors");
    const { layers, kept } = await writeFactored(original, output, "channel", "adapter", half);
    const found = python("check-adapter", original, output, join(place("peft"), "base-adapter"), loader) as Adapted;
    expect(found.error).toBeLessThan(1e-6);
    expect(found.without).toBeGreaterThan(0.1);
    expect(found.left).toEqual([]);
    expect(found.targets.map((name) => `${name}.weight`).sort()).toEqual([...layers].sort());
    expect(kept["up.weight"]).toMatch(/no adapter for transposed convolutions/);
  });
});

describe("a quantized checkpoint of PyTorch", () => {
  it("is written as PyTorch dequantizes it", async () => {
    const original = join(place("quantized"), "model.pt"), output = join(place("quantized"), "out.safetensors");
    python("make-quantized", original);
    await writeFactored(original, output, "channel", "reconstructed", undefined, () => false);
    expect(python("check-quantized", original, output, loader)).toEqual({ "one.weight": true, "each.weight": true });
  });
});

describe("a checkpoint of several files", () => {
  const source = place("sharded");
  python("make-shards", source);
  const original = join(source, "model.safetensors.index.json");

  it("stays as many files, whose index has every tensor and their size, and computes what it did", async () => {
    const output = join(place("written"), "small.safetensors.index.json");
    await writeFactored(original, output, "channel");
    const { error, kept, written } = python("check-loaded", original, output) as Loaded;
    expect(error).toBeLessThan(1e-5);
    expect(Object.values(kept)).not.toContain(false);
    const index = JSON.parse(readFileSync(output, "utf8")) as { metadata: { total_size: number }; weight_map: Record<string, string> };
    expect(Object.keys(index.weight_map)).toEqual(written);
    expect(new Set(Object.values(index.weight_map))).toEqual(new Set(["small-00001-of-00002.safetensors", "small-00002-of-00002.safetensors"]));
    // The weight is in the first, its bias in the second, and both have the last factor's name.
    expect(index.weight_map).toMatchObject({ "blocks.0.fc1.1.weight": "small-00001-of-00002.safetensors", "blocks.0.fc1.1.bias": "small-00002-of-00002.safetensors" });
    const data = [1, 2].map((number) => readFileSync(join(place("written"), `small-0000${number}-of-00002.safetensors`)));
    expect(index.metadata.total_size).toBe(data.reduce((sum, bytes) => sum + bytes.length - 8 - Number(bytes.readBigUInt64LE()), 0));
  });

  it("split into base and adapter is the original too", async () => {
    const output = join(place("split"), "base.safetensors.index.json");
    await writeFactored(original, output, "channel", "adapter", half);
    const found = python("check-adapter", original, output, join(place("split"), "base-adapter"), loader) as Adapted;
    expect(found.error).toBeLessThan(1e-6);
    expect(found.without).toBeGreaterThan(0.1);
    expect(found.left).toEqual([]);
  });
});

describeWithModels("a Keras model written as safetensors", modelFiles(/^keras_h5.mlperf_(?:resnet8|vww).*\.h5$/), () => {
  it.each(modelFiles(/^keras_h5.mlperf_(?:resnet8|vww).*\.h5$/))("has PyTorch's order of axes: %s", async (name) => {
    const original = join(MODELS, name);
    const output = join(place("keras"), `${basename(name, ".h5")}.safetensors`);
    await writeFactored(original, output, "channel", "reconstructed");
    const found = python("check-keras", original, output, loader) as { worst: number; same: boolean; kinds: string[]; left: string[] };
    expect(found.worst).toBeLessThan(1e-5);
    expect(found).toMatchObject({ same: true, left: [], kinds: name.includes("mobilenet") ? ["depthwise_kernel4", "kernel2", "kernel4"] : ["kernel2", "kernel4"] });
  });
});

describeWithModels("a NumPy archive written as safetensors", modelFiles(/g2p_en.*\.npz$/), () => {
  it.each(modelFiles(/g2p_en.*\.npz$/))("has the same arrays, under the names of a state dict: %s", async (name) => {
    const original = join(MODELS, name);
    const output = join(place("numpy"), "g2p.safetensors");
    await writeFactored(original, output, "channel", "reconstructed");
    const found = python("check-arrays", original, output, loader) as { same: boolean; names: string[] };
    expect(found.same).toBe(true);
    expect(found.names).toEqual(expect.arrayContaining(["fc.weight", "fc.bias", "enc.weight_ih"]));
  });
});
