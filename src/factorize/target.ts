import type { LayerKind } from "../shared/report";
import type { Values } from "../models/model";
import { rowMajorStrides } from "../models/strided";

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
  /** Axes of the file's tensor in the order of `shape`, where the file has them in another. */
  readonly axes?: readonly number[];
  /** Equal blocks of the first axis of `shape`, by their places in the file, where it has them in another order. */
  readonly blocks?: readonly number[];
}

export type Form = MatrixForm | ConvolutionForm;

export interface MatrixForm {
  /** `recurrent`: a weight of an LSTM, GRU or RNN, (…, gates·hidden, in), all outputs of which take one input. */
  readonly op: "linear" | "embedding" | "recurrent";
  /** `out_in`: (out, in), PyTorch's Linear; `in_out`: (in, out), MatMul, and embeddings, whose input is the vocabulary. */
  readonly layout: "out_in" | "in_out";
  /** Its input cannot be taken apart into groups of channels. */
  readonly whole?: true;
  /** Of a recurrent layer: it multiplies the layer's own state. */
  readonly state?: true;
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

/** A weight as the file has it, in the order of its target's axes and blocks. @param values row-major */
export function arranged({ shape, axes, blocks }: Pick<Target, "shape" | "axes" | "blocks">, values: Values): Values {
  const turned = axes === undefined ? values : permuted(shape, axes, values);
  if (blocks === undefined) return turned;
  const size = turned.length / blocks.length, out = turned.slice();
  blocks.forEach((from, to) => out.set(turned.subarray(from * size, (from + 1) * size), to * size));
  return out;
}

function permuted(shape: readonly number[], axes: readonly number[], values: Values): Values {
  const sizes = new Array<number>(axes.length);
  axes.forEach((axis, place) => { sizes[axis] = shape[place]!; });
  const steps = rowMajorStrides(sizes);
  const strides = axes.map((axis) => steps[axis]!);
  const out = values.slice();
  const index = new Array<number>(axes.length).fill(0);
  let from = 0;
  for (let at = 0; at < out.length; at++) {
    out[at] = values[from]!;
    for (let place = axes.length - 1; place >= 0; place--) {
      from += strides[place]!;
      if (++index[place]! < shape[place]!) break;
      from -= strides[place]! * shape[place]!;
      index[place] = 0;
    }
  }
  return out;
}
