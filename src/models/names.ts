/** Where a layer stands in the model's map (`LayerRow.block`, `LayerRow.module`). */
export interface Place {
  readonly block: string | null;
  readonly module: string;
}

/** What tools wrap around a model, and then write before every name: PEFT, DistributedDataParallel, torch.compile, FSDP. */
const WRAPPERS = /^(?:(?:base_model\.model|module|_orig_mod|_fsdp_wrapped_module)\.)+(?=.)/;
/** What frameworks call the weight itself. */
const WEIGHT = /(?:\.parametrizations\.weight\.original1|[._]weights?|\.weight_v|\.kernel|\.w_0)$/;
/** What a block holds in turn: stages of Swin and ConvNeXt, down, middle and up blocks of diffusion models. */
const INNER = "attentions|transformer_blocks|resnets|motion_modules|temp_attentions|temp_convs|downsamplers|upsamplers|blocks|block|layers";
/**
 * A step of a path that is a number, with the path before it and something after it: "layers.3." in "layers.3.fc1".
 * Blocks in blocks follow at once, by their name or as a further number: "down_blocks.0.attentions.1.transformer_blocks.0.",
 * "features.1.0.", but "layers.3.mlp.experts.7." is in block "layers.3".
 */
const NUMBERED = new RegExp(`^(.*?(?:^|[.:/])\\d+(?:[.:/](?:(?:${INNER})[.:/])?\\d+)*)[.:/](?=.)`);

/**
 * Block and module of a state-dict name: "model.layers.3.self_attn.q_proj.weight" stands in block "model.layers.3" as
 * "self_attn.q_proj". The block ends at the first step that is a number, or with the blocks in it, as long as more than the
 * weight follows.
 */
export function placeOf(name: string): Place {
  const unwrapped = name.replace(WRAPPERS, "");
  const path = unwrapped.replace(WEIGHT, "") || unwrapped;
  const block = NUMBERED.exec(path)?.[1] ?? null;
  return block === null ? { block, module: path } : { block, module: path.slice(block.length + 1) };
}
