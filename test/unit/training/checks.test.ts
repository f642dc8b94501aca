import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Severity } from "../../../src/shared/configReading";
import type { ModelModules } from "../../../src/training/base/modelModules";
import { CHECKS } from "../../../src/training/checks/checks";
import type { DocumentLanguage } from "../../../src/training/documents/located";
import { embedding, linear, llama, modelOf } from "./madeModules";
import { SAMPLE_CONFIGS } from "./sampleConfigs";
import { findings, fixed } from "./support";

/** Two layers of Llama 3's form: k_proj and v_proj are 4 times narrower. */
const LLAMA = llama({ layers: 2, hidden: 64, intermediate: 128, keysAndValues: 16, vocabulary: 100 });
const TIED = modelOf([...LLAMA.modules.slice(0, -1), linear("lm_head", 64, 100, { tiedTo: ["model.embed_tokens"] })], { tiedEmbeddings: true });
const AWQ: ModelModules = { ...LLAMA, quantization: { method: "awq", bits: 4 } };
const SEES = modelOf(LLAMA.modules.map((module) => ({ ...module, name: module.name.replace("model.layers", "model.language_model.layers") })));
const RENAMED = modelOf(LLAMA.modules.map((module) => ({ ...module, name: module.name.replace("model.layers", "language_model.model.layers") })), { modelType: "gemma3", approximate: "transformers 4.52 moved the prefixes of models that see and read" });
const EXPERTS = modelOf([embedding("model.embed_tokens", 100, 64), linear("model.layers.0.self_attn.q_proj", 64, 64)], {
  expertParameters: [{ name: "model.layers.0.mlp.experts.gate_up_proj", experts: 4, inFeatures: 64, outFeatures: 128, parameters: 4 * 64 * 128 }],
});
const DEPTHWISE = modelOf([linear("conv", 12, 12, { kind: "conv", kernel: [3, 3], groups: 12, parameters: 108 })]);

const json = (keys: Record<string, unknown>): string => `${JSON.stringify({ peft_type: "LORA", base_model_name_or_path: "org/base", r: 8, lora_alpha: 16, ...keys }, null, 2)}\n`;
const axolotl = (...lines: readonly string[]): string => ["base_model: org/base", "datasets: []", "adapter: lora", "lora_r: 8", "lora_alpha: 16", ...lines, ""].join("\n");
const python = (...lines: readonly string[]): string => ["from peft import LoraConfig", "LoraConfig(", ...lines.map((line) => `    ${line},`), ")", ""].join("\n");
const unsloth = (...lines: readonly string[]): string => ["from unsloth import FastLanguageModel", "FastLanguageModel.get_peft_model(", "    model,", ...lines.map((line) => `    ${line},`), ")", ""].join("\n");
const kohya = (...lines: readonly string[]): string => ["pretrained_model_name_or_path = \"stabilityai/stable-diffusion-xl-base-1.0\"", "network_module = \"networks.lora\"", "network_dim = 8", ...lines, ""].join("\n");
const training = (...lines: readonly string[]): string => ["TrainingArguments(", ...lines.map((line) => `    ${line},`), ")", ""].join("\n");

interface Case {
  readonly code: string;
  readonly when: string;
  readonly language: DocumentLanguage;
  readonly text: string;
  readonly model: ModelModules | null;
  readonly severity: Severity;
  /** What is underlined. */
  readonly at: string;
  /** Parts of the sentence: the figures. */
  readonly says: readonly string[];
  /** Title of the first fix, and a part of the text after it; null where there is none. */
  readonly fix: readonly [title: string, after: string] | null;
}

