import { axis, inputOf, linearView, MOST_PARTS, view, type Layout, type Made } from "./made";

/** Outputs that a fused matrix holds for one of its parts. */
export interface FusedPart {
  readonly part: string;
  readonly size: number;
}

/**
 * The whole matrix, then each part of its output side; the whole alone when no parts are known.
 * @returns null when the parts do not add up to that side
 */
export function fusedViews(shape: readonly number[], layout: Layout, fused: readonly FusedPart[]): Made | null {
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined || shape.length !== 2) return null;
  if (fused.length === 0) return linearView(shape, layout);
  const side = layout === "out_in" ? rows : columns;
  if (fused.some(({ size }) => !Number.isInteger(size) || size < 1) || fused.reduce((sum, { size }) => sum + size, 0) !== side) return null;
  let start = 0;
  const parts = fused.map(({ part, size }) => {
    const first = start;
    start += size;
    const input = inputOf(layout);
    return layout === "out_in"
      ? view([axis(size, columns)], [axis(columns, 1)], { part, input, offset: first * columns })
      : view([axis(rows, columns)], [axis(size, 1)], { part, input, offset: first });
  });
  return { views: [...linearView(shape, layout).views, ...parts], notes: [] };
}

/**
 * One matrix for each of a stack (count, a, b).
 * @returns null when it is no such stack
 */
export function stackedViews(shape: readonly number[], layout: Layout | null): Made | null {
  const [count, rows, columns] = shape;
  if (count === undefined || rows === undefined || columns === undefined || shape.length !== 3 || count > MOST_PARTS) return null;
  const views = Array.from({ length: count }, (_, index) =>
    view([axis(rows, columns)], [axis(columns, 1)], { part: `expert:${index}`, input: inputOf(layout), offset: index * rows * columns }));
  return { views, notes: [`a stack of ${count} matrices`] };
}
