import type { Scheme, Step } from "../scheme";
import type { Target } from "../target";
import { groupsOf, kernelsOf, matrix, packedShape, pointwise, refuseOthers, swapped } from "./kernels";
import { balanced } from "./split";

/**
 * The decoupling of every filter: 1 × 1 to r channels for each output, then the kernel on these r alone, from each filter's
 * in × (k…). All of stride, padding and dilation stay with the second, which has as many groups as there are outputs.
 */
export const depthwiseScheme: Scheme = {
  id: "depthwise",
  label: "Depthwise decoupling",
  source: "TRP (Xu et al., 2020), after network decoupling (Guo et al., 2018)",
  bound: "frobenius",
  refusal: (target) => refuseOthers(target) ?? (kernelsOf(target).positions === 1 ? "a 1 × 1 kernel has nothing to decouple" : null),
  fullRanks(target) {
    const { in: inEach, positions } = kernelsOf(target);
    return [Math.min(inEach, positions)];
  },
  unfoldings(target, values) {
    const kernels = kernelsOf(target);
    const { out, in: inEach, positions } = kernels;
    const size = inEach * positions;
    return [groupsOf(kernels, values).flatMap((group) => Array.from({ length: out }, (_, filter) => matrix(inEach, positions, group.slice(filter * size, (filter + 1) * size))))];
  },
  steps,
  async factor(target, values, ranks, svd) {
    const { in: inEach, positions } = kernelsOf(target);
    const rank = ranks[0]!;
    const filters = depthwiseScheme.unfoldings(target, values)[0]!;
    const first = new Float64Array(filters.length * rank * inEach), last = new Float64Array(filters.length * rank * positions);
    for (const [index, filter] of filters.entries()) {
      const { left, right } = balanced(await svd.truncate(filter, rank));
      first.set(swapped(left, inEach, rank, 1), index * rank * inEach);
      last.set(right, index * rank * positions);
    }
    return steps(target, ranks).map((step, index) => ({ ...step, values: index === 0 ? first : last }));
  },
};

function steps(target: Target, [rank = 0]: readonly number[]): Step[] {
  const { form: { op }, groups, out, in: inEach, kernel } = kernelsOf(target);
  const filters = groups * out;
  return [
    pointwise("first", groups, out * rank, inEach, kernel),
    // With one output for each group a transposed convolution stores its weight in the same order: (in, 1, k…).
    { role: "last", op, groups: filters, shape: packedShape(op, filters, 1, rank, kernel), axes: kernel.map(() => true) },
  ];
}
