import type { LayerKind } from "../shared/report";

/**
 * A layer as factorization sees it: its weight and how it is applied. Shapes are those of the file, with `layout`
 * telling which side of a matrix is the input; convolutions store (out, in/groups, k…), transposed ones
 * (in, out/groups, k…).
 */
export interface Target {
  readonly name: string;
  readonly kind: LayerKind;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly form: Form;
}

export type Form = MatrixForm | ConvolutionForm;

export interface MatrixForm {
  /** `recurrent`: the input weight of an LSTM, GRU or RNN, (…, gates·hidden, in), all outputs of which take one input. */
  readonly op: "linear" | "embedding" | "recurrent";
  /** `out_in`: (out, in), PyTorch's Linear; `in_out`: (in, out), MatMul, and embeddings, whose input is the vocabulary. */
  readonly layout: "out_in" | "in_out";
  /** Its input cannot be taken apart into groups of channels. */
  readonly whole?: true;
}

export interface ConvolutionForm {
  readonly op: "conv" | "conv_transpose";
  readonly groups: number;
}

export function isConvolution(form: Form): form is ConvolutionForm {
  return "groups" in form;
}

/** Channels of each group, and the kernel. */
export interface Channels {
  readonly groups: number;
  readonly out: number;
  readonly in: number;
  readonly kernel: readonly number[];
}

/** @param shape of a convolution's weight; `form.groups` divides its channels */
export function channelsOf(shape: readonly number[], { op, groups }: ConvolutionForm): Channels {
  const [first = 1, second = 1, ...kernel] = shape;
  return op === "conv" ? { groups, out: first / groups, in: second, kernel } : { groups, out: second, in: first / groups, kernel };
}

export function isDepthwise(shape: readonly number[], form: ConvolutionForm): boolean {
  const { groups, out, in: inEach } = channelsOf(shape, form);
  return groups > 1 && (form.op === "conv" ? inEach === 1 : out === 1);
}

/** Π sizes. */
export function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
