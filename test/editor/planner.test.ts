import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeWithModels, MODELS } from "../reference/models";
import { journey } from "./support/journey";
import { reportIn } from "./support/reportPage";

const KEPT_MS = 8_000;
const BASE = "safetensors/tinystories_656k";
const CONFIG = "base_model: ./base\nadapter: lora\nlora_alpha: 16\nlora_target_modules: [q_proj, v_proj]\nlora_r: 8\n";
/** q is 128 × 128 and v 64 × 128, in two layers. */
const trained = (rank: number): string => (2 * rank * (256 + 192)).toLocaleString("en-US");

describeWithModels("the planner in the editor", [`${BASE}/model.safetensors`], () => {
  const window = journey("planner", (folder) => {
    mkdirSync(join(folder, "base"));
    cpSync(join(MODELS, BASE), join(folder, "base"), { recursive: true, dereference: true });
    writeFileSync(join(folder, "train.yaml"), CONFIG);
  });
  const lora = async (): Promise<string> => {
    const line = reportIn(window().page).locator("tr.own");
    return ((await line.locator("td").first().textContent()) ?? "").trim();
  };

  it("opens beside a config from the palette, with its own method marked", async () => {
    await window().file("train.yaml").click();
    await window().page.getByRole("tab", { name: /train\.yaml/ }).waitFor();
    await window().command("RankLens: Plan Fine-Tuning");
    await window().page.getByRole("tab", { name: /Plan: train\.yaml/ }).waitFor();
    await expect.poll(lora, { timeout: 60_000 }).toBe(trained(8));
    await window().shot("open");
  });

  it("follows the config while a person types", async () => {
    await window().page.locator(".monaco-editor .view-lines").first().click();
    await window().page.keyboard.press("Control+End");
    await window().page.keyboard.type("lora_dropout: 0\nlora_rank_pattern: {q_proj: 16, v_proj: 16}\n");
    await expect.poll(lora, { timeout: 30_000 }).toBe(trained(16));
  });

  it("comes back after the window was reloaded", async () => {
    await window().page.keyboard.press("Control+s");
    await expect.poll(() => readFileSync(join(window().place.folder, "train.yaml"), "utf8")).toContain("lora_rank_pattern");
    // VS Code in a browser keeps what is open every five seconds, and when it is left only if it has the time.
    await window().page.waitForTimeout(KEPT_MS);
    await window().reload();
    await window().page.getByRole("tab", { name: /Plan: train\.yaml/ }).click();
    await expect.poll(lora, { timeout: 60_000 }).toBe(trained(16));
    expect(window().complaints).toEqual([]);
  });
});
