import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeWithModels, MODELS } from "../reference/models";
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

  it("has a lens with what it trains, and hints in the line", async () => {
    await window().file("train.yaml").dblclick();
    const { page } = window();
    await page.locator(".codelens-decoration").getByText("2 modules").waitFor();
    await window().shot("open");
    expect(await page.locator(".codelens-decoration").innerText()).toMatch(/Analyze ranks of .\/base[^]*2 modules · 8\.2 k trainable/);
  });
});
