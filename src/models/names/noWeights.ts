import { beside, type Neighbours, type StateDictName } from "./stateDictName";

const BIAS = /(?:^|_)bias$|^bias_(?:ih|hh)|^bias$/;
const NORM = /(?:^|_)(?:norm|ln|bn|layernorm|batchnorm|groupnorm|rmsnorm)(?:_?\w{0,8})$|(?:layer_?norm|batch_?norm|group_?norm|rms_?norm|norm)\d{0,3}$/i;
/** Buffers and parameters that no input is multiplied with, by their own name. */
const BUFFERS: Readonly<Record<string, string>> = {
  running_mean: "running statistics of a normalization", running_var: "running statistics of a normalization",
  num_batches_tracked: "counter of a normalization",
  inv_freq: "frequencies of rotary positions", cos_cached: "table of rotary positions", sin_cached: "table of rotary positions",
  masked_bias: "causal mask", causal_mask: "causal mask", attn_mask: "attention mask",
  position_ids: "positions", token_type_ids: "token types", relative_position_index: "positions",
  weight_g: "scale of a weight normalization", original0: "scale of a weight normalization",
};

/**
 * Why a tensor is no weight matrix, by its name and shape; null when it may be one.
 * @param shape at least one element
 */
export function whyNoWeight(name: StateDictName, shape: readonly number[], neighbours: Neighbours): string | null {
  const buffer = Object.hasOwn(BUFFERS, name.own) ? BUFFERS[name.own] : undefined;
  if (buffer !== undefined) return buffer;
  const long = shape.filter((size) => size > 1).length;
  if (BIAS.test(name.own)) {
    // GPT-2 keeps its causal mask as h.0.attn.bias, [1, 1, positions, positions].
    return long > 1 && shape.length === 4 && shape[2] === shape[3] ? "causal mask" : "bias";
  }
  if (name.isWeight && isNorm(name, shape, neighbours)) return "scale of a normalization";
  if (shape.length === 0) return "a single number";
  if (shape.length === 1) return "one axis: no matrix";
  if (long < 2 && !name.isWeight && !/[:_](?:up|down|[AB])$/.test(name.full)) return "a single vector: no matrix";
  return null;
}

function isNorm(name: StateDictName, shape: readonly number[], neighbours: Neighbours): boolean {
  if (NORM.test(name.module)) return true;
  return shape.length === 1 && neighbours.shapeOf(beside(name, "running_mean")) !== undefined;
}
