import { describe, expect, it } from "vitest";
import { adaptedBy, type Adapted } from "../../../src/training/adapted";
import { adapterParameters } from "../../../src/training/adapterSize";
import { readConfigs } from "../../../src/training/ecosystems/ecosystems";
import type { TrainingConfig } from "../../../src/training/config";
import { differenceRanks, rankChoicePlace } from "../../../src/training/rewrites/differenceRanks";
import { llama, LLAMA3_8B } from "./madeModules";
import { fixed } from "./support";

const MODEL = llama(LLAMA3_8B);
const configOf = (text: string): TrainingConfig => readConfigs(text, "yaml", "train.yaml")[0]!;
const AXOLOTL = ["base_model: base", "adapter: lora", "lora_r: 16 # as before", "lora_alpha: 32", "lora_target_linear: true", ""].join("\n");
const FACTORY = ["model_name_or_path: base", "stage: sft", "finetuning_type: lora", "lora_rank: 8", "lora_alpha: 16", "lora_target: q_proj,v_proj", ""].join("\n");

function adapted(config: TrainingConfig): Adapted {
  const outcome = adaptedBy(config, MODEL);
  if (!outcome.known) throw new Error("The config's targets are known.");
  return outcome.adapted;
}

/** Energy ranks of all modules that a config adapts, by the last part of their names. */
const measured = (config: TrainingConfig, of: (name: string) => number | undefined): Map<string, number> =>
  new Map(adapted(config).modules.flatMap(({ module: { name } }) => { const rank = of(name.slice(name.lastIndexOf(".") + 1)); return rank === undefined ? [] : [[name, rank] as const]; }));
const ranksBy = (text: string, energyRanks: Map<string, number>, most = 40) => differenceRanks(configOf(text), adapted(configOf(text)), { name: "tuned.safetensors", energyRanks, most });

describe("ranks from a measured difference", () => {
  it("are in its proportion, at no more trainable parameters, at least 95 % of them, and at the same scale", () => {
    const before = configOf(AXOLOTL);
    const ranks = ranksBy(AXOLOTL, measured(before, (name) => (name === "down_proj" ? 60 : 20)))!;
    const after = adapted(configOf(fixed(AXOLOTL, { edits: ranks.edits })));
    const rankOf = (end: string): number => after.modules.find(({ module }) => module.name.endsWith(end))!.rank;
    expect(rankOf("down_proj") / rankOf("q_proj")).toBeCloseTo(3, 0);
    expect(rankOf("q_proj")).toBe(rankOf("v_proj"));
    const share = adapterParameters(after.modules, false) / adapterParameters(adapted(before).modules, false);
    expect(share).toBeLessThanOrEqual(1);
    expect(share).toBeGreaterThan(0.95);
    for (const { scale } of after.modules) expect(scale).toBeCloseTo(2, 6);
    expect(ranks.message).toContain("needs ranks of 20 to 60 for 90 % of its energy in 224 of 224 modules");
  });

  it("leave the rest of the file as it is", () => {
    const { edits } = ranksBy(AXOLOTL, measured(configOf(AXOLOTL), (name) => (name === "q_proj" ? 9 : 3)))!;
    for (const line of AXOLOTL.trimEnd().split("\n")) expect(fixed(AXOLOTL, { edits: edits }).split("\n")).toContain(line);
  });

  it("stay what they are for modules that were not measured", () => {
    const { edits } = ranksBy(AXOLOTL, measured(configOf(AXOLOTL), (name) => ({ q_proj: 30, v_proj: 10 })[name]))!;
    const after = adapted(configOf(fixed(AXOLOTL, { edits: edits })));
    expect(new Set(after.modules.filter(({ module }) => !/[qv]_proj$/.test(module.name)).map(({ rank }) => rank))).toEqual(new Set([16]));
  });

  it("change nothing where all differences need the same", () => {
    const { edits, message } = ranksBy(AXOLOTL, measured(configOf(AXOLOTL), () => 7))!;
    expect(edits).toEqual([]);
    expect(message).toContain("nothing was changed");
  });

  it("keep within a budget of rank 1, where no module can have less", () => {
    const text = AXOLOTL.replace("lora_r: 16", "lora_r: 1");
    const { edits } = ranksBy(text, measured(configOf(text), (name) => (name === "q_proj" ? 50 : 5)))!;
    expect(adapterParameters(adapted(configOf(fixed(text, { edits: edits }))).modules, false)).toBeLessThanOrEqual(adapterParameters(adapted(configOf(text)).modules, false));
  });

  it("are one rank, for 90 % of the energy in 90 % of the layers, where there is no rank pattern", () => {
    const { edits, message } = ranksBy(FACTORY, measured(configOf(FACTORY), () => 40), 40)!;
    expect(fixed(FACTORY, { edits: edits })).toBe(FACTORY.replace("lora_rank: 8", "lora_rank: 40").replace("lora_alpha: 16", "lora_alpha: 80"));
    expect(message).toContain("The rank is now 40; it was 8.");
  });
});

describe("the choice of a model for the ranks", () => {
  it("is offered on the rank", () => {
    const config = configOf(AXOLOTL), place = rankChoicePlace(config, adapted(config));
    expect(AXOLOTL.slice(place?.start, place?.end)).toContain("lora_r: 16");
  });
  it("is not offered over patterns that somebody has written", () => {
    const config = configOf(`${AXOLOTL}lora_rank_pattern:\n  q_proj: 4\n`);
    expect(rankChoicePlace(config, adapted(config))).toBeNull();
  });
});
