import { describe, expect, it } from "vitest";
import { placeOf } from "../../../src/models/names";
import { roleOfName } from "../../../src/models/names/roleOfName";

describe("the place of a layer", () => {
  it.each([
    ["model.layers.3.self_attn.q_proj.weight", "model.layers.3", "self_attn.q_proj"],
    ["transformer.h.11.attn.c_attn.weight", "transformer.h.11", "attn.c_attn"],
    ["layer1.0.conv1.weight", "layer1.0", "conv1"],
    ["encoder.block.0.layer.0.SelfAttention.q.weight", "encoder.block.0", "layer.0.SelfAttention.q"],
    ["model.layers.3.block_sparse_moe.experts.7.w1.weight", "model.layers.3", "block_sparse_moe.experts.7.w1"],
    ["down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_out.0.weight", "down_blocks.0.attentions.1.transformer_blocks.0", "attn1.to_out.0"],
    ["blk.0.attn_q.weight", "blk.0", "attn_q"],
    ["text_encoder:0:down", "text_encoder:0", "down"],
    ["model.embed_tokens.weight", null, "model.embed_tokens"],
    ["lm_head.weight", null, "lm_head"],
    ["features.0.weight", null, "features.0"],
    ["0.weight", null, "0"],
    ["lstm.weight_ih_l0", null, "lstm.weight_ih_l0"],
    ["encoder.layers.1.self_attn.in_proj_weight", "encoder.layers.1", "self_attn.in_proj"],
    ["module.layers.0.fc.weight", "layers.0", "fc"],
    ["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", "model.layers.0", "self_attn.q_proj.lora_A"],
    ["conv.parametrizations.weight.original1", null, "conv"],
    ["params/layers/2/dense/kernel", "params/layers/2", "dense/kernel"],
    ["weight", null, "weight"], ["", null, ""], ["module.", null, "module."],
  ])("%s is %s, %s", (name, block, module) => {
    expect(placeOf(name)).toEqual({ block, module });
  });

  it("is found in names of a megabyte", () => {
    for (const name of ["1".repeat(1_000_000), ".1".repeat(500_000), "module.".repeat(150_000), "a.".repeat(500_000)]) expect(placeOf(name).module.length).toBeGreaterThan(0);
  });
});

/** The role of the first tensor among these, as "kind detail", or the reason for which it is none. */
function role(tensors: Readonly<Record<string, readonly number[]>>, singleInputKernels = 0) {
  const [name, shape] = Object.entries(tensors)[0]!;
  return roleOfName(name, shape, { shapeOf: (other) => tensors[other], singleInputKernels });
}
const kind = (tensors: Readonly<Record<string, readonly number[]>>) => {
  const found = role(tensors);
  return "skip" in found ? found.skip : found.role.kind;
};
const layout = (tensors: Readonly<Record<string, readonly number[]>>) => {
  const found = role(tensors);
  return "role" in found && "layout" in found.role ? found.role.layout : "none";
};

