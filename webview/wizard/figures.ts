import { percentText } from "../../src/shared/figures";
import { LATENCY, MULTIPLY_ADDS, type Proposal, type ProposedLayer } from "../../src/shared/planning";

/** A relative error with two digits that matter. */
export function errorText(error: number): string {
  return error === 0 ? "0" : error < 0.001 ? error.toExponential(1) : String(Number(error.toPrecision(2)));
}

export function ranksText(ranks: readonly number[]): string {
  return ranks.join(" × ");
}

/** "12 × 7", "12,7" and "12 7" are ranks; null for what is none, or not as many as the layer's scheme has. */
export function parseRanks(text: string, count: number): number[] | null {
  const ranks = text.trim().split(/[\s,×x]+/).map(Number);
  return ranks.length === count && ranks.every((rank) => Number.isSafeInteger(rank) && rank >= 1) ? ranks : null;
}

/** Share of its weights that a layer's factors save. */
export function savingText({ parametersBefore, parametersAfter }: Pick<ProposedLayer, "parametersBefore" | "parametersAfter">): string {
  return percentText(1 - parametersAfter / parametersBefore);
}

/** One decimal: budgets are tuned finer than whole percents. */
export function shareText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

export const groupedText = (count: number): string => count.toLocaleString();

/** The last part of a path of any system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) || path;
}

export function folderName(path: string): string {
  return path.split(/[\\/]/).at(-2) ?? "";
}

/** Of the proposed model, in a budget's unit; null where it is not known. */
export function takenOf({ after, multiplyAdds, latency }: Proposal, unit: string): number | null {
  if (unit === MULTIPLY_ADDS) return multiplyAdds?.after ?? null;
  if (unit === LATENCY) return latency?.after ?? null;
  return unit === "bytes" ? after.bytes : after.parameters;
}
