import { describe, expect, it } from "vitest";
import { placeOf } from "../../../src/models/names";
import { roleOfName } from "../../../src/models/names/roleOfName";

/** Names as the published checkpoints of each family have them, with the shapes of a small one: what the layer is, and where it stands in the map. */
type Named = readonly [name: string, shape: readonly number[], kind: string, block: string | null, module: string];

const FAMILIES: Readonly<Record<string, readonly Named[]>> = {
  "GPT-2": [
    ["wte.weight", [50257, 768], "embedding", null, "wte"], ["wpe.weight", [1024, 768], "embedding", null, "wpe"],
    ["h.11.attn.c_attn.weight", [768, 2304], "attention", "h.11", "attn.c_attn"], ["h.11.attn.c_proj.weight", [768, 768], "linear", "h.11", "attn.c_proj"],
    ["h.11.mlp.c_fc.weight", [768, 3072], "linear", "h.11", "mlp.c_fc"], ["h.11.ln_1.weight", [768], "scale of a normalization", "h.11", "ln_1"],
  ],
  "Llama, Mistral, Qwen": [
    ["model.embed_tokens.weight", [32000, 512], "embedding", null, "model.embed_tokens"], ["lm_head.weight", [32000, 512], "linear", null, "lm_head"],
    ["model.layers.31.self_attn.q_proj.weight", [512, 512], "linear", "model.layers.31", "self_attn.q_proj"], ["model.layers.31.mlp.down_proj.weight", [512, 1376], "linear", "model.layers.31", "mlp.down_proj"],
    ["model.layers.0.self_attn.q_norm.weight", [128], "scale of a normalization", "model.layers.0", "self_attn.q_norm"], ["model.layers.0.self_attn.q_proj.bias", [512], "bias", "model.layers.0", "self_attn.q_proj.bias"],
  ],
  "Gemma": [
    ["model.layers.2.pre_feedforward_layernorm.weight", [256], "scale of a normalization", "model.layers.2", "pre_feedforward_layernorm"],
    ["model.layers.2.self_attn.o_proj.weight", [256, 512], "linear", "model.layers.2", "self_attn.o_proj"],
    ["model.vision_tower.vision_model.encoder.layers.3.mlp.fc1.weight", [512, 128], "linear", "model.vision_tower.vision_model.encoder.layers.3", "mlp.fc1"],
  ],
  "BERT": [
    ["bert.embeddings.word_embeddings.weight", [30522, 768], "embedding", null, "bert.embeddings.word_embeddings"],
    ["bert.encoder.layer.11.attention.self.query.weight", [768, 768], "linear", "bert.encoder.layer.11", "attention.self.query"],
    ["bert.encoder.layer.11.attention.output.LayerNorm.weight", [768], "scale of a normalization", "bert.encoder.layer.11", "attention.output.LayerNorm"],
    ["bert.encoder.layer.11.output.dense.weight", [768, 3072], "linear", "bert.encoder.layer.11", "output.dense"], ["bert.pooler.dense.weight", [768, 768], "linear", null, "bert.pooler.dense"],
  ],
  "T5": [
    ["shared.weight", [32128, 512], "embedding", null, "shared"],
    ["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", [32, 8], "embedding", "encoder.block.0", "layer.0.SelfAttention.relative_attention_bias"],
    ["decoder.block.5.layer.1.EncDecAttention.k.weight", [512, 512], "linear", "decoder.block.5", "layer.1.EncDecAttention.k"], ["decoder.block.5.layer.2.DenseReluDense.wi_0.weight", [1024, 512], "linear", "decoder.block.5", "layer.2.DenseReluDense.wi_0"],
    ["encoder.block.0.layer.0.layer_norm.weight", [512], "scale of a normalization", "encoder.block.0", "layer.0.layer_norm"],
  ],
  "ViT (transformers, timm)": [
    ["vit.embeddings.patch_embeddings.projection.weight", [768, 3, 16, 16], "conv", null, "vit.embeddings.patch_embeddings.projection"], ["vit.embeddings.position_embeddings", [1, 197, 768], "embedding", null, "vit.embeddings.position_embeddings"],
    ["vit.encoder.layer.3.intermediate.dense.weight", [3072, 768], "linear", "vit.encoder.layer.3", "intermediate.dense"],
    ["blocks.3.attn.qkv.weight", [2304, 768], "attention", "blocks.3", "attn.qkv"], ["blocks.3.mlp.fc2.weight", [768, 3072], "linear", "blocks.3", "mlp.fc2"], ["patch_embed.proj.weight", [768, 3, 16, 16], "conv", null, "patch_embed.proj"],
  ],
  "Whisper (transformers, OpenAI)": [
    ["model.encoder.conv1.weight", [384, 80, 3], "conv", null, "model.encoder.conv1"], ["model.decoder.embed_positions.weight", [448, 384], "embedding", null, "model.decoder.embed_positions"],
    ["model.decoder.layers.3.encoder_attn.v_proj.weight", [384, 384], "linear", "model.decoder.layers.3", "encoder_attn.v_proj"], ["model.encoder.layers.3.self_attn_layer_norm.weight", [384], "scale of a normalization", "model.encoder.layers.3", "self_attn_layer_norm"],
    ["decoder.blocks.0.cross_attn.query.weight", [384, 384], "linear", "decoder.blocks.0", "cross_attn.query"], ["decoder.blocks.0.mlp.0.weight", [1536, 384], "linear", "decoder.blocks.0", "mlp.0"],
    ["decoder.token_embedding.weight", [51865, 384], "embedding", null, "decoder.token_embedding"],
  ],
  "diffusion UNet (diffusers)": [
    ["conv_in.weight", [320, 4, 3, 3], "conv", null, "conv_in"], ["time_embedding.linear_1.weight", [1280, 320], "linear", null, "time_embedding.linear_1"],
    ["down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q.weight", [320, 320], "linear", "down_blocks.0.attentions.1.transformer_blocks.0", "attn1.to_q"],
    ["down_blocks.2.attentions.1.transformer_blocks.9.ff.net.0.proj.weight", [10240, 1280], "linear", "down_blocks.2.attentions.1.transformer_blocks.9", "ff.net.0.proj"],
    ["mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0.weight", [1280, 1280], "linear", "mid_block.attentions.0.transformer_blocks.0", "attn2.to_out.0"],
    ["mid_block.attentions.0.proj_in.weight", [1280, 1280, 1, 1], "conv", "mid_block.attentions.0", "proj_in"], ["up_blocks.3.resnets.2.conv_shortcut.weight", [320, 640, 1, 1], "conv", "up_blocks.3.resnets.2", "conv_shortcut"],
    ["down_blocks.1.downsamplers.0.conv.weight", [640, 640, 3, 3], "conv", "down_blocks.1.downsamplers.0", "conv"], ["up_blocks.0.upsamplers.0.conv.weight", [1280, 1280, 3, 3], "conv", "up_blocks.0.upsamplers.0", "conv"],
  ],
  "diffusion UNet (CompVis)": [
    ["model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight", [320, 320], "linear", "model.diffusion_model.input_blocks.1.1.transformer_blocks.0", "attn1.to_q"],
    ["model.diffusion_model.input_blocks.1.0.in_layers.2.weight", [320, 320, 3, 3], "conv", "model.diffusion_model.input_blocks.1.0", "in_layers.2"], ["model.diffusion_model.time_embed.0.weight", [1280, 320], "linear", null, "model.diffusion_model.time_embed.0"],
    ["first_stage_model.decoder.up.1.block.0.conv1.weight", [128, 256, 3, 3], "conv", "first_stage_model.decoder.up.1.block.0", "conv1"],
  ],
  "DiT, PixArt, Flux, SD3": [
    ["blocks.27.adaLN_modulation.1.weight", [6912, 1152], "linear", "blocks.27", "adaLN_modulation.1"], ["y_embedder.embedding_table.weight", [1001, 1152], "embedding", null, "y_embedder.embedding_table"], ["t_embedder.mlp.0.weight", [1152, 256], "linear", null, "t_embedder.mlp.0"],
    ["transformer_blocks.27.attn1.to_out.0.weight", [1152, 1152], "linear", "transformer_blocks.27", "attn1.to_out.0"], ["single_transformer_blocks.37.attn.to_q.weight", [3072, 3072], "linear", "single_transformer_blocks.37", "attn.to_q"],
    ["double_blocks.18.img_attn.qkv.weight", [9216, 3072], "attention", "double_blocks.18", "img_attn.qkv"], ["joint_blocks.0.x_block.attn.qkv.weight", [4608, 1536], "attention", "joint_blocks.0", "x_block.attn.qkv"],
  ],
  "Mixtral, Qwen3 MoE, gpt-oss": [
    ["model.layers.3.block_sparse_moe.gate.weight", [8, 512], "linear", "model.layers.3", "block_sparse_moe.gate"], ["model.layers.3.block_sparse_moe.experts.3.w1.weight", [1376, 512], "linear", "model.layers.3", "block_sparse_moe.experts.3.w1"],
    ["model.layers.3.mlp.experts.127.gate_proj.weight", [768, 512], "linear", "model.layers.3", "mlp.experts.127.gate_proj"], ["model.layers.3.mlp.shared_expert.up_proj.weight", [768, 512], "linear", "model.layers.3", "mlp.shared_expert.up_proj"],
    ["model.layers.3.mlp.experts.gate_up_proj", [8, 512, 1536], "expert", "model.layers.3", "mlp.experts.gate_up_proj"],
  ],
  "ConvNeXt, Swin, ResNet": [
    ["stem.0.weight", [96, 3, 4, 4], "conv", null, "stem.0"], ["stages.2.blocks.8.conv_dw.weight", [384, 1, 7, 7], "conv", "stages.2.blocks.8", "conv_dw"], ["stages.2.blocks.8.mlp.fc1.weight", [1536, 384], "linear", "stages.2.blocks.8", "mlp.fc1"],
    ["stages.2.downsample.1.weight", [384, 192, 2, 2], "conv", "stages.2", "downsample.1"], ["convnext.encoder.stages.2.layers.8.pwconv1.weight", [1536, 384], "linear", "convnext.encoder.stages.2.layers.8", "pwconv1"],
    ["features.5.8.block.3.weight", [1536, 384], "linear", "features.5.8", "block.3"], ["layers.2.blocks.5.attn.qkv.weight", [1152, 384], "attention", "layers.2.blocks.5", "attn.qkv"], ["layers.1.downsample.reduction.weight", [384, 768], "linear", "layers.1", "downsample.reduction"],
    ["layer3.5.conv2.weight", [256, 256, 3, 3], "conv", "layer3.5", "conv2"], ["layer3.0.downsample.0.weight", [1024, 512, 1, 1], "conv", "layer3.0", "downsample.0"], ["head.fc.weight", [1000, 768], "linear", null, "head.fc"],
  ],
};

describe.each(Object.entries(FAMILIES))("%s", (_family, layers) => {
  it.each(layers)("%s %j is %s, in %s as %s", (name, shape, kind, block, module) => {
    const found = roleOfName(name, shape, { shapeOf: () => undefined, singleInputKernels: 0 });
    expect("skip" in found ? found.skip : found.role.kind).toBe(kind);
    expect(placeOf(name)).toEqual({ block, module });
  });
});
