import { describe, expect, it } from "vitest";
import type { BaseModule, ModelModules } from "../../../src/training/base/modelModules";
import { compileRanks } from "../../../src/training/matching/ranks";
import { NO_SELECTION, type RankRules, type Selection } from "../../../src/training/matching/selection";
import { matchTargets } from "../../../src/training/matching/targets";
import { METHODS } from "../../../src/training/planner/methods";
import { adaptedMatrices, planRows, usualProjectionRank } from "../../../src/training/planner/plan";
import { embedding, linear, llama, LLAMA_13B, LLAMA_7B, modelOf } from "./madeModules";

const RULES: RankRules = { rank: 8, alpha: 16, rankPattern: [], alphaPattern: [], rankStabilized: false };
const Q_V = ["q_proj", "v_proj"];
const ALL_LINEAR = "all-linear";
const PROJECTION = 1024;

function plan(model: ModelModules, targetModules: Selection["targetModules"], rank: number, projectionRank = PROJECTION, further: Partial<RankRules> = {}) {
  const outcome = matchTargets(model, { ...NO_SELECTION, targetModules });
  if (!outcome.decided) throw new Error("the targets are not decided");
  const rows = planRows(model, adaptedMatrices(outcome.matched, compileRanks({ ...RULES, rank, ...further })), projectionRank);
  return (id: string) => rows.find((row) => row.id === id)!;
}

const LLAMA_3_2_3B = { layers: 28, hidden: 3072, intermediate: 8192, keysAndValues: 1024, vocabulary: 128256 };
/** Its output layer shares the embedding's weight. */
function llama32(): ModelModules {
  const model = llama(LLAMA_3_2_3B);
  const modules = model.modules.map((module) => (module.name === "lm_head" ? { ...module, tiedTo: ["model.embed_tokens"] } : module));
  return { ...modelOf(modules), hiddenSize: 3072 };
}
/** RoBERTa's encoder by transformers' names. */
function roberta(layers: number, hidden: number): ModelModules {
  const block = (index: number): BaseModule[] => {
    const at = `roberta.encoder.layer.${index}`;
    return [
      ...["query", "key", "value"].map((part) => linear(`${at}.attention.self.${part}`, hidden, hidden)), linear(`${at}.attention.output.dense`, hidden, hidden),
      linear(`${at}.intermediate.dense`, hidden, 4 * hidden), linear(`${at}.output.dense`, 4 * hidden, hidden),
    ];
  };
  return modelOf(Array.from({ length: layers }, (_, index) => block(index)).flat());
}
const MISTRAL_7B = { layers: 32, hidden: 4096, intermediate: 14336, keysAndValues: 1024, vocabulary: 32000 };

describe("models that the counts are published for", () => {
  it("have their published sizes", () => {
    expect(llama(LLAMA_7B).parameters).toBe(6_738_415_616);
    expect(llama32().parameters).toBe(3_212_749_824);
  });
});

describe("counts that PEFT's own benchmark measured (method_comparison/MetaMathQA/results, Llama 3.2 3B)", () => {
  it.each([
    ["lora", Q_V, 32, 9_175_040], ["rslora", Q_V, 64, 18_350_080], ["dora", Q_V, 32, 9_289_728], ["lora", ["up_proj", "gate_proj", "down_proj"], 10, 9_461_760],
    ["vera", Q_V, 256, 129_024], ["miss", Q_V, 64, 7_340_032], ["full", Q_V, 8, 3_212_749_824],
  ] as const)("%s on %j of rank %i trains %i", (id, targets, rank, expected) => {
    expect(plan(llama32(), targets, rank)(id).trainable).toBe(expected);
  });

  it.each([["lora", 32, 36_715_216], ["dora", 32, 37_181_760], ["vera", 256, 6_821_968], ["miss", 64, 29_367_496], ["full", 8, 6_425_499_648]] as const)("what is saved of %s of rank %i is its file of %i bytes, less the header", (id, rank, file) => {
    const { savedBytes } = plan(llama32(), Q_V, rank)(id);
    expect(savedBytes).toBeLessThanOrEqual(file);
    expect(file - savedBytes).toBeLessThan(30_000);
  });
});