describe("the role of a tensor by its name", () => {
  it.each([
    ["model.layers.0.mlp.up_proj.weight", [8, 4], "linear"], ["lm_head.weight", [8, 4], "linear"], ["embed_out.weight", [8, 4], "linear"],
    ["model.embed_tokens.weight", [8, 4], "embedding"], ["wte.weight", [8, 4], "embedding"], ["h.wpe.weight", [8, 4], "embedding"], ["shared.weight", [8, 4], "embedding"],
    ["bert.embeddings.word_embeddings.weight", [8, 4], "embedding"], ["token_embd.weight", [8, 4], "embedding"], ["pos_embed", [1, 8, 4], "embedding"],
    ["gpt_neox.embed_in.weight", [8, 4], "embedding"], ["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", [32, 8], "embedding"],
    ["time_embedding.linear_1.weight", [8, 4], "linear"], ["embedding_hidden_mapping_in.weight", [8, 4], "linear"],
    ["conv1.weight", [8, 4, 3], "conv"], ["conv1.weight", [8, 4, 3, 3], "conv"], ["conv1.weight", [8, 4, 3, 3, 3], "conv"],
    ["patch_embed.proj.weight", [8, 3, 16, 16], "conv"], ["vision_model.embeddings.patch_embedding.weight", [8, 3, 16, 16], "conv"],
    ["conv.weight_v", [8, 4, 3], "conv"], ["conv.parametrizations.weight.original1", [8, 4, 3], "conv"],
    ["deconv1.weight", [8, 8, 3, 3], "conv_transpose"], ["decoder.ups.0.weight", [8, 8, 4], "conv_transpose"], ["up.ConvTranspose_0.weight", [8, 8, 2, 2], "conv_transpose"],
    // Upsampling by interpolation, then an ordinary convolution (Stable Diffusion).
    ["up_blocks.0.upsamplers.0.conv.weight", [8, 8, 3, 3], "conv"],
    ["lstm.weight_hh_l0", [16, 4], "lstm"], ["gru.weight_hh_l1_reverse", [12, 4], "gru"], ["rnn.weight_hh_l0", [4, 4], "rnn"], ["cell.weight_hh", [16, 4], "lstm"],
    ["m.layers.0.q_proj.lora_A.weight", [2, 8], "adapter"], ["lora_unet_mid_block.lora_up.weight", [8, 2], "adapter"], ["attn1.processor.to_q_lora.down.weight", [2, 8], "adapter"],
    ["model.layers.0.mlp.experts.gate_up_proj", [4, 8, 6], "expert"], ["block_sparse_moe.input_linear.weight", [4, 8, 6], "expert"],
    ["A_log", [8, 16], "other"], ["text_projection", [8, 4], "other"], ["query_tokens", [1, 8, 4], "other"],
  ])("%s %j is %s", (name, shape, expected) => { expect(kind({ [name]: shape })).toBe(expected); });

  it.each([
    ["fc.bias", [8], "bias"], ["experts.gate_up_proj_bias", [4, 8], "bias"], ["lstm.bias_hh_l0", [8], "bias"],
    ["norm.weight", [8], "scale of a normalization"], ["h.0.ln_1.weight", [8], "scale of a normalization"], ["model.norm.weight", [8], "scale of a normalization"],
    ["attn.q_norm.weight", [8, 4], "scale of a normalization"], ["input_layernorm.weight", [8], "scale of a normalization"], ["bn1.weight", [8], "scale of a normalization"],
    ["bn.running_var", [8], "running statistics of a normalization"], ["h.0.attn.bias", [1, 1, 8, 8], "causal mask"], ["rotary_emb.inv_freq", [8], "frequencies of rotary positions"],
    ["logit_scale", [], "a single number"], ["layer_scale", [8], "one axis: no matrix"], ["cls_token", [1, 1, 8], "a single vector: no matrix"],
    ["conv.weight_g", [8, 1, 1], "scale of a weight normalization"],
  ])("%s %j is none: %s", (name, shape, why) => { expect(role({ [name]: shape })).toEqual({ skip: why }); });

  it("is linear where an embedding has a bias", () => {
    expect(kind({ "embed.weight": [8, 4], "embed.bias": [8] })).toBe("linear");
  });

  it("is a normalization's where running statistics stand beside it", () => {
    expect(kind({ "0.1.weight": [8], "0.1.running_mean": [8] })).toBe("scale of a normalization");
  });
});

describe("the layout of a linear layer", () => {
  it.each([
    ["is (out, in) by itself", { "fc.weight": [8, 4] }, "out_in"],
    ["is (in, out) where the bias is as long as the columns", { "fc.weight": [8, 4], "fc.bias": [4] }, "in_out"],
    ["is (out, in) where the bias is as long as the rows", { "fc.weight": [8, 4], "fc.bias": [8] }, "out_in"],
    ["is (in, out) for Flax's kernel", { "fc.kernel": [8, 4] }, "in_out"],
    ["of GPT-2's c_fc is (in, out)", { "h.0.mlp.c_fc.weight": [4, 16] }, "in_out"],
    ["of another model's c_fc is (out, in)", { "h.0.mlp.c_fc.weight": [16, 4] }, "out_in"],
    ["of GPT-2's c_proj is (in, out)", { "h.0.mlp.c_proj.weight": [16, 4] }, "in_out"],
    ["of a square c_proj is that of its c_attn", { "h.0.attn.c_proj.weight": [4, 4], "h.0.attn.c_attn.weight": [4, 12] }, "in_out"],
    ["of another square c_proj too", { "h.0.attn.c_proj.weight": [4, 4], "h.0.attn.c_attn.weight": [12, 4] }, "out_in"],
    ["of a square c_proj alone is not known", { "h.0.attn.c_proj.weight": [4, 4] }, null],
    ["of experts is (in, out) where the hidden size comes first (gpt-oss)", { "mlp.experts.gate_up_proj": [4, 6, 10], "mlp.experts.down_proj": [4, 5, 6] }, "in_out"],
    ["of experts is (out, in) where it comes last (Mixtral)", { "mlp.experts.down_proj": [4, 6, 5], "mlp.experts.gate_up_proj": [4, 10, 6] }, "out_in"],
    ["of square experts is not known", { "mlp.experts.w1": [4, 6, 6], "mlp.experts.w2": [4, 6, 6] }, null],
    ["of experts as modules", { "moe.input_linear.weight": [4, 10, 6], "moe.output_linear.weight": [4, 6, 5] }, "out_in"],
  ])("%s", (_what, tensors, expected) => { expect(layout(tensors)).toBe(expected); });
});

