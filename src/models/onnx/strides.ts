import type { Axis, MatrixView } from "../model";
import { elementsOf } from "./tensorProto";

/**
 * How the axes of a value lie in the stored tensor that it came from. Reshapes and transpositions move no
 * weight: they only name the same memory anew.
 */
export interface Layout {
  readonly shape: readonly number[];
  /** Elements of the stored tensor between neighbours along each axis. */
  readonly strides: readonly number[];
}

export function rowMajor(shape: readonly number[]): Layout {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return { shape, strides };
}

/** @returns null when `permutation` is none */
export function transpose(layout: Layout, permutation: readonly number[]): Layout | null {
  const rank = layout.shape.length;
  const order = permutation.length === 0 ? layout.shape.map((_, axis) => rank - 1 - axis) : permutation;
  if (order.length !== rank || new Set(order).size !== rank || order.some((axis) => axis < 0 || axis >= rank)) return null;
  return { shape: order.map((axis) => layout.shape[axis]!), strides: order.map((axis) => layout.strides[axis]!) };
}

/**
 * The same elements in another shape, where that needs no copy.
 * @returns null when the sizes differ, or memory order would change
 */
export function reshape(layout: Layout, shape: readonly number[]): Layout | null {
  if (elementsOf(shape) !== elementsOf(layout.shape)) return null;
  if (isRowMajor(layout)) return rowMajor(shape);
  const strides: number[] = [];
  let from = layout.shape.length - 1;
  const sizes = [...layout.shape];
  for (let to = shape.length - 1; to >= 0; to--) {
    let wanted = shape[to]!;
    if (wanted === 1) {
      strides.unshift(0);
      continue;
    }
    while (from >= 0 && sizes[from] === 1) from--;
    if (from < 0) return null;
    const stride = layout.strides[from]! * (layout.shape[from]! / sizes[from]!);
    strides.unshift(stride);
    for (let span = stride; wanted > 1;) {
      while (from >= 0 && sizes[from] === 1) from--;
      if (from < 0) return null;
      const here = layout.strides[from]! * (layout.shape[from]! / sizes[from]!);
      if (here !== span) return null;
      const taken = Math.min(wanted, sizes[from]!);
      if (sizes[from]! % taken !== 0 || wanted % taken !== 0) return null;
      sizes[from] = sizes[from]! / taken;
      wanted /= taken;
      span *= taken;
    }
  }
  return sizes.every((size) => size === 1) ? { shape, strides } : null;
}

function isRowMajor(layout: Layout): boolean {
  const plain = rowMajor(layout.shape);
  return layout.shape.every((size, axis) => size === 1 || layout.strides[axis] === plain.strides[axis]);
}

/**
 * A view that was made for the row-major tensor of `layout.shape`, expressed in the stored tensor.
 * @returns null when an axis of the view does not follow the layout's axes
 */
export function viewIn(layout: Layout, view: MatrixView): MatrixView | null {
  const plain = rowMajor(layout.shape);
  const rows = axesIn(layout, plain, view.rows), columns = axesIn(layout, plain, view.columns);
  if (rows === null || columns === null) return null;
  let rest = view.offset, offset = 0;
  plain.strides.forEach((stride, axis) => {
    const index = Math.floor(rest / stride);
    rest -= index * stride;
    offset += index * layout.strides[axis]!;
  });
  return { ...view, rows, columns, offset };
}

function axesIn(layout: Layout, plain: Layout, axes: readonly Axis[]): Axis[] | null {
  const out: Axis[] = [];
  for (const axis of axes) {
    const parts = axisIn(layout, plain, axis);
    if (parts === null) return null;
    out.push(...parts);
  }
  return out;
}

/** Splits one axis of a row-major tensor over the layout's axes, slowest first. */
function axisIn(layout: Layout, plain: Layout, axis: Axis): Axis[] | null {
  const parts: Axis[] = [];
  let size = axis.size, stride = axis.stride;
  for (let at = layout.shape.length - 1; at >= 0 && size > 1; at--) {
    const step = plain.strides[at]!, extent = layout.shape[at]!;
    if (extent === 1 || stride >= step * extent) continue;
    if (stride % step !== 0) return null;
    const within = extent / (stride / step);
    if (!Number.isInteger(within)) {
      // A part of one axis (a gate, a third of q, k, v) need not divide it.
      if (size * (stride / step) > extent) return null;
    }
    const taken = Math.min(size, Math.floor(within));
    if (size % taken !== 0) return null;
    parts.unshift({ size: taken, stride: layout.strides[at]! * (stride / step) });
    size /= taken;
    stride = step * extent;
  }
  if (size > 1) return null;
  return parts.length === 0 ? [{ size: 1, stride: 1 }] : parts;
}
