import type { Matrix } from "../../linalg/matrix";
import type { Values } from "../../models/model";
import type { Step } from "../scheme";
import { channelsOf, isConvolution, product, type Channels, type ConvolutionForm, type Form, type Target } from "../target";

/** A convolution's weight taken apart: for each group the values as (out, in, k…), whichever way the file stores them. */
export interface Kernels extends Channels {
  readonly form: ConvolutionForm;
  /** Kernel positions, Π kernel. */
  readonly positions: number;
}

export function kernelsOf(target: Target): Kernels {
  const form = convolutionForm(target);
  const channels = channelsOf(target.shape, form);
  return { ...channels, form, positions: product(channels.kernel) };
}

/** Why a target is none for a convolution's schemes; null when it is. */
export function refuseOthers({ form, shape }: Target): string | null {
  if (!isConvolution(form)) return "a matrix has the svd scheme";
  return shape.length < 3 ? "its weight is no convolution's" : null;
}

function convolutionForm({ form }: Target): ConvolutionForm {
  if (!isConvolution(form)) throw new Error(`${form.op} is no convolution`);
  return form;
}

/** Each group's values as (out, in, positions). */
export function groupsOf({ groups, out, in: inEach, positions, form }: Kernels, values: Values): Float64Array[] {
  const size = out * inEach * positions;
  return Array.from({ length: groups }, (_, group) => {
    const own = values.subarray(group * size, (group + 1) * size);
    return form.op === "conv" ? new Float64Array(own) : swapped(own, inEach, out, positions);
  });
}

/** The weight of a step of `op` from each group's (out, in, positions). */
export function packed(op: Step["op"], groups: readonly Float64Array[], out: number, inEach: number, positions: number): Float64Array {
  const size = out * inEach * positions;
  const all = new Float64Array(groups.length * size);
  groups.forEach((own, group) => all.set(op === "conv_transpose" ? swapped(own, out, inEach, positions) : own, group * size));
  return all;
}

/** Each group's (in, out, positions) of a weight that stores its inputs first, as (out, in, positions). */
export function unpacked(values: Float64Array, groups: number, inEach: number, out: number, positions: number): Float64Array {
  const size = values.length / groups;
  const all = new Float64Array(values.length);
  for (let group = 0; group < groups; group++) all.set(swapped(values.subarray(group * size, (group + 1) * size), inEach, out, positions), group * size);
  return all;
}

/** How a layer's weight is stored: outputs first, or inputs first as transposed convolutions and matrices applied from the right have it. */
export function packedAs(form: Form): ConvolutionForm["op"] {
  if (isConvolution(form)) return form.op;
  return form.layout === "in_out" ? "conv_transpose" : "conv";
}

/** Shape of a step's weight for (out, in) channels of each group. */
export function packedShape(op: Step["op"], groups: number, out: number, inEach: number, kernel: readonly number[]): number[] {
  return op === "conv_transpose" ? [groups * inEach, out, ...kernel] : [groups * out, inEach, ...kernel];
}

/** (a, b, positions) → (b, a, positions) */
export function swapped(values: Values, a: number, b: number, positions: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      const from = (i * b + j) * positions, to = (j * a + i) * positions;
      for (let k = 0; k < positions; k++) out[to + k] = values[from + k]!;
    }
  }
  return out;
}

export function matrix(rows: number, columns: number, data: Float64Array): Matrix {
  return { rows, columns, data };
}

/** A step that keeps positions as they are: 1 × 1 over all axes. */
export function pointwise(role: string, groups: number, out: number, inEach: number, kernel: readonly number[]): Step {
  return { role, op: "conv", groups, shape: packedShape("conv", groups, out, inEach, kernel.map(() => 1)), axes: kernel.map(() => false) };
}
