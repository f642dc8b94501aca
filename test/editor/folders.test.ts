import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diagonal, noise, writeModel } from "../engine/support/modelFiles";
import { journey } from "./support/journey";
import { allMeasured, tableLines } from "./support/reportPage";

/** A download of transformers, an adapter beside it, and a folder that is no model. */
function prepare(folder: string): void {
  for (const name of ["llama", "style-lora", "notes"]) mkdirSync(join(folder, name));
  writeModel(join(folder, "llama"), "model.safetensors", { "model.layers.0.mlp.up_proj.weight": diagonal(4, 3, 2, 1) });
  writeFileSync(join(folder, "llama", "config.json"), "{}");
  writeModel(join(folder, "style-lora"), "adapter_model.safetensors", { "base_model.model.q_proj.lora_A.weight": noise(1, 2, 30), "base_model.model.q_proj.lora_B.weight": noise(2, 40, 2) });
  writeFileSync(join(folder, "style-lora", "adapter_config.json"), JSON.stringify({ peft_type: "LORA", r: 2, lora_alpha: 4 }));
  writeFileSync(join(folder, "notes", "read.txt"), "no model");
}

describe("a folder that is a model", () => {
  const window = journey("folders", prepare);
  const labels = async (name: string): Promise<string[]> => {
    const texts = await (await window().contextMenu(name)).allInnerTexts();
    await window().page.keyboard.press("Escape");
    return texts.map((text) => text.trim());
  };

  it("has Analyze Ranks in its menu, and other folders do not", async () => {
    await expect.poll(() => labels("llama"), { timeout: 60_000, interval: 1000 }).toContain("Analyze Ranks");
    expect(await labels("style-lora")).toContain("Analyze Ranks");
    expect(await labels("notes")).not.toContain("Analyze Ranks");
  });

  it("is analyzed as one: an adapter's row is its factors' product", async () => {
    const items = await window().contextMenu("style-lora");
    await items.filter({ hasText: "Analyze Ranks" }).click({ delay: 250 });
    await window().page.getByRole("tab", { name: /adapter_model\.safetensors/ }).waitFor();
    const report = window().report();
    await allMeasured(report);
    const lines = await tableLines(report);
    expect([...lines.keys()]).toEqual(["base_model.model.q_proj"]);
    expect(lines.get("base_model.model.q_proj")).toMatchObject({ Matrix: "40×30", K: "2" });
    await window().shot("adapter");
  });

  it("stands in the Models view once, by its name", async () => {
    await window().page.getByRole("tab", { name: "RankLens" }).click();
    const models = window().page.getByRole("tree", { name: "Models" }).getByRole("treeitem");
    await models.filter({ hasText: "llama" }).waitFor();
    expect((await models.allInnerTexts()).map((text) => text.split("\n")[0]?.trim())).toEqual(["llama", "style-lora"]);
    await window().shot("view");
    expect(window().complaints).toEqual([]);
  });
});
