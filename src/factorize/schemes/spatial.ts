import type { Scheme, Step } from "../scheme";
import type { Target } from "../target";
import { groupsOf, kernelsOf, matrix, packed, packedShape, refuseOthers } from "./kernels";
import { balanced } from "./split";

/**
 * The spatial decomposition: kh × 1 to r channels, then 1 × kw to the outputs, from the unfolding (in·kh) × (out·kw).
 * What concerns the vertical axis stays with the first, what concerns the horizontal one with the second.
 */
export const spatialScheme: Scheme = {
  id: "spatial",
  label: "Spatial decomposition",
  source: "TRP (Xu et al., 2020), after Jaderberg et al., 2014",
  bound: "apart",
  refusal: (target) => refuseOthers(target) ?? (target.shape.length === 4 ? null : "the spatial scheme is for two-dimensional kernels"),
  fullRanks(target) {
    const { out, in: inEach, kernel: [kh = 1, kw = 1] } = kernelsOf(target);
    return [Math.min(inEach * kh, out * kw)];
  },
  unfoldings(target, values) {
    const kernels = kernelsOf(target);
    const { out, in: inEach, kernel: [kh = 1, kw = 1] } = kernels;
    return [groupsOf(kernels, values).map((group) => matrix(inEach * kh, out * kw, unfold(group, out, inEach, kh, kw)))];
  },
  steps,
  async factor(target, values, ranks, svd) {
    const { form, out, in: inEach, kernel: [kh = 1, kw = 1] } = kernelsOf(target);
    const rank = ranks[0]!;
    const firsts: Float64Array[] = [], lasts: Float64Array[] = [];
    for (const unfolding of spatialScheme.unfoldings(target, values)[0]!) {
      const { left, right } = balanced(await svd.truncate(unfolding, rank));
      // left (in, kh, r) → (r, in, kh); right (r, out, kw) → (out, r, kw)
      firsts.push(mapped(rank * inEach * kh, (at) => left[(at % (inEach * kh)) * rank + Math.floor(at / (inEach * kh))]!));
      lasts.push(mapped(out * rank * kw, (at) => right[(Math.floor(at / kw) % rank) * out * kw + Math.floor(at / (kw * rank)) * kw + (at % kw)]!));
    }
    const parts = [packed(form.op, firsts, rank, inEach, kh), packed(form.op, lasts, out, rank, kw)];
    return steps(target, ranks).map((step, index) => ({ ...step, values: parts[index]! }));
  },
};

function steps(target: Target, [rank = 0]: readonly number[]): Step[] {
  const { form: { op }, groups, out, in: inEach, kernel: [kh = 1, kw = 1] } = kernelsOf(target);
  return [
    { role: "first", op, groups, shape: packedShape(op, groups, rank, inEach, [kh, 1]), axes: [true, false] },
    { role: "last", op, groups, shape: packedShape(op, groups, out, rank, [1, kw]), axes: [false, true] },
  ];
}

/** (out, in, kh, kw) → (in, kh) × (out, kw) */
function unfold(values: Float64Array, out: number, inEach: number, kh: number, kw: number): Float64Array {
  return mapped(values.length, (at) => {
    const x = at % kw, o = Math.floor(at / kw) % out, row = Math.floor(at / (kw * out));
    const y = row % kh, i = Math.floor(row / kh);
    return values[((o * inEach + i) * kh + y) * kw + x]!;
  });
}

function mapped(length: number, value: (at: number) => number): Float64Array {
  const out = new Float64Array(length);
  for (let at = 0; at < length; at++) out[at] = value(at);
  return out;
}
