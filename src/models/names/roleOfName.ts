import type { WeightRole } from "../views";
import { attentionRole } from "./attention";
import { expertLayout, isExpertStack } from "./experts";
import { whyNoWeight } from "./noWeights";
import { recurrentRole } from "./recurrent";
import { beside, ofSibling, stateDictName, type Neighbours, type StateDictName } from "./stateDictName";

/** A role, and what a person should know of how it was found. */
export interface Named {
  readonly role: WeightRole;
  readonly notes: readonly string[];
}

const NO_NOTES: readonly string[] = [];
/** Last steps of the paths of embeddings, and parameters of that name. */
const EMBEDDING = /(?:^|_)(?:embed|embeds|embedding|embeddings|embd|emb)$|^(?:wte|wpe|shared|embedding_table|embed_tokens|embed_positions|embed_in|relative_attention_bias|relative_position_bias_table)$/;
/** GPT-2's Conv1D layers, which store (in, out). */
const CONV1D = /^(?:c_attn|c_proj|c_fc|q_attn)$/;
const ADAPTER = /(?:^|[._:/])(?:lora[._](?:A|B|a|b|down|up|embedding_A|embedding_B)|lokr_w\d|hada_w\d)(?=[._:/]|$)/;
/** "text_encoder:0:down" (cloneofsimo's format). */
const ADAPTER_PAIR = /:(up|down)$/;
const FIRST_FACTOR = /lora[._](?:A|a|down|embedding_A)|:down$/;
const TRANSPOSED = /(?:^|[._/])(?:conv_?transposed?\w{0,4}|transposed?_?conv\w{0,4}|deconv\w{0,4}|up_?conv\w{0,4}|ups)(?=[._/]|$)/i;
const UPSAMPLING = /^up_?sampl\w{0,6}$/i;
const DEPTHWISE = /(?:^|[._/])(?:dw|dwconv|dw_conv|depth_?wise\w{0,8}|conv_dw|depthwise_conv)(?=[._/]|$)/i;
/** Axes of a kernel and its channels: one, two or three of the former. */
const CONVOLUTION_AXES: readonly number[] = [3, 4, 5];

/**
 * What a tensor of a state dict does, by its name, its shape and the shapes of its neighbours: nothing else in such a
 * file says.
 * @param shape at least one element
 * @returns its role, or the reason for which it is no weight matrix
 */
export function roleOfName(full: string, shape: readonly number[], neighbours: Neighbours): Named | { readonly skip: string } {
  const name = stateDictName(full);
  const skip = whyNoWeight(name, shape, neighbours);
  if (skip !== null) return { skip };
  const adapter = adapterRole(name, shape, neighbours);
  if (adapter !== null) return adapter;
  const recurrent = recurrentRole(name, shape, neighbours);
  if (recurrent !== null) return known(recurrent);
  if (isExpertStack(name, shape)) return known({ kind: "expert", layout: expertLayout(name, shape, neighbours) });
  const attention = attentionRole(name, shape, neighbours);
  if (attention !== null) return attention;
  if (isEmbedding(name, shape, neighbours)) return known({ kind: "embedding" });
  if (!name.isWeight) return known({ kind: "other" });
  if (shape.length === 2) return known({ kind: "linear", layout: linearLayout(name, shape, neighbours) });
  return CONVOLUTION_AXES.includes(shape.length) ? convolutionRole(name, shape, neighbours) : known({ kind: "other" });
}

function known(role: WeightRole): Named {
  return { role, notes: NO_NOTES };
}

function adapterRole(name: StateDictName, shape: readonly number[], neighbours: Neighbours): Named | null {
  const pair = ADAPTER_PAIR.exec(name.full);
  const other = pair === null ? undefined : neighbours.shapeOf(beside(name, pair[1] === "up" ? "down" : "up"));
  if (other === undefined && !ADAPTER.test(name.full)) return null;
  const rank = FIRST_FACTOR.test(name.full) ? shape[0] : shape[1];
  return { role: { kind: "adapter" }, notes: [`one factor of a LoRA of rank ${rank}: measured by itself, not their product`] };
}

/** A linear layer may be called an embedding too; it has a bias, a table has none. */
function isEmbedding(name: StateDictName, shape: readonly number[], neighbours: Neighbours): boolean {
  if (shape.filter((size) => size > 1).length !== 2 || (name.isWeight && shape.length !== 2)) return false;
  return EMBEDDING.test(name.isWeight ? name.module : name.own) && neighbours.shapeOf(beside(name, "bias")) === undefined;
}

/** PyTorch's Linear stores (out, in); a bias that is as long as the columns alone says otherwise. */
function linearLayout(name: StateDictName, shape: readonly number[], neighbours: Neighbours): "in_out" | "out_in" | null {
  const [rows = 1, columns = 1] = shape;
  const bias = neighbours.shapeOf(beside(name, "bias"));
  if (rows !== columns && bias?.length === 1 && (bias[0] === rows || bias[0] === columns)) return bias[0] === columns ? "in_out" : "out_in";
  if (name.own === "kernel") return "in_out";
  return CONV1D.test(name.module) ? conv1dLayout(name, rows, columns, neighbours) : "out_in";
}

/** Models of GPT-2's family store these layers either way; what grows, and what shrinks, is known of some. */
function conv1dLayout(name: StateDictName, rows: number, columns: number, neighbours: Neighbours): "in_out" | "out_in" | null {
  if (rows !== columns) return (name.module === "c_proj") === rows > columns ? "in_out" : "out_in";
  for (const sibling of ["c_attn", "c_fc"]) {
    const [a, b] = neighbours.shapeOf(ofSibling(name, sibling)) ?? [];
    if (a !== undefined && b !== undefined && a !== b) return a < b ? "in_out" : "out_in";
  }
  return null;
}

/** Groups are not in the file; but a bias has as many values as there are outputs. */
function convolutionRole(name: StateDictName, shape: readonly number[], neighbours: Neighbours): Named {
  // Flax.
  if (name.own === "kernel") return known({ kind: "conv", groups: 1, channels: "last" });
  const [first = 1, second = 1] = shape;
  if (second === 1 && first > 1) {
    const called = DEPTHWISE.test(name.full);
    // One such kernel is a layer with one input, as of audio or grey images; a model of depthwise layers has many.
    if (!called && neighbours.singleInputKernels < 2) return known({ kind: "conv", groups: 1 });
    return { role: { kind: "conv", groups: first }, notes: called ? [] : ["taken as depthwise: each kernel has one input"] };
  }
  const bias = neighbours.shapeOf(beside(name, "bias"));
  if (first !== second && bias?.length === 1 && (bias[0] === first || bias[0] === second)) {
    return bias[0] === first ? known({ kind: "conv", groups: 1 })
      : { role: { kind: "conv_transpose", groups: 1 }, notes: ["taken as a transposed convolution by the length of its bias"] };
  }
  if (!TRANSPOSED.test(name.full) && !UPSAMPLING.test(name.module)) return known({ kind: "conv", groups: 1 });
  return { role: { kind: "conv_transpose", groups: 1 }, notes: ["taken as a transposed convolution by its name"] };
}
