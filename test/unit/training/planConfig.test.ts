import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openModel } from "../../../src/models/formats";
import type { ConfigText } from "../../../src/shared/configReading";
import { CONFIGS_OWN, type PlanQuery } from "../../../src/shared/plannerPage";
import { BaseModels, type BaseModel } from "../../../src/training/base/baseModels";
import { readConfigs } from "../../../src/training/ecosystems/ecosystems";
import { planConfig } from "../../../src/training/planner/planConfig";
import { planFile } from "../../../src/training/planner/planFile";
import { planTable } from "../../../src/training/planner/planTable";
import { describeWithModels, modelFiles, MODELS } from "../../reference/models";
import { linear, llama, LLAMA_7B, modelOf } from "./madeModules";

const AXOLOTL = `base_model: meta-llama/Llama-2-7b-hf
adapter: lora
lora_r: 16
lora_alpha: 32
lora_target_modules:
  - q_proj
  - v_proj
`;
const found = (modules = llama(LLAMA_7B)): BaseModel => ({ state: "found", from: "cache", modules });
const plan = (text: string, query: Partial<PlanQuery> = {}, base = found()) => planConfig(readConfigs(text, "yaml", "qlora.yml"), base, { ...CONFIGS_OWN, ...query });
const trainable = (made: ReturnType<typeof plan>, id: string) => made.rows.find((row) => row.id === id)?.trainable;

describe("a plan for a config", () => {
  it("takes its targets and rank, and knows its method", () => {
    const made = plan(AXOLOTL);
    expect(made).toMatchObject({ ecosystem: "axolotl", targets: "config", rank: { least: 16, most: 16 }, own: "lora", projectionRank: 1024, config: 0, largestRank: 4096 });
    expect(trainable(made, "lora")).toBe(8_388_608);
  });

  it.each([["peft_use_dora: true\n", "dora"], ["peft_use_rslora: true\n", "rslora"]])("with %j trains by %s", (line, own) => {
    expect(plan(AXOLOTL + line).own).toBe(own);
  });

  it("takes other modules and ranks where a person says so", () => {
    expect(trainable(plan(AXOLOTL, { targets: "all-linear", rank: 64 }), "lora")).toBe(159_907_840);
    expect(plan(AXOLOTL).choices).toEqual([{ targets: "config", modules: 64 }, { targets: "all-linear", modules: 224 }, { targets: "attention", modules: 128 }, { targets: "mlp", modules: 96 }]);
    expect(plan(AXOLOTL, { projectionRank: 128 }).projectionRank).toBe(128);
  });

  it("keeps the patterns of the config, unless one rank is to hold for all", () => {
    const text = `${AXOLOTL}lora_rank_pattern:\n  layers.0.self_attn.q_proj: 32\n`;
    expect(plan(text).rank).toEqual({ least: 16, most: 32 });
    expect(trainable(plan(text), "lora")).toBe(8_388_608 + 16 * 8192);
    expect(trainable(plan(text, { rank: 8 }), "lora")).toBe(4_194_304);
  });

  it("counts all linear layers where the config's targets match nothing", () => {
    expect(plan(AXOLOTL.replaceAll("_proj", "_prj")).targets).toBe("all-linear");
  });

  it.each([
    ["the config is none", "a: 1\n", found(), "no training config"],
    ["the base model is not there", AXOLOTL, { state: "absent", text: "x", id: true, looked: [] }, "not on this machine"],
    ["it is not whole", AXOLOTL, { state: "downloading", folder: "/x", missing: [] }, "not whole"],
    ["it is damaged", AXOLOTL, { state: "broken", fault: { code: "malformed", message: "The header is damaged.", next: "" } }, "damaged"],
    ["nothing in it can be adapted", AXOLOTL, found(modelOf([{ ...linear("a.b", 4, 4), kind: "norm" }])), "can have an adapter"],
  ] satisfies [string, string, BaseModel, string][])("is not made when %s, and says why", (_what, text, base, message) => {
    expect(() => plan(text, {}, base)).toThrow(message);
  });
});

describe("a plan in a terminal", () => {
  const made = plan(AXOLOTL);

  it("is a table with the config's own method marked, and estimates told apart", () => {
    const lines = planTable([made], "text").split("\n");
    expect(lines.slice(0, 5).map((line) => line.trim().split(/ {2,}/).join(" | "))).toEqual([
      "qlora.yml (axolotl) on meta-llama/Llama-2-7b-hf, 6.7 G parameters",
      "64 modules (the config's targets), rank 16; projected gradients of rank 1024",
      "",
      "method | trainable | % of model | saved | optimizer",
      "▸ LoRA | 8,388,608 | 0.12 | 32.0 MiB | 64.0 MiB",
    ]);
    expect(lines.find((line) => line.includes("GaLore+"))).toContain("≈ 45.2 GiB");
    expect(lines.filter((line) => line.startsWith("▸ "))).toHaveLength(2);
  });

  it("is JSON for other programs", () => {
    expect(JSON.parse(planTable([made, made], "json"))).toMatchObject({
      schema: "ranklens.methods/1",
      plans: [{ own: "lora", rows: expect.arrayContaining([expect.objectContaining({ id: "vera", formula: "r + m" })]) as unknown }, { fileName: "qlora.yml" }],
    });
  });
});

/** A LoRA of all linear layers of the small Llama beside it. */
const ADAPTER = "derived/lora_tinystories_hn_r8/adapter_config.json";

describeWithModels("a real adapter", modelFiles(/^derived\/lora_tinystories_hn_r8\/adapter_config\.json$/), () => {
  const path = join(MODELS, ADAPTER);
  const source: ConfigText = { text: readFileSync(path, "utf8"), language: "json", fileName: "adapter_config.json", folders: [dirname(path)], chosenBases: {} };

  it("has as many numbers as the plan of its config says", async () => {
    const made = await planFile(source, CONFIGS_OWN, new BaseModels());
    const adapter = await openModel(join(dirname(path), "adapter_model.safetensors"), { smallestTensor: 1 });
    expect(made.own).toBe("lora");
    expect(trainable(made, "lora")).toBe(adapter.summary.parameters);
    await adapter.close();
  });

  it("is on a base model whose modules come from its header, the tied output layer among them", async () => {
    const base = await new BaseModels().find({ text: "../../safetensors/tinystories_656k", revision: null }, { variables: {}, home: "/nowhere", chosen: null, folders: source.folders });
    const modules = base.state === "found" ? base.modules : null;
    expect(modules).toMatchObject({ hiddenSize: 128, layerCount: 2, tiedEmbeddings: true, modelType: "llama", approximate: null });
    expect(modules?.modules.filter(({ kind }) => kind === "linear").map(({ name }) => name)).toContain("lm_head");
    expect(modules?.modules.find(({ name }) => name === "model.layers.1.self_attn.k_proj")).toMatchObject({ inFeatures: 128, outFeatures: 64 });
  });
});
