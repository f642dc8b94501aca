import type { Layout } from "../views/made";
import { beside, ofSibling, type Neighbours, type StateDictName } from "./stateDictName";

const EXPERTS = /(?:^|[._/])(?:experts?|local_experts|exps|block_sparse_moe|moe|\w+_exps)(?=[._/]|$)/;
/** Matrices that go from the hidden size to the experts' own, and what brings it back. */
const PAIRS: readonly (readonly [string, string])[] = [
  ["gate_up_proj", "down_proj"], ["gate_proj", "down_proj"], ["up_proj", "down_proj"], ["w1", "w2"], ["w3", "w2"], ["w13", "w2"],
  ["input_linear", "output_linear"], ["wi", "wo"], ["ffn_gate_exps", "ffn_down_exps"], ["ffn_up_exps", "ffn_down_exps"],
];

/** Whether a tensor of three axes is a stack of experts' matrices, by its name. */
export function isExpertStack(name: StateDictName, shape: readonly number[]): boolean {
  return shape.length === 3 && EXPERTS.test(name.full);
}

/**
 * Whether experts store (in, out) or (out, in): of one going in (a × b) and one coming back (c × d), the hidden size
 * is a = d or b = c. Both exist under the same names; null where the sizes fit both.
 */
export function expertLayout(name: StateDictName, shape: readonly number[], neighbours: Neighbours): Layout | null {
  const own = name.isWeight ? name.module : name.own;
  const called = (other: string) => neighbours.shapeOf(name.isWeight ? ofSibling(name, other, name.own) : beside(name, other));
  for (const [going, back] of PAIRS) {
    if (own !== going && own !== back) continue;
    const other = called(own === going ? back : going);
    if (other === undefined || other.length !== 3) continue;
    const [, a, b] = own === going ? shape : other, [, c, d] = own === going ? other : shape;
    if ((a === d) !== (b === c)) return a === d ? "in_out" : "out_in";
  }
  return null;
}
