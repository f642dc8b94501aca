import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Comparison, MatrixDifference } from "../../src/compare/comparison";
import { compareModels } from "../../src/engine/compare";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { describeWithModels, MODELS } from "./models";

/** A trained model and what was trained from it: RankLens beside numpy in float64. */
const BASE = "safetensors/tinystories_656k/model.safetensors";
const FULL = "derived/tinystories_hn_fullft/checkpoint-500/model.safetensors";
const ADAPTER = "derived/lora_tinystories_hn_r8/adapter_model.safetensors";
const CONFIG = "derived/lora_tinystories_hn_r8/adapter_config.json";
const SCRIPT = join(import.meta.dirname, "comparisons.py");

type Figures = Pick<MatrixDifference, "frobeniusNorm" | "relativeNorm" | "stableRank" | "effectiveRank" | "energyRank">;

const at = (name: string): string => join(MODELS, name);
const numpy = (...args: string[]): Record<string, Figures> => JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, ...args], { encoding: "utf8", env: { ...process.env, OPENBLAS_NUM_THREADS: "1" } })) as Record<string, Figures>;
const compared = (other: string): Promise<Comparison> => compareModels({ a: at(BASE), b: at(other), options: DEFAULT_OPEN_OPTIONS, threads: 1 }, () => undefined);

/** Norms and real ranks agree to `tolerance` of themselves, counts exactly. */
function expectAgreement({ layers, failed }: Comparison, reference: Record<string, Figures>, tolerance: number): void {
  expect(failed).toEqual([]);
  expect(layers.map(({ name }) => name).sort()).toEqual(Object.keys(reference).sort());
  for (const layer of layers) {
    const expected = reference[layer.name]!;
    expect({ name: layer.name, ...layer.energyRank }).toEqual({ name: layer.name, ...expected.energyRank });
    for (const figure of ["frobeniusNorm", "relativeNorm", "stableRank", "effectiveRank"] as const) {
      expect(Math.abs(layer[figure]! / expected[figure]! - 1), `${figure} of ${layer.name}`).toBeLessThan(tolerance);
    }
  }
}

describeWithModels("the comparison of trained models", [BASE, FULL, ADAPTER].filter((name) => existsSync(at(name))), () => {
  it("finds the ranks of a full fine-tuning's change as numpy does", async () => {
    const reference = numpy(at(BASE), at(FULL));
    expect(Object.keys(reference).length).toBeGreaterThan(10);
    // The difference of float32 numbers is rounded to float32, 2⁻²⁴ of itself.
    expectAgreement(await compared(FULL), reference, 1e-6);
  });

  it("finds the ranks of what a LoRA adds as numpy does of its product", async () => {
    const { r, lora_alpha: alpha } = JSON.parse(readFileSync(at(CONFIG), "utf8")) as { r: number; lora_alpha: number };
    const comparison = await compared(ADAPTER);
    expectAgreement(comparison, numpy(at(BASE), at(ADAPTER), String(alpha / r)), 1e-9);
    expect(comparison.layers.every(({ fullRank }) => fullRank === r)).toBe(true);
  });
});
