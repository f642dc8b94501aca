import type { LayerRow } from "./report";

/** K: the largest rank that the matrix can have, its smaller side unless its factors are smaller. */
export function fullRank({ matrix, factorRank }: Pick<LayerRow, "matrix" | "factorRank">): number {
  return factorRank ?? Math.min(...matrix);
}
