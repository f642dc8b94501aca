import type { Axis, MatrixView } from "./model";
import { rowMajorStrides } from "./strided";

/**
 * How the axes of a tensor lie in what is stored. Reshapes and transpositions move no weight: they only name the same
 * memory anew.
 */
export interface Layout {
  readonly shape: readonly number[];
  /** Stored elements between neighbours along each axis. */
  readonly strides: readonly number[];
}

/**
 * A view that was made for the row-major tensor of `layout.shape`, expressed in the stored tensor.
 * @returns null when an axis of the view does not follow the layout's axes
 */
export function viewIn(layout: Layout, view: MatrixView): MatrixView | null {
  const plain: Layout = { shape: layout.shape, strides: rowMajorStrides(layout.shape) };
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
