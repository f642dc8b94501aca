import type { InputSide } from "../calibrate/whitening";
import type { Matrix } from "../linalg/matrix";
import type { TruncatedSvd } from "../linalg/svd";
import type { Values } from "../models/model";
import { isConvolution, product, type Target } from "./target";

export const SCHEME_IDS = ["svd", "channel", "spatial", "tucker2", "depthwise", "groups2", "groups4", "groups8", "cp"] as const;
export type SchemeId = (typeof SCHEME_IDS)[number];
/** `auto`: the schemes of plain layers; `alds`: channel groups of every k, one group included. */
export const SCHEME_WISHES = ["auto", "alds", ...SCHEME_IDS] as const;
export type SchemeWish = (typeof SCHEME_WISHES)[number];

/**
 * One of the layers that take a layer's place, applied in order. A convolution's stride, padding, dilation and output
 * padding go, axis by axis, to the step that has `axes[a]`; the others have none there. The bias goes on the last.
 */
export interface Step {
  /** What tells the tensor apart from the others of its layer: "first", "core", "last". */
  readonly role: string;
  readonly op: "linear" | "embedding" | "recurrent" | "conv" | "conv_transpose";
  readonly shape: readonly number[];
  /** Of convolutions; of linear steps, the parts of the input that are multiplied apart: their blocks lie one below another. */
  readonly groups: number;
  readonly axes: readonly boolean[];
}

export interface Factor extends Step {
  /** Row-major. */
  readonly values: Float64Array;
}

/**
 * How the spectral errors of a mode's matrices bound the layer's. `apart`: they act on channels of their own, so the
 * largest does. `beside`: they lie side by side on one input, so √k times the largest of k does (ALDS).
 * `frobenius`: only the Frobenius norm of the error does.
 */
export type SpectralBound = "apart" | "beside" | "frobenius";

/**
 * A way to write one layer as several smaller ones. A mode is a side of the weight that is cut: its rank is that of one
 * unfolding of the weight, or of one for each group. At full ranks the factors give the layer itself.
 */
export interface Scheme {
  readonly id: SchemeId;
  readonly label: string;
  readonly source: string;
  readonly bound: SpectralBound;
  /** Why it does not fit this layer; null when it does. */
  refusal(target: Target): string | null;
  /** Largest rank of each mode: the shorter side of its unfolding. */
  fullRanks(target: Target): readonly number[];
  /** The unfoldings whose spectra rule the ranks: for each mode, one matrix for each group. */
  unfoldings(target: Target, values: Values): readonly (readonly Matrix[])[];
  /**
   * For a scheme without unfoldings, whose errors are known only from fitting: one list for each group whose squares
   * beyond rank r sum to at least the squared error at rank r, and to just that at the ranks that were tried.
   */
  fit?(target: Target, values: Values): Promise<readonly Float64Array[]>;
  /** Where inputs multiply the matrices of its only mode, for a scheme whose factors can follow calibration data. */
  inputs?(target: Target): Inputs;
  steps(target: Target, ranks: readonly number[]): readonly Step[];
  factor(target: Target, values: Values, ranks: readonly number[], svd: TruncatedSvd): Promise<readonly Factor[]>;
}

/** What the matrices of a layer are applied to: inputs of one length for each of its groups. */
export interface Inputs {
  readonly side: InputSide;
  readonly length: number;
  readonly groups: number;
}

/** Weights of the steps; the bias is not counted, as it stays. */
export function parametersOf(steps: readonly Step[]): number {
  return steps.reduce((sum, { shape }) => sum + product(shape), 0);
}

/** Sizes of a convolution's axes before and after it; of other layers, the positions that it is applied at. */
export interface Positions {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Where else the same weight is applied. */
  readonly more?: readonly Positions[];
}

/** A single one, as where sizes of activations are not known. */
export const ONE_POSITION: Positions = { before: [], after: [] };

/** Multiply-adds of the steps for one input. An embedding's row is looked up, not multiplied. */
export function multiplyAddsOf(steps: readonly Step[], { before, after, more = [] }: Positions): number {
  let total = more.reduce((sum, other) => sum + multiplyAddsOf(steps, other), 0);
  let sizes = [...before];
  for (const { op, shape, axes } of steps) {
    const next = sizes.map((size, axis) => (axes[axis] === true ? (after[axis] ?? size) : size));
    if (op !== "embedding") total += product(shape) * product(op === "conv_transpose" ? sizes : next);
    sizes = next;
  }
  return total;
}

/** The layer as it is, as a single step. */
export function wholeStep({ form, shape }: Target): Step {
  return !isConvolution(form)
    ? { role: "whole", op: form.op, shape, groups: 1, axes: [] }
    : { role: "whole", op: form.op, shape, groups: form.groups, axes: shape.slice(2).map(() => true) };
}