const CASES: readonly Case[] = [
  { code: "no-target-matches", when: "the only name is misspelt", language: "yaml", text: axolotl("lora_target_modules:", "  - q_prj"), model: LLAMA, severity: "error", at: "- q_prj", says: ["q_prj matches none", "16 modules", "q_proj"], fix: ["Change to q_proj", "- q_proj"] },
  { code: "no-target-matches", when: "an expression lacks its beginning", language: "json", text: json({ target_modules: "self_attn.q_proj" }), model: LLAMA, severity: "error", at: "\"self_attn.q_proj\"", says: ["self_attn.q_proj matches none"], fix: ["Change to .*self_attn.q_proj (2 modules)", "\".*self_attn.q_proj\""] },
  { code: "target-unmatched", when: "one of two names is misspelt", language: "yaml", text: axolotl("lora_target_modules: [q_proj, k_prj]"), model: LLAMA, severity: "warning", at: "k_prj", says: ["k_prj matches no module", "Did you mean k_proj (2 modules of 16 × 64)?"], fix: ["Change to k_proj", "[q_proj, k_proj]"] },
  { code: "target-unmatched", when: "a name is of another architecture", language: "python", text: python("r=8", "target_modules=[\"q_proj\", \"query_key_value\"]"), model: LLAMA, severity: "warning", at: "\"query_key_value\"", says: ["query_key_value matches no module"], fix: ["Remove query_key_value from the targets", "[\"q_proj\"]"] },
  { code: "regex-in-list", when: "an expression stands beside a name", language: "json", text: json({ target_modules: ["v_proj", ".*q_proj"] }), model: LLAMA, severity: "warning", at: "\".*q_proj\"", says: [".*q_proj is an expression", "2 modules"], fix: ["Write the targets as one expression (4 modules)", "\"(?:(?:.*\\\\.)?v_proj)|(?:.*q_proj)\""] },
  { code: "regex-in-list", when: "the model is not known", language: "yaml", text: axolotl("lora_target_modules:", "  - .*q_proj"), model: null, severity: "error", at: ".*q_proj", says: ["it matches nothing"], fix: ["Write the targets as one expression", "lora_target_modules: .*q_proj"] },
  { code: "moved-prefix", when: "the model has the new names", language: "yaml", text: axolotl("lora_target_modules: language_model.model.layers.\\d+.self_attn.q_proj"), model: SEES, severity: "error", at: "language_model.model.layers.\\d+.self_attn.q_proj", says: ["language_model.model.… is model.language_model.…"], fix: ["Change to model.language_model.layers.\\d+.self_attn.q_proj", "modules: model.language_model.layers"] },
  { code: "moved-prefix", when: "transformers renames on loading", language: "yaml", text: axolotl("lora_target_modules: language_model.model.layers.\\d+.self_attn.q_proj"), model: RENAMED, severity: "information", at: "language_model.model.layers.\\d+.self_attn.q_proj", says: ["transformers 4.52"], fix: ["Change to model.language_model.layers.\\d+.self_attn.q_proj", "modules: model.language_model.layers"] },
  { code: "pattern-key-unmatched", when: "a key is misspelt", language: "json", text: json({ target_modules: ["q_proj"], rank_pattern: { q_prj: 4 }, alpha_pattern: { q_proj: 8 } }), model: LLAMA, severity: "warning", at: "\"q_prj\"", says: ["q_prj fits none of the 2 targeted modules", "Did you mean q_proj?"], fix: ["Change to q_proj", "\"q_proj\": 4"] },
  { code: "pattern-key-unmatched", when: "a key begins as state dicts do", language: "yaml", text: axolotl("lora_target_modules: [q_proj]", "lora_rank_pattern:", "  base_model.model.model.layers.0.self_attn.q_proj.weight: 6"), model: LLAMA, severity: "warning", at: "base_model.model.model.layers.0.self_attn.q_proj.weight", says: ["none of the 2 targeted"], fix: ["Change to model.layers.0.self_attn.q_proj", "  model.layers.0.self_attn.q_proj: 6"] },
  { code: "pattern-key-unmatched", when: "a key fits what is not targeted", language: "json", text: json({ target_modules: ["q_proj"], rank_pattern: { v_proj: 6 } }), model: LLAMA, severity: "warning", at: "\"v_proj\"", says: ["fits 2 modules of the model", "none that is targeted"], fix: null },
  { code: "pattern-key-shadowed", when: "an earlier key fits the same", language: "json", text: json({ target_modules: ["q_proj"], rank_pattern: { "q_.*": 6, q_proj: 7 } }), model: LLAMA, severity: "warning", at: "\"q_proj\"", says: ["q_proj fits 2 modules", "q_.* above fits first"], fix: ["Remove q_proj", "\"q_.*\": 6\n"] },
  { code: "rank-above-dimensions", when: "r exceeds the shorter side", language: "yaml", text: axolotl("lora_target_modules: [q_proj, k_proj]").replace("lora_r: 8", "lora_r: 32"), model: LLAMA, severity: "warning", at: "32", says: ["Rank 32 is above 16", "k_proj (16 × 64)", "1 other module"], fix: ["Set the rank to 16", "lora_r: 16"] },
  { code: "rank-above-dimensions", when: "a pattern's rank does", language: "json", text: json({ target_modules: ["q_proj"], rank_pattern: { q_proj: 128 }, alpha_pattern: { q_proj: 256 } }), model: LLAMA, severity: "warning", at: "128", says: ["Rank 128 is above 64"], fix: ["Set the rank to 64", "\"q_proj\": 64"] },
  { code: "rank-not-positive", when: "it is 0", language: "yaml", text: axolotl("lora_target_modules: [q_proj]").replace("lora_r: 8", "lora_r: 0"), model: null, severity: "error", at: "0", says: ["Rank 0 makes no adapter"], fix: null },
  { code: "rank-not-positive", when: "it is below", language: "json", text: json({ r: -4, target_modules: ["q_proj"] }), model: LLAMA, severity: "error", at: "-4", says: ["Rank -4 makes no adapter"], fix: null },
  { code: "pattern-changes-scale", when: "α is not in proportion", language: "json", text: json({ target_modules: ["q_proj"], rank_pattern: { q_proj: 32 } }), model: null, severity: "information", at: "\"q_proj\"", says: ["rank 32 and α 16", "scaled by 0.5", "by 2"], fix: ["Add an alpha_pattern that keeps the scale", "\"q_proj\": 64"] },
  { code: "serving-vllm", when: "the rank is above vLLM's limit", language: "json", text: json({ r: 24, target_modules: ["q_proj"] }), model: null, severity: "hint", at: "24", says: ["Rank 24 is above 16", "--max-lora-rank 32"], fix: null },
  { code: "serving-vllm", when: "the adapter is DoRA's", language: "json", text: json({ use_dora: true, target_modules: ["q_proj"] }), model: null, severity: "information", at: "true", says: ["DoRA"], fix: null },
  { code: "serving-vllm", when: "modules are saved whole", language: "json", text: json({ modules_to_save: ["lm_head"], target_modules: ["q_proj"] }), model: null, severity: "information", at: "[", says: ["modules_to_save"], fix: null },
  { code: "tied-embeddings", when: "the head is targeted", language: "json", text: json({ target_modules: ["q_proj", "lm_head"] }), model: TIED, severity: "warning", at: "\"lm_head\"", says: ["lm_head and model.embed_tokens share one weight"], fix: ["Remove lm_head from the targets", "\"q_proj\"\n  ]"] },
  { code: "unsloth-embedding-target", when: "an embedding is targeted", language: "python", text: unsloth("target_modules=[\"q_proj\", \"embed_tokens\"]"), model: LLAMA, severity: "information", at: "\"embed_tokens\"", says: ["no adapter on embed_tokens", "6.4 k parameters"], fix: ["Remove embed_tokens from the targets", "[\"q_proj\"]"] },
  { code: "dora-quantized", when: "the model's config says AWQ", language: "yaml", text: axolotl("lora_target_modules: [q_proj]", "peft_use_dora: true"), model: AWQ, severity: "error", at: "true", says: ["AWQ", "raises an error"], fix: ["Turn DoRA off", "peft_use_dora: false"] },
  { code: "dora-quantized", when: "the base model's name says GPTQ", language: "yaml", text: axolotl("lora_target_modules: [q_proj]", "peft_use_dora: true").replace("org/base", "org/base-GPTQ"), model: null, severity: "error", at: "true", says: ["GPTQ"], fix: ["Turn DoRA off", "peft_use_dora: false"] },
  { code: "init-quantized", when: "PiSSA meets 4 bits", language: "yaml", text: axolotl("load_in_4bit: true", "peft_init_lora_weights: pissa_niter_16"), model: null, severity: "error", at: "pissa_niter_16", says: ["PiSSA", "bnb-4bit"], fix: ["Start with PEFT's own initialisation", "peft_init_lora_weights: true"] },
  { code: "init-not-convertible", when: "rsLoRA and a pattern come together", language: "json", text: json({ init_lora_weights: "pissa", use_rslora: true, target_modules: ["q_proj"], rank_pattern: { q_proj: 12 } }), model: null, severity: "warning", at: "\"pissa\"", says: ["cannot convert"], fix: ["Scale without rank stabilisation", "\"use_rslora\": false"] },
  { code: "fused-experts", when: "the experts' name is among the targets", language: "json", text: json({ target_modules: ["q_proj", "gate_up_proj"] }), model: EXPERTS, severity: "warning", at: "\"gate_up_proj\"", says: ["model.layers.0.mlp.experts.gate_up_proj"], fix: ["Write experts.gate_up_proj in target_parameters", "\"target_parameters\": [\n    \"experts.gate_up_proj\"\n  ]"] },
  { code: "expert-dropout", when: "dropout meets target_parameters", language: "json", text: json({ lora_dropout: 0.05, target_parameters: ["experts.gate_up_proj"] }), model: null, severity: "error", at: "0.05", says: ["0.05"], fix: ["Set the dropout to 0", "\"lora_dropout\": 0,"] },
  { code: "grouped-convolution", when: "the rank cannot be shared among groups", language: "json", text: json({ target_modules: ["conv"] }), model: DEPTHWISE, severity: "error", at: "8", says: ["12 groups", "rank 8"], fix: ["Set the rank to 12", "\"r\": 12"] },
  { code: "convolutions-untouched", when: "conv_dim is not given", language: "toml", text: kohya(), model: null, severity: "hint", at: "8", says: ["3×3"], fix: null },
  { code: "layers-with-expression", when: "layers are chosen beside an expression", language: "python", text: python("target_modules=\".*q_proj\"", "layers_to_transform=[0, 1]"), model: null, severity: "error", at: "[0, 1]", says: ["layers_to_transform"], fix: ["Remove layers_to_transform", "target_modules=\".*q_proj\",\n)"] },
  { code: "projection-without-targets", when: "GaLore has none", language: "python", text: training("optim=\"galore_adamw\"", "learning_rate=1e-5"), model: null, severity: "error", at: "\"galore_adamw\"", says: ["GaLore", "optim_target_modules"], fix: ["Add optim_target_modules with all linear layers", "optim=\"galore_adamw\",\n    optim_target_modules=\"all-linear\","] },
  { code: "projection-not-linear", when: "a target is an embedding", language: "python", text: training("optim=\"galore_adamw\"", "optim_target_modules=[\"embed_tokens\", \"mlp\"]"), model: LLAMA, severity: "information", at: "\"embed_tokens\"", says: ["1 module", "no linear layer (embedding)"], fix: null },
  { code: "layerwise-accumulation", when: "gradients are accumulated", language: "python", text: training("optim=\"galore_adamw_layerwise\"", "optim_target_modules=[\"mlp\"]", "gradient_accumulation_steps=4"), model: null, severity: "error", at: "4", says: ["4 steps"], fix: ["Accumulate no gradients (1 step)", "gradient_accumulation_steps=1"] },
  { code: "block-ranks-length", when: "a block's rank is missing", language: "toml", text: kohya(`network_args = ["conv_dim=4", "block_dims=${Array.from({ length: 22 }, () => 4).join(",")}"]`), model: null, severity: "error", at: "4,4", says: ["22 numbers", "needs 23"], fix: null },
  { code: "init-needs-call", when: "nothing calls for EVA", language: "yaml", text: axolotl("peft_init_lora_weights: eva"), model: null, severity: "warning", at: "eva", says: ["EVA", "initialize_lora_eva_weights"], fix: ["Start with PEFT's own initialisation", "peft_init_lora_weights: true"] },
  { code: "unsloth-init", when: "PiSSA is asked for", language: "python", text: unsloth("init_lora_weights=\"pissa\""), model: null, severity: "error", at: "\"pissa\"", says: ["pissa"], fix: ["Start with PEFT's own initialisation (True)", "init_lora_weights=True"] },
];

