import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { factorName } from "../../../src/models/adapters/factorNames";
import { pairsOfList } from "../../../src/models/adapters/pairList";
import { adapterPath } from "../../../src/models/adapters/paths";
import { openModel } from "../../../src/models/formats";
import type { Model, Tensor } from "../../../src/models/model";
import { file as ggufWritten, floatTensor, ggufFile, Writer } from "../gguf/ggufFile";
import { f32, file, files, stored, type Stored } from "../safetensors/safetensorsFile";
import { layer, reason } from "../support/opened";

async function opened(tensors: Readonly<Record<string, Stored>>, config?: unknown): Promise<Model> {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  const folder = files({ "adapter_model.safetensors": file(tensors), ...(config === undefined ? {} : { "adapter_config.json": text }) });
  return openModel(join(folder, "adapter_model.safetensors"), { smallestTensor: 16 });
}
const pair = (name: string, out = 12, rank = 2, input = 10) => ({ [`${name}.lora_A.weight`]: f32([rank, input]), [`${name}.lora_B.weight`]: f32([out, rank]) });

describe("the tensors of adapters, by their names", () => {
  it.each([
    ["base_model.model.layers.0.q_proj.lora_A.weight", "base_model.model.layers.0.q_proj", null, "down"],
    ["layers.0.q_proj.lora_B.default.weight", "layers.0.q_proj", "default", "up"],
    ["m.embed_tokens.lora_embedding_A", "m.embed_tokens", null, "down"], ["m.embed_tokens.lora_embedding_B.style", "m.embed_tokens", "style", "up"],
    ["m.q_proj.lora_magnitude_vector", "m.q_proj", null, "magnitude"], ["m.q_proj.lora_magnitude_vector.default.weight", "m.q_proj", "default", "magnitude"],
    ["m.q_proj.lora_E", "m.q_proj", null, "diagonal"], ["layers.0.attn.q_proj.lora_a.weight", "layers.0.attn.q_proj", null, "down"],
    ["lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", "lora_unet_mid_block_attentions_0_proj_in", null, "down"], ["lora_te_x.lora_mid.weight", "lora_te_x", null, "mid"],
    ["lora_unet_x.alpha", "lora_unet_x", null, "alpha"], ["lora_unet_x.dora_scale", "lora_unet_x", null, "magnitude"],
    ["unet.attn1.processor.to_q_lora.down.weight", "unet.attn1.processor.to_q", null, "down"], ["te.q_proj.lora_linear_layer.up.weight", "te.q_proj", null, "up"],
    ["double_blocks.0.processor.qkv_lora2.down.weight", "double_blocks.0.processor.qkv_lora2", null, "down"], ["te.q_proj.lora_linear_layer.alpha", "te.q_proj", null, "alpha"],
    ["unet:12:up", "unet:12", null, "up"], ["blk.0.attn_q.weight.lora_b", "blk.0.attn_q.weight", null, "up"],
    ["lycoris_x.hada_w1_a", "lycoris_x", null, "hada_w1_a"], ["m.fc.lokr_w2_b.default", "m.fc", "default", "lokr_w2_b"], ["x.lokr_t2", "x", null, "lokr_t2"],
  ])("%s", (name, module, adapter, part) => {
    expect(factorName(name)).toEqual({ module, adapter, part });
  });

  it.each(["m.q_proj.weight", "m.q_proj.lora_B.bias", "lora_A.weight", "exploration.down.weight", "m.mlp.up.weight", "lora.weight", "m.q_proj.base_layer.weight", "x.diff", ""])("%s is none", (name) => {
    expect(factorName(name)).toBeNull();
  });

  it("are found in names of a megabyte", () => {
    for (const name of ["lora_".repeat(200_000), `${".lora".repeat(200_000)}.down`, ".lora_A.".repeat(125_000), ":up".repeat(300_000)]) factorName(name);
  });
});

