import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ConfigText } from "../../src/shared/configReading";
import { enginesOfTest } from "./support/enginesOfTest";
import { diagonal, noise, writeModel, type TestTensor } from "./support/modelFiles";

const test = enginesOfTest();

const plus = (a: TestTensor, b: TestTensor): TestTensor => ({ shape: a.shape, values: a.values.map((value, index) => value + b.values[index]!) });
const CONFIG = ["base_model: ./base", "adapter: lora", "lora_r: 4", "lora_alpha: 8", "lora_target_modules: [q_proj, v_proj]", ""].join("\n");
const Q = "model.layers.0.self_attn.q_proj", V = "model.layers.0.self_attn.v_proj";
const [q, v] = [noise(1, 8, 8), noise(2, 8, 8)];

/** A base model of two layers, and a config for it. */
function config(): ConfigText & { readonly config: number } {
  mkdirSync(join(test.path, "base"));
  writeModel(join(test.path, "base"), "model.safetensors", { [`${Q}.weight`]: q, [`${V}.weight`]: v });
  return { text: CONFIG, language: "yaml", fileName: "train.yaml", folders: [test.path], chosenBases: {}, config: 0 };
}

const edited = (edits: readonly { readonly range: { readonly start: number; readonly end: number }; readonly text: string }[]): string =>
  edits.toSorted((a, b) => b.range.start - a.range.start).reduce((text, { range, text: replacement }) => text.slice(0, range.start) + replacement + text.slice(range.end), CONFIG);

describe("ranks from a difference, by the engine", () => {
  it("offers them on the rank, and writes them in proportion to what a fine-tuned model changes", async () => {
    const source = config();
    // Six equal directions and two: a share of 0.9 takes all of them.
    const path = writeModel(test.path, "tuned.safetensors", { [`${Q}.weight`]: plus(q, diagonal(1, 1, 1, 1, 1, 1, 0, 0)), [`${V}.weight`]: plus(v, diagonal(1, 1, 0, 0, 0, 0, 0, 0)) });
    const { client } = test.start();
    const { rankChoices } = await client.request("readConfig", source);
    expect(rankChoices.map(({ config: index, range }) => [index, CONFIG.slice(range.start, range.end)])).toEqual([[0, "lora_r: 4"]]);
    const works: string[] = [];
    client.onWork(({ task, path: of, layer }) => { if (task === "compare" && of === path) works.push(layer); });
    const { edits, message } = await client.request("ranksFromDifference", { ...source, path });
    const text = edited(edits);
    expect(text).toMatch(/lora_rank_pattern:\n +q_proj: 6\n +v_proj: 2\n/);
    expect(text).toMatch(/lora_alpha_pattern:\n +q_proj: 12\n +v_proj: 4\n/);
    expect(message).toContain("needs ranks of 2 to 6 for 90 % of its energy in 2 of 2 modules");
    expect(works).toEqual([`${Q}.weight`, `${V}.weight`]);
  });

  it("takes an adapter for the difference, in the modules that it has", async () => {
    const source = config();
    mkdirSync(join(test.path, "adapter"));
    writeFileSync(join(test.path, "adapter", "adapter_config.json"), JSON.stringify({ r: 2, lora_alpha: 2 }));
    const path = writeModel(join(test.path, "adapter"), "adapter_model.safetensors", { [`base_model.model.${Q}.lora_A.weight`]: noise(3, 2, 8), [`base_model.model.${Q}.lora_B.weight`]: noise(4, 8, 2) });
    const { message } = await test.start().client.request("ranksFromDifference", { ...source, path });
    expect(message).toMatch(/^The difference of adapter\/adapter_model\.safetensors needs .* in 1 of 2 modules/);
  });

  it("says what is wrong with a model that was not trained from the base", async () => {
    const source = config();
    const { client } = test.start();
    const same = writeModel(test.path, "same.safetensors", { [`${Q}.weight`]: q, [`${V}.weight`]: v });
    await expect(client.request("ranksFromDifference", { ...source, path: same })).rejects.toThrow(/changes none of the 2 modules/);
    const other = writeModel(test.path, "other.safetensors", { other: q });
    await expect(client.request("ranksFromDifference", { ...source, path: other })).rejects.toThrow(/no layer of one name/);
    await expect(client.request("ranksFromDifference", { ...source, chosenBases: { "./base": join(test.path, "gone") }, path: same })).rejects.toThrow(/is not known/);
  });

  it("is cancelled at once, and answers afterwards", async () => {
    const source = config();
    const large = { [`${Q}.weight`]: noise(1, 3000, 3000) };
    writeModel(join(test.path, "base"), "model.safetensors", large);
    const path = writeModel(test.path, "large.safetensors", { [`${Q}.weight`]: noise(2, 3000, 3000) });
    const { client } = test.start();
    const stop = new AbortController();
    client.onWork(({ task }) => { if (task === "compare") stop.abort(); });
    await expect(client.request("ranksFromDifference", { ...source, path }, stop.signal)).rejects.toThrow("Cancelled");
    expect((await client.request("open", { path })).rows).toBe(1);
  });
});
