import type { LayerKind } from "../shared/report";
import {
  channelsAroundViews, channelsLastViews, convolutionViews, depthwiseChannelsLastViews, transposedChannelsLastViews, transposedConvolutionViews,
} from "./views/convolution";
import { linearView, orient, unknownViews, type Layout, type Made } from "./views/made";
import { recurrentViews, type Gated } from "./views/recurrent";
import { fusedViews, stackedViews, type FusedPart } from "./views/stacked";

/**
 * What a layer does with a tensor, as far as the file says. `layout` tells which side of a matrix is the input:
 * `out_in` multiplies from the left (PyTorch's Linear), `in_out` from the right (MatMul); null where that is not known.
 */
export type WeightRole =
  | { readonly kind: "other" }
  | { readonly kind: "linear"; readonly layout: Layout | null }
  /** (out, in/groups, k…); (k…, in/groups, out) with its channels last, (out, k…, in/groups) around; (k…, in, multiplier) depthwise. */
  | { readonly kind: "conv"; readonly groups: number; readonly channels?: "last" | "around" | "depthwise" }
  /** (in, out/groups, k…); (k…, out, in) with its channels last, (out, k…, in) around. */
  | { readonly kind: "conv_transpose"; readonly groups: number; readonly channels?: "last" | "around" }
  /** (vocabulary, dimension) */
  | { readonly kind: "embedding" }
  | ({ readonly kind: "lstm" | "gru" | "rnn" } & Gated)
  /** Parts side by side along the output: q, k and v in one matrix. */
  | { readonly kind: "attention"; readonly layout: Layout; readonly fused: readonly FusedPart[] }
  /** (experts, a, b) */
  | { readonly kind: "expert"; readonly layout: Layout | null }
  /** One factor of a low-rank pair, a matrix or a convolution's kernel. */
  | { readonly kind: "adapter" };

/**
 * The matrices that a tensor is measured by, as views on the row-major
 * tensor: its main matrix first, parts and second unfoldings after it. Never fails: where the shape does not fit the
 * role, as in a damaged file, the first axis is set against all others and a note says so.
 * @param shape at least one axis of at least one element; no axis of size 0
 * @returns at least one view
 */
export function viewsOf(shape: readonly number[], role: WeightRole): { kind: LayerKind; views: MatrixViews; notes: string[] } {
  const { views, notes } = made(shape, role);
  return { kind: role.kind, views, notes: [...notes, ...(views.every(isVector) ? ["one side is 1: no rank but 1"] : [])] };
}

type MatrixViews = Made["views"];

/** By where a kernel's channels are. */
const KERNELS = { first: convolutionViews, last: channelsLastViews, around: channelsAroundViews, depthwise: depthwiseChannelsLastViews };
const TRANSPOSED_KERNELS = { first: transposedConvolutionViews, last: transposedChannelsLastViews, around: channelsAroundViews };

function made(shape: readonly number[], role: WeightRole): Made {
  switch (role.kind) {
    case "other": return unknownViews(shape);
    case "linear": return shape.length === 2 ? linearView(shape, role.layout) : unfit(shape, "a matrix");
    case "embedding": return embeddingView(shape);
    case "conv": return KERNELS[role.channels ?? "first"](shape, role.groups) ?? unfit(shape, "a convolution");
    case "conv_transpose": return TRANSPOSED_KERNELS[role.channels ?? "first"](shape, role.groups) ?? unfit(shape, "a transposed convolution");
    case "lstm": case "gru": case "rnn": return recurrentViews(shape, role) ?? unfit(shape, `${role.gates.length} gates`);
    case "attention": return fusedViews(shape, role.layout, role.fused) ?? unfit(shape, role.fused.map(({ part }) => part).join(", "));
    case "expert": return stackedViews(shape, role.layout) ?? unfit(shape, "a stack of matrices");
    case "adapter": return shape.length === 2 ? linearView(shape, "out_in") : convolutionViews(shape, 1) ?? unknownViews(shape);
  }
}

/** An index picks a row: the vocabulary is the input. */
function embeddingView(shape: readonly number[]): Made {
  const long = shape.filter((size) => size > 1);
  return shape.length === 2 || long.length === 2 ? orient(unknownViews(shape), "rows") : unfit(shape, "an embedding");
}

function unfit(shape: readonly number[], what: string): Made {
  const { views, notes } = unknownViews(shape);
  return { views, notes: [`its shape is not that of ${what}`, ...notes] };
}

function isVector({ rows, columns }: MatrixViews[number]): boolean {
  return [rows, columns].some((axes) => axes.every(({ size }) => size === 1));
}