describe("an adapter", () => {
  it("is one layer with its scale, and the tensors beside it have a reason", async () => {
    const model = await opened({
      "lora_unet_down_blocks_0_attentions_1_proj_in.lora_down.weight": f32([2, 10]), "lora_unet_down_blocks_0_attentions_1_proj_in.lora_up.weight": f32([12, 2]),
      "lora_unet_down_blocks_0_attentions_1_proj_in.alpha": f32([], [1]), "lora_unet_down_blocks_0_attentions_1_proj_in.dora_scale": f32([12, 1]), "other.weight": f32([6, 6]),
    });
    expect(model.layers.map(({ tensor }) => tensor.name)).toEqual(["lora_unet_down_blocks_0_attentions_1_proj_in", "other.weight"]);
    expect(model.layers[0]).toMatchObject({
      kind: "adapter", tensor: { shape: [12, 10], dtype: "float32" }, block: "lora_unet_down_blocks.0.attentions.1", module: "proj_in",
      notes: ["scale 0.5 · rank 2 of at most 10", "DoRA: measured without its magnitudes, which need the base model's weight", "made of lora_up.weight [12, 2], lora_down.weight [2, 10]"],
    });
    expect(reason(model, "lora_unet_down_blocks_0_attentions_1_proj_in.alpha")).toBe("alpha of lora_unet_down_blocks_0_attentions_1_proj_in, a part of its scale");
    expect(reason(model, "lora_unet_down_blocks_0_attentions_1_proj_in.dora_scale")).toMatch(/^magnitudes of .* \(DoRA\): what they change depends on the base model's weight$/);
    expect(model.summary).toMatchObject({ tensors: 5, parameters: 20 + 24 + 1 + 12 + 36, notes: ["1 LoRA adapter of rank 2"] });
  });

  it("of factors under the size floor is one layer too", async () => {
    expect((await opened(pair("m", 3, 1, 4))).layers.map(({ tensor }) => tensor)).toEqual([{ name: "m", shape: [3, 4], dtype: "float32" }]);
  });

  it("counts the coarser of its factors' types", async () => {
    const model = await opened({ "m.lora_A.weight": f32([2, 10]), "m.lora_B.weight": stored("F16", [12, 2], new Uint8Array(48)) });
    expect(layer(model, "m").tensor.dtype).toBe("float16");
  });

  it("of a convolution has the shape of its kernel, unfolded by channels", async () => {
    const { tensor, views } = layer(await opened({ "c.lora_down.weight": f32([2, 5, 3, 3]), "c.lora_up.weight": f32([7, 2, 1, 1]) }), "c");
    expect(tensor.shape).toEqual([7, 5, 3, 3]);
    expect(views.map(({ rows, columns, unfolding }) => [rows[0]!.size, columns[0]!.size, unfolding])).toEqual([[7, 45, "channel"]]);
  });

  it("is told from another of the same module, and from a tensor of its name", async () => {
    const model = await opened({ "m.lora_A.one.weight": f32([2, 10]), "m.lora_B.one.weight": f32([12, 2]), "m.lora_A.default.weight": f32([2, 10]), "m.lora_B.default.weight": f32([12, 2]), m: f32([5, 5]) });
    expect(model.layers.map(({ tensor }) => tensor.name).sort()).toEqual(["m", "m (2)", "m (one)"]);
  });

  it.each<[string, Record<string, Stored>]>([
    ["one factor is missing", { "m.lora_A.weight": f32([2, 10]) }],
    ["the ranks differ", { "m.lora_A.weight": f32([2, 10]), "m.lora_B.weight": f32([12, 3]) }],
    ["one is no matrix", { "m.lora_A.weight": f32([20]), "m.lora_B.weight": f32([12, 2]) }],
    ["one is empty", { "m.lora_A.weight": f32([2, 0]), "m.lora_B.weight": f32([12, 2]) }],
    ["one is of integers", { "m.lora_A.weight": stored("U8", [2, 10], new Uint8Array(20)), "m.lora_B.weight": f32([12, 2]) }],
  ])("whose factors do not fit (%s) leaves them as they are", async (_what, tensors) => {
    const model = await opened(tensors);
    expect([...model.layers.map(({ tensor }) => tensor.name), ...model.skipped.map(({ name }) => name)].sort()).toEqual(Object.keys(tensors).sort());
    expect(model.layers.every(({ factored }) => factored === undefined)).toBe(true);
  });
});

describe("its scale", () => {
  const scaleOf = async (config: unknown, module = "base_model.model.layers.1.q_proj") => layer(await opened(pair(module), config), module).factored!.scale;

  it("is α/r, or α/√r, of adapter_config.json", async () => {
    expect(await scaleOf({ r: 2, lora_alpha: 16 })).toBe(8);
    expect(await scaleOf({ r: 2, lora_alpha: 16, use_rslora: true })).toBe(16 / Math.sqrt(2));
  });

  it.each([
    ["q_proj", 3], ["layers.1.q_proj", 3], ["1.q_proj", 3], ["layers.\\d+.q_proj", 3], [".*.q_proj", 3], ["(q_proj|k_proj)", 3], ["^layers.1.q_proj", 3], ["^1.q_proj", 8], ["k_proj", 8], ["_proj", 8], ["layers.11.q_proj", 8],
    // What could take for ever on a name is not tried.
    ["(.*)*.q_proj", 8], ["(?=q)q_proj", 8], [".*.*.*q_proj", 8], ["[", 8],
  ])("is α of the pattern %s where that fits", async (pattern, expected) => {
    expect(await scaleOf({ r: 2, lora_alpha: 16, alpha_pattern: { [pattern]: 6 } })).toBe(expected);
  });

  it("is 1, and said to be, where nothing tells it", async () => {
    expect(layer(await opened(pair("m")), "m").notes[0]).toBe("scale 1 (no alpha beside it) · rank 2 of at most 10");
    expect(layer(await opened(pair("m"), { peft_type: "LORA" }), "m").notes[0]).toBe("scale 1 (adapter_config.json has no alpha for it) · rank 2 of at most 10");
  });

  it("is that of its part of a pipeline in diffusers' metadata", async () => {
    const metadata = { lora_adapter_metadata: JSON.stringify({ "transformer.r": 2, "transformer.lora_alpha": 8, "transformer.alpha_pattern": { to_k: 1 }, "text_encoder.lora_alpha": 6, "text_encoder.use_rslora": true }) };
    const names = ["transformer.blocks.0.to_q", "transformer.blocks.0.to_k", "text_encoder.layers.0.q_proj", "unet.to_q"];
    const base = files({ "pytorch_lora_weights.safetensors": file(Object.assign({}, ...names.map((name) => pair(name))) as Record<string, Stored>, metadata) });
    const model = await openModel(base, { smallestTensor: 1 });
    expect(names.map((name) => layer(model, name).factored!.scale)).toEqual([4, 0.5, 6 / Math.sqrt(2), 1]);
    expect(layer(model, "unet.to_q").notes[0]).toContain("lora_adapter_metadata has no alpha for it");
  });

  it("is α/r of a GGUF file's metadata", async () => {
    const writer = new Writer();
    const path = ggufWritten(ggufFile({
      metadata: [writer.textEntry("general.type", "adapter"), writer.entry("adapter.lora.alpha", 6, writer.f32s([16]))],
      tensors: [floatTensor("blk.3.attn_q.weight.lora_a", [4, 32]), floatTensor("blk.3.attn_q.weight.lora_b", [24, 4])],
    }));
    const found = layer(await openModel(path, { smallestTensor: 1 }), "blk.3.attn_q.weight");
    expect([found.kind, found.tensor.shape, found.factored!.scale, found.block, found.module]).toEqual(["adapter", [24, 32], 4, "blk.3", "attn_q"]);
  });

  it("is not guessed where the configuration is damaged", async () => {
    for (const config of ["{", "[]", "null", ""]) {
      await expect(opened(pair("m"), config)).rejects.toMatchObject({ code: config === "" ? "empty" : "malformed" });
    }
  });

  it("is part of the model's fingerprint", async () => {
    const model = await opened(pair("m"), { r: 2, lora_alpha: 16, base_model_name_or_path: "some/model" });
    expect(model.files.map((path) => path.split("/").at(-1))).toEqual(["adapter_model.safetensors", "adapter_config.json"]);
    expect(model.summary.notes).toEqual(["1 LoRA adapter of rank 2", "base model some/model"]);
  });
});

it("Paths of kohya and cloneofsimo are taken apart at their numbers", () => {
  expect(adapterPath("lora_te_text_model_encoder_layers_11_self_attn_k_proj")).toBe("lora_te_text_model_encoder_layers.11.self_attn_k_proj");
  expect(adapterPath("lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q")).toBe("lora_unet_input_blocks.1.1.transformer_blocks.0.attn1_to_q");
  expect(adapterPath("unet:12")).toBe("unet.12");
  expect(adapterPath("model.layers.0.q_proj")).toBe("model.layers.0.q_proj");
});

describe("a list without names", () => {
  const model = (shapes: readonly (readonly number[])[]): Tensor[] => shapes.map((shape, i) => ({ name: String(i), shape, dtype: "float32" }));
  const four = (...shapes: readonly (readonly number[])[]) => model([0, 1, 2, 3].flatMap(() => shapes));

  it("of B and A in turn, all of one rank, is a list of adapters", () => {
    expect(pairsOfList(four([64, 4], [4, 32])).map(({ module, up, down }) => [module, up.name, down.name])).toEqual([["pair:0", "0", "1"], ["pair:1", "2", "3"], ["pair:2", "4", "5"], ["pair:3", "6", "7"]]);
  });

  it.each([
    ["too few pairs", model([[64, 4], [4, 32], [64, 4], [4, 32]])], ["layers as wide as they are long", four([64, 64], [64, 64])], ["biases between", four([64, 4], [4])],
    ["ranks that differ", [...four([64, 4], [4, 32]).slice(0, 6), ...model([[64, 8], [8, 32]])]], ["an odd count", four([64, 4], [4, 32]).slice(1)], ["nothing", []],
  ])("is none with %s", (_what, tensors) => {
    expect(pairsOfList(tensors)).toEqual([]);
  });
});
