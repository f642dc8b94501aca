import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeWithModels, MODELS } from "../reference/models";
import { SAMPLE_CONFIGS, type SampleConfig } from "../unit/training/sampleConfigs";
import { ConfigEditor } from "./support/configEditor";
import { journey } from "./support/journey";

const BASE = "safetensors/tinystories_656k";
/** Kinds whose targets are chosen by switches or by classes: there is no name to complete. */
const WITHOUT_NAMES = ["sd-scripts", "lycoris", "litgpt"];
const SLOW_MS = 60_000;

/** The sample with its slip, on the model beside it. */
function withSlip({ text, slip }: SampleConfig): string {
  const based = text.replace("BASE", "./base");
  return slip === null ? based : based.replace(slip.right, slip.wrong);
}

describeWithModels("a training config of every kind in the editor", [`${BASE}/model.safetensors`], () => {
  const window = journey("training-kinds", (folder) => {
    mkdirSync(join(folder, "base"));
    cpSync(join(MODELS, BASE), join(folder, "base"), { recursive: true, dereference: true });
    for (const sample of SAMPLE_CONFIGS) writeFileSync(join(folder, sample.fileName), withSlip(sample));
    // Two kinds do not name their base model.
    mkdirSync(join(folder, ".vscode"));
    writeFileSync(join(folder, ".vscode", "settings.json"), JSON.stringify({ "ranklens.training.baseModels": { "*": join(folder, "base") } }));
  });
  const editor = (): ConfigEditor => new ConfigEditor(window());

  it.each(SAMPLE_CONFIGS)("$ecosystem: lens, finding, hover, completion, quick fix, undo", async (sample) => {
    const { slip, fileName, ecosystem, rank } = sample;
    const content = withSlip(sample);
    await editor().open(fileName);
    await expect.poll(() => editor().lenses.allInnerTexts(), { timeout: SLOW_MS }).toEqual([expect.stringContaining("Analyze ranks of")]);
    if (ecosystem !== "transformers") {
      await editor().goAfter(content, String(slip?.code === "rank-above-dimensions" ? 4096 : rank));
      expect(await editor().hover()).toMatch(/Rank \d+/);
    }
    if (slip !== null) {
      await expect.poll(() => editor().findings.count(), { timeout: SLOW_MS }).toBeGreaterThan(0);
      await editor().goAfter(content, slip.wrong);
      expect(await editor().hover()).toMatch(slip.message);
      await window().shot(ecosystem);
    }
    if (!WITHOUT_NAMES.includes(ecosystem)) {
      const name = /"?(?:\*\.|self_attn\.)?(?:q_prj|q_proj|linear_qkv)/.exec(content)?.[0] ?? "";
      await editor().goAfter(content, name);
      expect((await editor().complete()).join("\n")).toMatch(/q_proj|linear_qkv/);
      await window().page.keyboard.press("Escape");
      await editor().goAfter(content, slip!.wrong);
    }
    const title = slip === null ? "Double the rank" : (slip.fix ?? `Hide ${slip.code}`);
    const expected = slip === null ? String(2 * rank) : slip.fix === null ? `ranklens-disable-next-line ${slip.code}` : slip.right;
    if (slip === null) await editor().goAfter(content, String(rank));
    await editor().act(title);
    await expect.poll(() => editor().content(), { timeout: SLOW_MS }).toContain(expected);
    if (slip !== null) await expect.poll(() => editor().findings.count(), { timeout: SLOW_MS }).toBe(0);
    await window().page.keyboard.press("Control+z");
    await expect.poll(() => editor().content(), { timeout: SLOW_MS }).not.toContain(expected);
  });
});
