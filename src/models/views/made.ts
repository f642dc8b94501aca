import type { Axis, MatrixView } from "../model";

/** Which side of a stored matrix is the layer's input. */
export type Layout = "in_out" | "out_in";

/** Views of one tensor and what a person should know of them. */
export interface Made {
  readonly views: readonly MatrixView[];
  readonly notes: readonly string[];
}

/**
 * More parts than this (gates, groups, experts) are not told apart: no layer has them, and a damaged file may claim
 * millions. Mixtures of 1,024 experts exist.
 */
export const MOST_PARTS = 8192;

/** A view of the whole tensor as one matrix, with the fields given. */
export function view(rows: readonly Axis[], columns: readonly Axis[], further: Partial<MatrixView> = {}): MatrixView {
  return { part: null, unfolding: "none", rows, columns, offset: 0, input: null, recurrent: false, breakEvenRank: null, ...further };
}

export function axis(size: number, stride: number): Axis {
  return { size, stride };
}

/** Π sizes. */
export function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

export function inputOf(layout: Layout | null): MatrixView["input"] {
  if (layout === null) return null;
  return layout === "in_out" ? "rows" : "columns";
}

/** The same views, with their input on that side. */
export function orient({ views, notes }: Made, input: MatrixView["input"]): Made {
  return { views: views.map((each) => ({ ...each, input })), notes };
}

/** A matrix as it is stored. */
export function linearView(shape: readonly number[], layout: Layout | null): Made {
  const [rows = 1, columns = 1] = shape;
  return { views: [view([axis(rows, columns)], [axis(columns, 1)], { input: inputOf(layout) })], notes: [] };
}

/**
 * A tensor whose use is not known. Axes of size 1 say nothing; of those left, two are a matrix, and of more the first
 * is set against all others, as for a convolution.
 */
export function unknownViews(shape: readonly number[]): Made {
  const long = shape.length === 2 ? shape : shape.filter((size) => size > 1);
  if (long.length === 2) return linearView(long, null);
  if (long.length < 2) return linearView([1, product(shape)], null);
  const [rows = 1, ...rest] = long;
  const columns = product(rest);
  return {
    views: [view([axis(rows, columns)], [axis(columns, 1)], { unfolding: "channel" })],
    notes: [`its use is not known: axis of ${rows} against all others`],
  };
}