describe("counts that papers publish", () => {
  it("LoRA of rank 8 on q and v of Llama 2 7B trains 4,194,304", () => {
    expect(plan(llama(LLAMA_7B), Q_V, 8)("lora").trainable).toBe(4_194_304);
  });

  it.each([
    ["RoBERTa base", roberta(12, 768), ["query", "value"], 1024, 0.043], ["RoBERTa large", roberta(24, 1024), ["query", "value"], 256, 0.061],
    ["Llama 2 7B", llama(LLAMA_7B), ALL_LINEAR, 256, 1.4], ["Llama 2 7B", llama(LLAMA_7B), ALL_LINEAR, 1024, 1.6], ["Llama 2 13B", llama(LLAMA_13B), ALL_LINEAR, 1024, 2.4],
  ] as const)("VeRA on %s (Kopiczko et al. 2024)", (_name, model, targets, rank, millions) => {
    expect(plan(model, targets, rank)("vera").trainable / 1e6).toBeCloseTo(millions, millions < 1 ? 3 : 1);
  });

  it.each([["Llama 2 7B", LLAMA_7B, 159.9], ["Llama 2 13B", LLAMA_13B, 250.3]] as const)("LoRA of rank 64 on %s, as VeRA's paper counts it", (_name, sizes, millions) => {
    expect(plan(llama(sizes), ALL_LINEAR, 64)("lora").trainable / 1e6).toBeCloseTo(millions, 1);
  });

  it.each([[25, 60], [20, 38.4], [16, 24.6], [12, 13.8], [8, 6.1], [4, 1.5]] as const)("LoRA-XS of rank %i on RoBERTa large trains %f thousand (Bałazy et al. 2024)", (rank, thousands) => {
    expect(plan(roberta(24, 1024), ["query", "value", "attention.output.dense", "intermediate.dense"], rank)("lora-xs").trainable / 1e3).toBeCloseTo(thousands, 1);
  });

  it.each([[64, 0.92], [32, 0.23], [16, 0.057]] as const)("LoRA-XS of rank %i on Mistral 7B trains %f million (Bałazy et al. 2024)", (rank, millions) => {
    expect(plan(llama(MISTRAL_7B), ALL_LINEAR, rank)("lora-xs").trainable / 1e6).toBeCloseTo(millions, rank === 16 ? 3 : 2);
  });

  it("LoRA of rank 32 is 0.83 % and DoRA 0.84 % of Llama 7B (Liu et al. 2024)", () => {
    const of = plan(llama(LLAMA_7B), ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"], 32);
    expect((100 * of("lora").share).toFixed(2)).toBe("0.83");
    expect((100 * of("dora").share).toFixed(2)).toBe("0.84");
  });
});

/** One linear layer of 100 inputs and 60 outputs, twice, in two layers. */
const PAIR = modelOf([linear("layers.0.fc", 100, 60), linear("layers.1.fc", 100, 60)]);
const [M, N, R, L] = [60, 100, 4, 2];

describe("formulas on one size", () => {
  it.each([
    ["lora", L * R * (M + N)], ["dora", L * (R * (M + N) + M)], ["bora", L * (R * (M + N) + M + N)], ["vera", L * (R + M)], ["tied-lora", R * (M + N) + L * (R + M)],
    ["nola", L * 2048], ["lora-xs", L * R * R], ["svfit", L * R], ["edora", L * (R * R + M)], ["nora", L * 2 * R * 1], ["loldu", L * (R + 1)], ["miss", L * R * M],
    ["aflora", L * (R * (M + N) + R + M)], ["roselora", L * R * (M + N)], ["capaboost", L * R * (M + N)], ["lotr", R * (M + N) + L * R * R],
    ["flora-tucker", L * (R * R + R * (M + N))], ["sltrain", L * (R * (M + N) + 0.03 * M * N)], ["relora", L * R * (M + N)], ["cola", L * R * (M + N)], ["lte", 4 * L * R * (M + N)],
    // 100 = 5·4·5 and 60 = 4·3·5: sites of 20, 12 and 25, bonds of 4.
    ["dota", L * (20 * R + R * 12 * R + R * 25)],
  ])("%s", (id, expected) => {
    expect(plan(PAIR, ["fc"], R)(id).trainable).toBeCloseTo(expected, 9);
  });

  it.each([
    ["galore", 2 * R * N + R * M], ["galore-plus", 2 * R * N + R * M], ["fira", 2 * R * N + R * M + 1], ["coap", 2 * R * N + R * M], ["flora", R * N + M + N],
    ["online-subspace-descent", 2 * R * N + 3 * R * M], ["apollo", 2 * R * N + 2], ["apollo-mini", 2 * N + 2],
  ])("state of %s", (id, each) => {
    const row = plan(PAIR, ["fc"], R, R)(id);
    expect(row.optimizerBytes).toBe(4 * L * each);
    expect(row.trainable).toBe(PAIR.parameters);
  });

  it("what is not projected has Adam's two moments", () => {
    const model = modelOf([...PAIR.modules, embedding("embed", 10, 100)]);
    expect(plan(model, ["fc"], R, R)("apollo").optimizerBytes).toBe(4 * (L * (2 * R * N + 2) + 2 * 1000));
  });
});

describe("a plan", () => {
  it("takes every module's own rank", () => {
    const of = plan(PAIR, ["fc"], R, PROJECTION, { rankPattern: [["layers.1.fc", 2]] });
    expect(of("lora").trainable).toBe((R + 2) * (M + N));
  });

  it("counts the factors of convolutions, embeddings and stacked experts as PEFT makes them", () => {
    const conv: BaseModule = { ...linear("conv", 8, 16), kind: "conv", kernel: [3, 3], groups: 2, parameters: 16 * 4 * 9 };
    expect(plan(modelOf([conv]), ["conv"], R)("lora").trainable).toBe(R * 8 * 9 + (R / 2) * 16);
    expect(plan(modelOf([embedding("embed", 1000, 32)]), ["embed"], R)("lora").trainable).toBe(R * (1000 + 32));
    const experts = { name: "mlp.experts.down_proj", experts: 8, inFeatures: 32, outFeatures: 16, parameters: 8 * 512 };
    const [lora] = planRows(PAIR, adaptedMatrices({ modules: [], expertParameters: [experts] }, compileRanks({ ...RULES, rank: R })), PROJECTION);
    expect(lora!.trainable).toBe(8 * R * (32 + 16));
  });

  it("has APOLLO's rank for projections where the config has none", () => {
    expect(usualProjectionRank(4096)).toBe(1024);
    expect(usualProjectionRank(null)).toBe(128);
  });

  it("names a source for every method, and a reason for every estimate", () => {
    expect(new Set(METHODS.map(({ id }) => id)).size).toBe(METHODS.length);
    for (const { url, source, estimated, note } of METHODS) {
      expect(url).toMatch(/^https:\/\/arxiv\.org\/abs\/\d{4}\.\d{5}$|1412\.6980$/);
      expect(source.length).toBeGreaterThan(10);
      if (estimated !== null) expect(note.length).toBeGreaterThan(20);
    }
  });
});
