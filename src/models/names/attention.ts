import type { WeightRole } from "../views";
import { ofSibling, type Neighbours, type StateDictName } from "./stateDictName";
import type { Named } from "./roleOfName";

/** Modules whose one matrix computes q, k and v, in this order. */
const QKV = /^(?:qkv|qkv_proj|to_qkv|attn_qkv|qkv_linear|Wqkv|W_pack|c_attn)$/;
const KV = /^(?:kv_proj|to_kv|Wkv)$/;
/** Modules that keep q, k and v of one head, or of one group of heads, together (GPT-NeoX, BLOOM, Falcon, InternLM2). */
const INTERLEAVED = /^(?:query_key_value|wqkv)$/;
/** Output projections beside a fused matrix: their input is as wide as q. */
const OUTPUTS = ["o_proj", "out_proj", "proj", "dense", "wo", "attn_output", "to_out", "to_out.0", "c_proj"];

/** A fused attention matrix as a whole and its parts; null for other names. */
export function attentionRole(name: StateDictName, shape: readonly number[], neighbours: Neighbours): Named | null {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined || !name.isWeight) return null;
  // torch.nn.MultiheadAttention.
  if (name.own === "in_proj_weight") return fused("out_in", ["q", "k", "v"], thirds(rows)) ?? whole("its rows are not three times one size");
  if (INTERLEAVED.test(name.module)) return whole("q, k and v are interleaved by heads: not told apart");
  if (KV.test(name.module)) return fused("out_in", ["k", "v"], [rows / 2, rows / 2]);
  if (!QKV.test(name.module)) return null;
  // GPT-2's own Conv1D stores (in, out); its cross-attention keeps k and v alone.
  const fromGpt2 = name.module === "c_attn";
  if (fromGpt2 && columns === 3 * rows) return fused("in_out", ["q", "k", "v"], thirds(columns));
  if (fromGpt2 && columns === 2 * rows) return fused("in_out", ["k", "v"], [rows, rows]);
  return fused("out_in", ["q", "k", "v"], sizesByOutput(name, rows, columns, neighbours)) ?? whole("how many heads share a k and v is not known: not told apart");
}

/** Sizes of q, k, v: where heads share keys (grouped queries), q is as wide as what the output projection takes. */
function sizesByOutput(name: StateDictName, rows: number, columns: number, neighbours: Neighbours): readonly number[] {
  for (const output of OUTPUTS) {
    const query = neighbours.shapeOf(ofSibling(name, output))?.[1];
    if (query !== undefined && query < rows) return [query, (rows - query) / 2, (rows - query) / 2];
  }
  return rows === 3 * columns ? thirds(rows) : [];
}

function thirds(size: number): readonly number[] {
  return [size / 3, size / 3, size / 3];
}

function fused(layout: "in_out" | "out_in", parts: readonly string[], sizes: readonly number[]): Named | null {
  if (sizes.length !== parts.length || !sizes.every((size) => Number.isInteger(size) && size > 0)) return null;
  return { role: { kind: "attention", layout, fused: parts.map((part, index) => ({ part, size: sizes[index]! })) }, notes: [] };
}

function whole(note: string): Named {
  const role: WeightRole = { kind: "attention", layout: "out_in", fused: [] };
  return { role, notes: [note] };
}
