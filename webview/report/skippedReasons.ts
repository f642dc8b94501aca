import type { SkippedTensor } from "../../src/shared/report";

export interface ReasonCount {
  readonly reason: string;
  readonly items: readonly SkippedTensor[];
}

/** Tensors by reason, the most frequent reason first, each in the order of the model. */
export function byReason(skipped: readonly SkippedTensor[]): readonly ReasonCount[] {
  const reasons = new Map<string, SkippedTensor[]>();
  for (const tensor of skipped) {
    const items = reasons.get(tensor.reason);
    if (items === undefined) reasons.set(tensor.reason, [tensor]);
    else items.push(tensor);
  }
  return [...reasons].map(([reason, items]) => ({ reason, items })).sort((a, b) => b.items.length - a.items.length);
}
