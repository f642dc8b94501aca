import type { RowSource } from "../linalg/rowSource";
import { frobeniusNorm } from "./norms";

/** A source that sums up the squares of its rows while they are read in order for the first time, for the norm after that. */
export function withNorm(source: RowSource): { readonly rows: RowSource; readonly norm: () => number } {
  let [norm, next] = [0, 0];
  const read: RowSource["read"] = async (first, count) => {
    const block = await source.read(first, count);
    if (first === next) {
      norm = Math.hypot(norm, frobeniusNorm(block));
      next += count;
    }
    return block;
  };
  return { rows: { ...source, read }, norm: () => norm };
}
