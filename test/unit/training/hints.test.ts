import { describe, expect, it } from "vitest";
import { adaptedBy, type Adapted } from "../../../src/training/adapted";
import { adapterParameters } from "../../../src/training/adapterSize";
import type { TrainingConfig } from "../../../src/training/config";
import { readConfigs } from "../../../src/training/ecosystems/ecosystems";
import { completionsAt } from "../../../src/training/hints/completions";
import { countsText } from "../../../src/training/hints/counts";
import { hoversOf } from "../../../src/training/hints/hovers";
import { inlayHintsOf } from "../../../src/training/hints/inlayHints";
import { rewritesOf } from "../../../src/training/rewrites/rewrites";
import { llama, LLAMA3_8B, LLAMA_7B } from "./madeModules";

const LLAMA = llama(LLAMA_7B);

/** Two lines of every config of axolotl, and more. */
function axolotl(...lines: readonly string[]): TrainingConfig {
  const text = ["base_model: meta-llama/Llama-2-7b-hf", "adapter: lora", ...lines, ""].join("\n");
  const [config] = readConfigs(text, "yaml", "train.yaml");
  return config!;
}

function adapted(config: TrainingConfig, model = LLAMA): Adapted {
  const outcome = adaptedBy(config, model);
  if (!outcome.known) throw new Error("the targets are not known");
  return outcome.adapted;
}

/** The text after one of the rewrites, by the beginning of its title. */
function rewritten(config: TrainingConfig, title: string, model = LLAMA): string {
  const found = rewritesOf(config, adapted(config, model), model).find((each) => each.title.startsWith(title));
  if (found === undefined) throw new Error(`no rewrite "${title}"`);
  return found.edits.toSorted((a, b) => b.range.start - a.range.start)
    .reduce((text, { range, text: replacement }) => text.slice(0, range.start) + replacement + text.slice(range.end), config.document.text);
}

const again = (text: string): TrainingConfig => readConfigs(text, "yaml", "train.yaml")[0]!;

describe("what a config comes to", () => {
  it("is the published count: LoRA of rank 8 on q and v of Llama 2 7B trains 4,194,304 parameters", () => {
    const config = axolotl("lora_r: 8", "lora_alpha: 16", "lora_target_modules: [q_proj, v_proj]");
    expect(adapterParameters(adapted(config).modules, false)).toBe(4_194_304);
    expect(countsText(config, adapted(config), LLAMA)).toBe("64 modules · 4.2 M trainable (0.062 %)");
  });
  it("counts one magnitude for each output with DoRA", () => {
    const config = axolotl("lora_r: 8", "lora_alpha: 16", "peft_use_dora: true", "lora_target_modules: [q_proj, v_proj]");
    expect(adapterParameters(adapted(config).modules, true)).toBe(4_194_304 + 64 * 4096);
  });
  it("is unknown while a target is being typed", () => {
    expect(adaptedBy(axolotl("lora_r: 8", "lora_target_modules:", "  - q_proj", "  - "), LLAMA)).toEqual({ known: false, undecided: [] });
  });
});

describe("a hover", () => {
  it("on the rank tells parameters, bytes, the optimizer's memory and the share of directions", () => {
    const config = axolotl("lora_r: 8", "lora_alpha: 16", "lora_target_modules: [q_proj, v_proj]");
    const { markdown } = hoversOf(config, adapted(config), LLAMA)[0]!;
    // 4,194,304 × 2 bytes, × 4 bytes, × 2 moments × 4 bytes.
    for (const part of ["4.2 M trainable", "8.0 MiB in float16", "16.0 MiB in float32", "moments: 32.0 MiB", "8 of 4096 (0.2 %)", "2602.04998"]) expect(markdown).toContain(part);
  });
  it("never recommends a rank from the base weights", () => {
    const config = axolotl("lora_r: 8", "lora_alpha: 16", "lora_target_linear: true");
    expect(hoversOf(config, adapted(config), LLAMA).map(({ markdown }) => markdown).join("\n")).not.toMatch(/recommend|should be/i);
  });
  it("says what α makes of the scale, and what keeps it", () => {
    const config = axolotl("lora_r: 16", "lora_alpha: 32");
    expect(hoversOf(config, null, null)[1]?.markdown).toMatch(/scale is 2: α = 32, r = 16\.[^]*at r = 32 that is 64[^]*α = 8\./);
  });
  it("does not let a tensor's name end its code span", () => {
    const model = { ...LLAMA, modules: LLAMA.modules.map((module) => ({ ...module, name: module.name.replace("q_proj", "q`|](x") })) };
    const config = axolotl("lora_r: 8", "lora_alpha: 16", "lora_target_linear: true");
    for (const { markdown } of hoversOf(config, adapted(config, model), model)) expect(markdown).not.toContain("q`|");
  });
});