describe("fused attention", () => {
  const parts = (tensors: Readonly<Record<string, readonly number[]>>) => {
    const found = role(tensors);
    return "role" in found && found.role.kind === "attention" ? [found.role.layout, found.role.fused.map(({ part, size }) => `${part}:${size}`).join(" "), ...found.notes] : found;
  };

  it.each([
    ["GPT-2", { "h.0.attn.c_attn.weight": [4, 12] }, ["in_out", "q:4 k:4 v:4"]],
    ["GPT-2, cross-attention", { "h.0.crossattention.c_attn.weight": [4, 8] }, ["in_out", "k:4 v:4"]],
    ["nanoGPT", { "h.0.attn.c_attn.weight": [12, 4] }, ["out_in", "q:4 k:4 v:4"]],
    ["torch.nn.MultiheadAttention", { "attn.in_proj_weight": [12, 4] }, ["out_in", "q:4 k:4 v:4"]],
    ["ViT", { "blocks.0.attn.qkv.weight": [12, 4], "blocks.0.attn.proj.weight": [4, 4] }, ["out_in", "q:4 k:4 v:4"]],
    ["Phi-3, grouped queries", { "self_attn.qkv_proj.weight": [8, 4], "self_attn.o_proj.weight": [4, 4] }, ["out_in", "q:4 k:2 v:2"]],
    ["grouped queries, sizes not known", { "self_attn.qkv_proj.weight": [8, 4] }, ["out_in", "", "how many heads share a k and v is not known: not told apart"]],
    ["GPT-NeoX", { "attention.query_key_value.weight": [12, 4] }, ["out_in", "", "q, k and v are interleaved by heads: not told apart"]],
    ["k and v alone", { "attn.to_kv.weight": [8, 4] }, ["out_in", "k:4 v:4"]],
  ])("of %s", (_what, tensors, expected) => { expect(parts(tensors)).toEqual(expected); });
});

describe("recurrent layers", () => {
  const gates = (tensors: Readonly<Record<string, readonly number[]>>) => {
    const found = role(tensors);
    return "role" in found && "gates" in found.role ? [found.role.kind, found.role.weight, found.role.gates.join("")] : found;
  };

  it("have PyTorch's gates, told apart by their number", () => {
    expect(gates({ "l.weight_ih_l0": [16, 7], "l.weight_hh_l0": [16, 4] })).toEqual(["lstm", "input", "ifgo"]);
    expect(gates({ "l.weight_ih_l0_reverse": [12, 7], "l.weight_hh_l0_reverse": [12, 4] })).toEqual(["gru", "input", "rzn"]);
    expect(gates({ "l.weight_hh_l0": [16, 2], "l.weight_hr_l0": [2, 4] })).toEqual(["lstm", "recurrent", "ifgo"]);
  });

  it("without their recurrent matrix are matrices of no known gates", () => {
    expect(kind({ "l.weight_ih_l0": [16, 7] })).toBe("other");
  });
});

describe("convolutions by name and neighbours", () => {
  it("are transposed where the bias is as long as the second axis", () => {
    expect(role({ "up.weight": [8, 4, 2, 2], "up.bias": [4] })).toEqual({ role: { kind: "conv_transpose", groups: 1 }, notes: ["taken as a transposed convolution by the length of its bias"] });
    expect(kind({ "deconv.weight": [8, 4, 2, 2], "deconv.bias": [8] })).toBe("conv");
  });

  it("are depthwise by name, or where a model has several with one input", () => {
    expect(role({ "b.dwconv.weight": [8, 1, 7, 7] }, 1)).toEqual({ role: { kind: "conv", groups: 8 }, notes: [] });
    expect(role({ "b.0.weight": [8, 1, 7, 7] }, 2)).toMatchObject({ role: { groups: 8 } });
    expect(role({ "b.0.weight": [8, 1, 7, 7] }, 1)).toMatchObject({ role: { groups: 1 } });
  });

  it("of Flax have their channels last", () => {
    expect(role({ "conv.kernel": [3, 3, 4, 8] })).toEqual({ role: { kind: "conv", groups: 1, channels: "last" }, notes: [] });
  });
});

it("A LoRA factor says its rank", () => {
  expect(role({ "a.lora_B.weight": [64, 8] })).toEqual({ role: { kind: "adapter" }, notes: ["one factor of a LoRA of rank 8: measured by itself, not their product"] });
  expect(role({ "unet:0:down": [4, 64], "unet:0:up": [64, 4] })).toMatchObject({ role: { kind: "adapter" } });
  expect(role({ "stairs:down": [4, 64] })).toMatchObject({ role: { kind: "other" } });
});
