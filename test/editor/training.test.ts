import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
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

const SCRIPT = ["import torch", "", "def train(model, optimizer, loader):", "    for epoch in range(3):", "        for x, y in loader:", "            optimizer.zero_grad()", "            torch.nn.functional.cross_entropy(model(x), y).backward()", "            optimizer.step()", ""].join("\n");

const ADAPTER = "derived/lora_tinystories_hn_r8";
/** Each target's ranks are another part of what the adapter changes. */
const MEASURED = ["base_model: ./base", "adapter: lora", "lora_r: 16", "lora_alpha: 32", "lora_target_modules: [q_proj, v_proj, down_proj]", ""].join("\n");

describeWithModels("a training config in the editor", [`${BASE}/model.safetensors`], () => {
  const window = journey("training", (folder) => {
    mkdirSync(join(folder, "base"));
    cpSync(join(MODELS, BASE), join(folder, "base"), { recursive: true, dereference: true });
    writeFileSync(join(folder, "train.yaml"), CONFIG);
    cpSync(join(MODELS, ADAPTER), join(folder, "tuned"), { recursive: true, dereference: true });
    writeFileSync(join(folder, "measured.yaml"), MEASURED);
    writeFileSync(join(folder, "nowhere.yaml"), CONFIG.replace("./base", "nobody/nothing"));
    writeFileSync(join(folder, "loop.py"), SCRIPT);
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

  it("takes a base model that is not found from the person", async () => {
    await editor().open("nowhere.yaml");
    const lens = window().page.locator(".codelens-decoration a").filter({ hasText: "Choose base model nobody/nothing" });
    await lens.click({ timeout: 60_000 });
    await window().choose("base");
    await expect.poll(() => editor().lenses.allInnerTexts(), { timeout: 60_000 }).toEqual([expect.stringContaining("2 modules · 8.2 k trainable")]);
    const settings = readFileSync(join(window().place.folder, ".vscode", "settings.json"), "utf8");
    expect(JSON.parse(settings)).toEqual({ "ranklens.training.baseModels": { "nobody/nothing": join(window().place.folder, "base", "model.safetensors") } });
  });

  it("has recipes for a script: the call and its module", async () => {
    await editor().open("loop.py");
    await editor().goAfter(SCRIPT, "optimizer.step");
    await editor().act("Add Trained Rank Pruning");
    await expect.poll(() => editor().content(), { timeout: 60_000 }).toMatch(/from trained_rank_pruning import TrainedRankPruning[^]*pruning = TrainedRankPruning\.of\(model, optimizer\)[^]*optimizer\.step\(\)\n +pruning\.step\(\)/);
    await window().file("trained_rank_pruning.py").waitFor();
    await window().shot("recipe");
    expect(readFileSync(join(window().place.folder, "trained_rank_pruning.py"), "utf8")).toContain("class TrainedRankPruning");
    expect(window().complaints).toEqual([]);
  });

  it("takes its ranks from an adapter that the person chooses, and one undo brings all back", async () => {
    await editor().open("measured.yaml");
    await expect.poll(() => editor().content(), { timeout: 30_000 }).toContain("lora_r: 16");
    await editor().goAfter(MEASURED, "lora_r: 1");
    await editor().act("Set ranks from a fine-tuned model or adapter");
    const choice = window().page.locator(".quick-input-widget .monaco-list-row").filter({ hasText: "adapter_model.safetensors" });
    await choice.click();
    await expect.poll(() => editor().content(), { timeout: 60_000 }).toMatch(/lora_rank_pattern:\s+q_proj: \d+\s+v_proj: \d+\s+down_proj: \d+/);
    await expect.poll(() => window().page.locator(".notification-toast").allInnerTexts()).toEqual(expect.arrayContaining([expect.stringMatching(/The difference of tuned\/adapter_model\.safetensors needs ranks of \d to \d for 90 % of its energy in 6 of 6 modules/)]));
    await window().shot("measured");
    await window().page.locator(".editor-instance .view-lines").first().click();
    await window().page.keyboard.press("Control+z");
    await expect.poll(() => editor().content(), { timeout: 10_000 }).not.toContain("pattern");
  });
});