describe("hints in the line", () => {
  it("tell how many modules a target and a key of a pattern come to", () => {
    const config = axolotl("lora_r: 8", "lora_alpha: 16", "lora_target_modules: [q_proj, nowhere]", "lora_rank_pattern:", "  layers\\.(0|1)\\..*q_proj: 4");
    expect(inlayHintsOf(config, adapted(config), LLAMA).map(({ text }) => text)).toEqual(["32 modules of 4096 × 4096", "2 modules of 4096 × 4096 · r 4"]);
  });
});

describe("completion", () => {
  const labels = (line: string, model = LLAMA): string[] => {
    const text = ["base_model: m", "adapter: lora", "lora_r: 8", line, ""].join("\n");
    const at = text.indexOf("|");
    const [config] = readConfigs(text.replace("|", ""), "yaml", "train.yaml");
    return completionsAt(config!, model, at).map(({ label }) => label);
  };
  it("offers the names that are not there yet, linear layers first", () => {
    expect(labels("lora_target_modules: [q_proj, v_|]")).toEqual(["k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head", "embed_tokens"]);
    expect(labels("lora_target_modules:\n  - q_proj\n  - |")).toContain("v_proj");
  });
  it("offers keys of a rank pattern, and nothing elsewhere", () => {
    expect(labels("lora_target_modules: [q_proj]\nlora_rank_pattern:\n  q|: 8")).toContain("down_proj");
    expect(labels("lora_alpha: 1|6")).toEqual([]);
  });
});

describe("a rewrite", () => {
  const config = axolotl("lora_r: 16 # as before", "lora_alpha: 32", "lora_target_linear: true");
  it("of the rank keeps the scale, the comment and everything else", () => {
    expect(rewritten(config, "Double the rank")).toBe(config.document.text.replace("lora_r: 16", "lora_r: 32").replace("lora_alpha: 32", "lora_alpha: 64"));
  });
  it("to rank-stabilised scaling leaves every module's scale as it is", () => {
    const after = again(rewritten(config, "Scale by α/√r"));
    expect(after.useRslora.value).toBe(true);
    expect(adapted(after).modules.every(({ scale }, index) => Math.abs(scale - adapted(config).modules[index]!.scale) < 1e-9)).toBe(true);
  });
  it.each(["Let ranks grow with depth", "Give every target the same number"])("'%s…' is read as PEFT reads it, trains no more parameters, at least 95 % of them, at the same scale", (title) => {
    const before = adapted(config, llama(LLAMA3_8B)), after = adapted(again(rewritten(config, title, llama(LLAMA3_8B))), llama(LLAMA3_8B));
    expect(after.modules.length).toBe(before.modules.length);
    const share = adapterParameters(after.modules, false) / adapterParameters(before.modules, false);
    expect(share).toBeLessThanOrEqual(1);
    expect(share).toBeGreaterThan(0.95);
    for (const { scale } of after.modules) expect(scale).toBeCloseTo(2, 6);
    expect(new Set(after.modules.map(({ rank }) => rank)).size).toBeGreaterThan(1);
  });
  it("gives deeper layers higher ranks", () => {
    const ranks = adapted(again(rewritten(config, "Let ranks grow"))).modules.filter(({ module }) => module.name.endsWith("q_proj")).map(({ rank }) => rank);
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    expect([ranks[0], ranks.at(-1)]).toEqual([8, 24]);
  });
  it("that cannot be made without touching more is not offered", () => {
    const borrowed = axolotl("shared: &r 16", "lora_r: *r", "lora_alpha: 32", "lora_target_linear: true");
    expect(rewritesOf(borrowed, adapted(borrowed), LLAMA).map(({ title }) => title).filter((title) => title.includes("the rank to"))).toEqual([]);
  });
});
