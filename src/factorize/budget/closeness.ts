import type { Allocation } from "./choices";

/** How far the total error of an allocation is from the least that its budget allows; empty where its aim is another. */
export function closenessWords(id: string, { error, bound }: Allocation): string {
  if (id !== "least-total" && id !== "equal-ratio") return "";
  if (error <= bound) return "the least total error that the budget allows";
  if (bound === 0) return "";
  const above = error / bound - 1;
  return `a total error at most ${above < 1 ? `${Number((100 * above).toPrecision(2))} % above` : `${(error / bound).toFixed(1)} times`} the least that the budget allows`;
}
