import type { Layout } from "../layout";
import { rowMajorStrides } from "../strided";
import { elementsOf } from "./tensorProto";

export function rowMajor(shape: readonly number[]): Layout {
  return { shape, strides: rowMajorStrides(shape) };
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
