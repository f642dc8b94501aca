import type { Scheme, Step } from "../scheme";
import type { Target } from "../target";
import { groupsOf, kernelsOf, matrix, packed, packedShape, pointwise, refuseOthers } from "./kernels";
import { balanced } from "./split";

/**
 * The channel decomposition: a convolution to r channels with the whole kernel, then 1 × 1 to the outputs, from the
 * unfolding out × (in·k…). All of stride, padding and dilation stay with the first.
 */
export const channelScheme: Scheme = {
  id: "channel",
  label: "Channel decomposition",
  source: "TRP (Xu et al., 2020), after Zhang et al., 2015",
  bound: "apart",
  refusal: refuseOthers,
  fullRanks(target) {
    const { out, in: inEach, positions } = kernelsOf(target);
    return [Math.min(out, inEach * positions)];
  },
  unfoldings(target, values) {
    const kernels = kernelsOf(target);
    return [groupsOf(kernels, values).map((group) => matrix(kernels.out, kernels.in * kernels.positions, group))];
  },
  inputs(target) {
    const { groups, in: inEach, positions } = kernelsOf(target);
    return { side: "columns", length: inEach * positions, groups };
  },
  steps,
  async factor(target, values, ranks, svd) {
    const { form, out, in: inEach, positions } = kernelsOf(target);
    const rank = ranks[0]!;
    const halves = [];
    for (const [group, unfolding] of channelScheme.unfoldings(target, values)[0]!.entries()) halves.push(balanced(await svd.truncate(unfolding, rank, group)));
    const first = packed(form.op, halves.map(({ right }) => right), rank, inEach, positions);
    const last = packed("conv", halves.map(({ left }) => left), out, rank, 1);
    return steps(target, ranks).map((step, index) => ({ ...step, values: index === 0 ? first : last }));
  },
};

function steps(target: Target, [rank = 0]: readonly number[]): Step[] {
  const { form, groups, out, in: inEach, kernel } = kernelsOf(target);
  return [
    { role: "first", op: form.op, groups, shape: packedShape(form.op, groups, rank, inEach, kernel), axes: kernel.map(() => true) },
    pointwise("last", groups, out, rank, kernel),
  ];
}
