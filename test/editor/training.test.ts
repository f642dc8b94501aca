import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeWithModels, MODELS } from "../reference/models";
import { ConfigEditor } from "./support/configEditor";
import { journey } from "./support/journey";

const BASE = "safetensors/tinystories_656k";
const CONFIG = [
  "base_model: ./base", "adapter: lora", "datasets:", "  - path: data.jsonl", "sequence_len: 512", "lora_r: 16 # tried 8", "lora_alpha: 32",
  "lora_target_modules:", "  - q_proj", "  - k_prj", "",
].join("\n");

describeWithModels("a training config in the editor", [`${BASE}/model.safetensors`], () => {
  const window = journey("training", (folder) => {
    mkdirSync(join(folder, "base"));
    cpSync(join(MODELS, BASE), join(folder, "base"), { recursive: true, dereference: true });
    writeFileSync(join(folder, "train.yaml"), CONFIG);
  });
  const editor = (): ConfigEditor => new ConfigEditor(window());

  it("has a lens with what it trains", async () => {
    await editor().open("train.yaml");
    await expect.poll(() => editor().lenses.allInnerTexts(), { timeout: 60_000 }).toEqual([expect.stringMatching(/Analyze ranks of .\/base[^]*2 modules · 8\.2 k trainable/)]);
    await window().shot("open");
  });

  it("explains the rank in a hover", async () => {
    await editor().goAfter(CONFIG, "lora_r: 1");
    expect(await editor().hover()).toMatch(/Rank 16[^]*8\.2 k trainable parameters[^]*128 × 128/);
  });

  it("offers the base model's names", async () => {
    await editor().goAfter(CONFIG, "- k_prj");
    expect(await editor().complete()).toEqual(expect.arrayContaining([expect.stringMatching(/^k_proj.*2 modules of 64 × 128/)]));
    await window().shot("completion");
    await window().page.keyboard.press("Escape");
  });

  it("doubles the rank at the same scale, and one undo brings all back", async () => {
    await editor().goAfter(CONFIG, "lora_r: 1");
    await editor().act("Double the rank to 32");
    const doubled = CONFIG.replace("lora_r: 16", "lora_r: 32").replace("lora_alpha: 32", "lora_alpha: 64");
    await expect.poll(() => editor().content(), { timeout: 10_000 }).toContain(doubled.split("\n").slice(5, 7).join("\n"));
    await window().page.keyboard.press("Control+z");
    await expect.poll(() => editor().content(), { timeout: 10_000 }).toContain(CONFIG.split("\n").slice(5, 7).join("\n"));
  });
});
