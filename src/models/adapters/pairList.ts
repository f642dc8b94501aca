import type { Tensor } from "../model";

/** Fewer pairs of one rank may be something else. */
const FEWEST_PAIRS = 4;

/** A pair of a list, and the tensors that are B and A of it. */
export interface ListedPair {
  readonly module: string;
  readonly up: Tensor;
  readonly down: Tensor;
}

/**
 * The oldest LoRA files (cloneofsimo's) are a list without names: B and A of each module in turn, all of one rank. A list
 * of an ordinary network's weights is none: its ranks differ, or are no less than half of a side.
 * @param tensors all of a model, by "0", "1", …
 * @returns empty when it is no such list
 */
export function pairsOfList(tensors: readonly Tensor[]): ListedPair[] {
  if (tensors.length < 2 * FEWEST_PAIRS || tensors.length % 2 !== 0) return [];
  const byNumber = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const rank = byNumber.get("0")?.shape[1] ?? 0;
  const pairs: ListedPair[] = [];
  for (let i = 0; i < tensors.length; i += 2) {
    const up = byNumber.get(String(i)), down = byNumber.get(String(i + 1));
    if (up?.shape.length !== 2 || down?.shape.length !== 2 || up.shape[1] !== rank || down.shape[0] !== rank) return [];
    if (2 * rank > Math.min(up.shape[0]!, down.shape[1]!)) return [];
    pairs.push({ module: `pair:${i / 2}`, up, down });
  }
  return pairs;
}
