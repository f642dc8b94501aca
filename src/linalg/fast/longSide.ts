/** When a matrix is so long that its short side is taken by itself first, and limits that estimates of memory share with `FastSolver`. */

/** From this aspect on, a factor of the short side comes first, and what is tall is gone through block by block. */
export const SHORT_SIDE_ASPECT = 1.6;

/** A work storage of up to so many values stays from matrix to matrix; a longer one of a long matrix is not made at all. */
export const KEPT_VALUES = 48 * 2 ** 20;

export function isLong({ rows, columns }: { readonly rows: number; readonly columns: number }): boolean {
  return Math.max(rows, columns) > SHORT_SIDE_ASPECT * Math.min(rows, columns);
}
