import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { SchemeId } from "../../src/factorize/scheme";
import { folder } from "../unit/support/folders";
import { writeFactored } from "../unit/factorize/support/writeFactored";

/** Factored safetensors files in PyTorch itself (Debian's python3-torch), loaded by the script that is written beside them. */
const SCRIPT = join(import.meta.dirname, "factorized_torch.py");
const python = (...args: string[]): string => execFileSync("/usr/bin/python3", [SCRIPT, ...args], { encoding: "utf8" });

interface Loaded {
  readonly error: number;
  readonly replaced: string[];
  readonly metadata: Record<string, string>;
  readonly parameters: number;
}

let original: string;
beforeAll(() => {
  original = join(folder(), "model.safetensors");
  python("make", original);
});

async function loaded(scheme: SchemeId, as: "factored" | "reconstructed" = "factored", rankOf?: (full: number) => number): Promise<Loaded & { path: string }> {
  const at = folder();
  const path = join(at, "factored.safetensors");
  await writeFactored(original, path, scheme, "factored", rankOf);
  const candidate = as === "factored" ? path : join(at, "whole.safetensors");
  if (as === "reconstructed") await writeFactored(original, candidate, scheme, as, rankOf);
  return { path: candidate, ...(JSON.parse(python("check", original, candidate, join(at, "load_factorized.py"))) as Loaded) };
}

describe("a factored safetensors file in PyTorch", () => {
  it.each(["depthwise", "groups2", "cp"] as const)("at a low rank, by %s, computes what its weights multiplied out again do", async (scheme) => {
    const low = (full: number): number => Math.min(3, Math.ceil(full / 2));
    const factored = await loaded(scheme, "factored", low);
    const whole = await loaded(scheme, "reconstructed", low);
    expect(factored.error).toBeGreaterThan(0.01);
    expect(factored.error / whole.error).toBeCloseTo(1, 4);
  });

  it.each(["channel", "spatial", "tucker2", "depthwise", "groups2", "groups4"] as const)("at full rank, by %s, gives the original outputs", async (scheme) => {
    const { error, replaced, metadata } = await loaded(scheme);
    expect(error).toBeLessThan(1e-5);
    // conv_in has one input channel: without a graph it looks like a depthwise layer, and stays.
    expect(replaced).toEqual(["both", "cell", "conv1d", "conv3d", "conv_even", "conv_same", "deconv", "embed_tokens", "fc1", "fc2", "lm_head", "lstm"]);
    expect(metadata).toEqual({ format: "pt", note: "kept" });
  });

  it("at a low rank is smaller, and computes what its weights multiplied out again do", async () => {
    const half = (full: number): number => Math.ceil(full / 3);
    const factored = await loaded("channel", "factored", half);
    const whole = await loaded("channel", "reconstructed", half);
    expect(factored.error).toBeGreaterThan(0.01);
    expect(factored.error / whole.error).toBeCloseTo(1, 4);
    expect(whole.replaced).toEqual([]);
    expect(statSync(factored.path).size).toBeLessThan(statSync(original).size);
    expect(factored.parameters).toBeLessThan(whole.parameters);
  });
});