describe.each(CASES)("$code, when $when", ({ code, language, text, model, severity, at, says, fix }) => {
  const found = findings(text, language, model, code);

  it("is said once, where it is, with its figures", () => {
    expect(found.map((finding) => finding.severity)).toEqual([severity]);
    const [{ range, message, link }] = found as [(typeof found)[0]];
    expect(text.slice(range.start, range.end).startsWith(at)).toBe(true);
    for (const part of says) expect(message).toContain(part);
    expect(link).toMatch(/^https:\/\//);
  });

  it(fix === null ? "has no fix that is made without a choice" : "is gone once it is mended, and nothing else came of it", () => {
    const [first] = found[0]!.fixes.filter(({ isPreferred }) => fix !== null || isPreferred);
    if (fix === null) return expect(first).toBeUndefined();
    expect(first?.title).toBe(fix[0]);
    const after = fixed(text, first!);
    expect(after).toContain(fix[1]);
    expect(findings(after, language, model, code)).toEqual([]);
    expect(findings(after, language, model).filter((finding) => finding.severity === "error")).toEqual([]);
  });
});

describe("the checks", () => {
  it("are all tried here", () => {
    expect([...new Set(CASES.map(({ code }) => code))].sort()).toEqual(CHECKS.map(({ code }) => code).sort());
  });

  it("are all told in the documentation, and no others", () => {
    const codes = [...readFileSync("docs/training-checks.md", "utf8").matchAll(/^\| `([\w-]+)`/gm)].map((match) => match[1]);
    expect(codes.sort()).toEqual(CHECKS.map(({ code }) => code).sort());
  });

  it.each(SAMPLE_CONFIGS)("find nothing but hints in a right config of $ecosystem", ({ text, language, fileName }) => {
    const said = findings(text, language, llama({ layers: 2, hidden: 256, intermediate: 512, keysAndValues: 128, vocabulary: 1000 }), undefined, fileName);
    expect(said.filter(({ severity }) => severity !== "hint")).toEqual([]);
  });

  it.each<readonly [why: string, language: DocumentLanguage, text: string, model: ModelModules | null]>([
    ["names are endings of names", "json", json({ target_modules: ["self_attn.q_proj", "layers.1.mlp.up_proj"] }), LLAMA],
    ["a file keeps the names from before, and the config has those of now", "yaml", axolotl("lora_target_modules: model.language_model.layers.\\d+.self_attn.q_proj"), RENAMED],
    ["a value is only known to a run", "python", python("r=args.r", "target_modules=args.targets"), LLAMA],
    ["a value is interpolated", "yaml", axolotl("lora_target_modules: [q_proj, \"${target}\"]"), LLAMA],
    ["arguments come from elsewhere", "python", "from peft import LoraConfig\nLoraConfig(target_modules=\".*q_proj\", **more)\n", LLAMA],
    ["tied weights are kept equal", "json", json({ target_modules: ["q_proj", "lm_head"], ensure_weight_tying: true }), TIED],
    ["α is in proportion", "json", json({ target_modules: ["q_proj"], rank_pattern: { q_proj: 12 }, alpha_pattern: { q_proj: 24 } }), LLAMA],
    ["DoRA meets bitsandbytes", "yaml", axolotl("load_in_4bit: true", "peft_use_dora: true", "lora_target_modules: [q_proj]"), LLAMA],
    ["all linear layers are named by a word", "json", json({ target_modules: "all-linear" }), LLAMA],
    ["EVA is called for", "python", `${python("init_lora_weights=\"eva\"", "target_modules=[\"q_proj\"]")}initialize_lora_eva_weights(model, data)\n`, LLAMA],
    ["a saved adapter was started by EVA", "json", json({ init_lora_weights: "eva", target_modules: ["q_proj"] }), LLAMA],
    ["there are as many blocks as there should be", "toml", kohya(`network_args = ["conv_dim=4", "block_dims=${Array.from({ length: 23 }, () => 4).join(",")}"]`), null],
    ["a half-typed list ends in the middle", "json", "{\"peft_type\": \"LORA\", \"r\": 8, \"target_modules\": [\"q_prj\"", LLAMA],
    ["YAML is indented by tabs", "yaml", axolotl("lora_target_modules:", "\t- q_prj"), LLAMA],
    ["a call is being typed", "python", "from peft import LoraConfig\nLoraConfig(r=8, target_modules=[\"q_prj\"", LLAMA],
  ])("say nothing where %s", (_, language, text, model) => {
    expect(findings(text, language, model)).toEqual([]);
  });

  it.each(CASES)("stay calm on every beginning of a text: $code, when $when", ({ language, text, model }) => {
    for (let end = 0; end < text.length; end += 5) {
      for (const { range, fixes } of findings(text.slice(0, end), language, model)) {
        expect(range.start).toBeLessThanOrEqual(range.end);
        for (const { edits } of fixes) for (const edit of edits) expect(edit.range.end).toBeLessThanOrEqual(end);
      }
    }
  });
});

describe("a finding is switched off by a comment", () => {
  const text = axolotl("lora_target_modules:", "  - q_proj", "  - k_prj  # here", "  - v_prj");

  it("at the end of its line, in the line above, or for the whole file", () => {
    const codes = (of: string): string[] => findings(of, "yaml", LLAMA).map(({ message }) => message.slice(0, 5));
    expect(codes(text)).toEqual(["k_prj", "v_prj"]);
    expect(codes(text.replace("# here", "# ranklens-disable-line"))).toEqual(["v_prj"]);
    expect(codes(text.replace("# here", "# ranklens-disable-next-line target-unmatched"))).toEqual(["k_prj"]);
    expect(codes(text.replace("# here", "# ranklens-disable target-unmatched"))).toEqual([]);
    expect(codes(text.replace("# here", "# ranklens-disable other-check"))).toEqual(["k_prj", "v_prj"]);
    expect(codes(text.replace("# here", "# ranklens-disable-next-line ranklens/target-unmatched, regex-in-list"))).toEqual(["k_prj"]);
  });
});
