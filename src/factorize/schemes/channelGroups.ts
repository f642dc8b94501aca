import type { Matrix } from "../../linalg/matrix";
import type { Values } from "../../models/model";
import type { Scheme, SchemeId, Step } from "../scheme";
import { isConvolution, type Target } from "../target";
import { groupsOf, kernelsOf, matrix, packed, packedShape, type Kernels } from "./kernels";
import { balanced, type Halves } from "./split";

/**
 * ALDS's decomposition: the input channels in k groups, each with an SVD of its own unfolding out × (in/k · k…); their
 * ranks are equal, and one 1 × 1 layer takes all k·r channels to the outputs.
 * @param count k, the groups that the channels of one of the layer's own groups are divided into
 */
export function channelGroups(id: SchemeId, count: number): Scheme {
  return {
    id,
    label: `Channel groups (ALDS), k = ${count}`,
    source: "ALDS (Liebenwein et al., 2021)",
    bound: "beside",
    refusal: (target) => refusal(target, count),
    fullRanks(target) {
      const { out, in: inEach, positions } = partsOf(target);
      return [Math.min(out, (inEach / count) * positions)];
    },
    unfoldings: (target, values) => [unfoldings(target, values, count)],
    steps: (target, ranks) => steps(target, ranks, count),
    async factor(target, values, ranks, svd) {
      const { form: { op }, groups, out, in: inEach, positions } = partsOf(target);
      const rank = ranks[0]!;
      const halves: Halves[] = [];
      for (const unfolding of unfoldings(target, values, count)) halves.push(balanced(await svd.truncate(unfolding, rank)));
      const first = packed(op, halves.map(({ right }) => right), rank, inEach / count, positions);
      const lasts = Array.from({ length: groups }, (_, group) => sideBySide(halves.slice(group * count, (group + 1) * count).map(({ left }) => left), out, rank));
      const last = packed(isConvolution(target.form) ? "conv" : op, lasts, out, count * rank, 1);
      return steps(target, ranks, count).map((step, index) => ({ ...step, values: index === 0 ? first : last }));
    },
  };
}

function refusal({ form, shape, ...target }: Target, count: number): string | null {
  if (isConvolution(form)) {
    if (shape.length < 3) return "its weight is no convolution's";
  } else {
    if (form.op !== "linear") return `a weight of kind ${form.op} has the svd scheme`;
    if (form.whole === true) return "its input cannot be taken apart: it may be a vector";
    if (shape.length !== 2) return "its weight is no matrix";
  }
  const { in: inEach } = partsOf({ form, shape, ...target });
  if (inEach % count === 0 && inEach > count) return null;
  return inEach <= count ? `its ${inEach} input channels are too few for ${count} groups` : `its ${inEach} input channels are not divisible into ${count} groups`;
}

/** A matrix is a kernel of no axes, whose inputs lie first where it is applied from the right. */
function partsOf(target: Target): Kernels {
  const { form, shape } = target;
  if (isConvolution(form)) return kernelsOf(target);
  const [first = 1, second = 1] = shape;
  const [out, input] = form.layout === "in_out" ? [second, first] : [first, second];
  return { form: { op: form.layout === "in_out" ? "conv_transpose" : "conv", groups: 1 }, groups: 1, out, in: input, kernel: [], positions: 1 };
}

/** For each of the layer's groups k matrices, one below another in their order. */
function unfoldings(target: Target, values: Values, count: number): Matrix[] {
  const parts = partsOf(target);
  const width = parts.in * parts.positions, own = width / count;
  return groupsOf(parts, values).flatMap((group) => Array.from({ length: count }, (_, index) => {
    const data = new Float64Array(parts.out * own);
    for (let row = 0; row < parts.out; row++) data.set(group.subarray(row * width + index * own, row * width + (index + 1) * own), row * own);
    return matrix(parts.out, own, data);
  }));
}

function steps(target: Target, [rank = 0]: readonly number[], count: number): Step[] {
  const { form: { op }, groups, out, in: inEach, kernel } = partsOf(target);
  const matrixOp = isConvolution(target.form) ? null : "linear";
  const all = groups * count;
  return [
    { role: "first", op: matrixOp ?? op, groups: all, shape: packedShape(op, all, rank, inEach / count, kernel), axes: kernel.map(() => true) },
    { role: "last", op: matrixOp ?? "conv", groups, shape: packedShape(matrixOp === null ? "conv" : op, groups, out, count * rank, kernel.map(() => 1)), axes: kernel.map(() => false) },
  ];
}

/** k matrices out × r as one, out × k·r. */
function sideBySide(parts: readonly Float64Array[], out: number, rank: number): Float64Array {
  const width = parts.length * rank;
  const all = new Float64Array(out * width);
  parts.forEach((part, index) => {
    for (let row = 0; row < out; row++) all.set(part.subarray(row * rank, (row + 1) * rank), row * width + index * rank);
  });
  return all;
}
