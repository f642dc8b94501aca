import { Fault } from "../shared/fault";
import { energyRank } from "../rank/energyRank";
import { entropyRanks } from "../rank/entropyRanks";
import { evbmfRank } from "../rank/evbmf";
import { hardThresholdRank } from "../rank/hardThreshold";
import { relativeSpectrum } from "../rank/relativeSpectrum";
import { roundingNoise } from "../rank/roundingNoise";

/** How a layer's rank follows from its own spectrum. Sources: `src/rank`. */
export type RankRule =
  /** The smallest rank that keeps this share of Σσ² (TRP). */
  | { readonly kind: "energy"; readonly share: number }
  | { readonly kind: "stable" | "scaled-stable" | "effective" | "evbmf" | "hard-threshold" }
  /** As many weights as this share of the layer's. */
  | { readonly kind: "ratio"; readonly share: number }
  | { readonly kind: "fixed"; readonly rank: number };

/** Rules without a figure. */
export const NAMED_RULES = ["stable", "scaled-stable", "effective", "evbmf", "hard-threshold"] as const;

/** @throws Fault usage */
export function parseRankRule(text: string): RankRule {
  const named = NAMED_RULES.find((kind) => kind === text);
  if (named !== undefined) return { kind: named };
  const [, kind, figure] = /^(energy|ratio|fixed):([0-9.]+)$/.exec(text) ?? [];
  const value = Number(figure);
  if ((kind === "energy" || kind === "ratio") && value > 0 && value < 1) return { kind, share: value };
  if (kind === "fixed" && Number.isSafeInteger(value) && value >= 1) return { kind, rank: value };
  throw new Fault("usage", `"${text}" is no rule for ranks.`, `Rules are energy:0.9, ${NAMED_RULES.join(", ")}, ratio:0.5, fixed:16, or a plan's file (.json).`);
}

export function ruleText(rule: RankRule): string {
  switch (rule.kind) {
    case "energy": return `the smallest rank that keeps ${rule.share} of the energy`;
    case "stable": return "the stable rank, rounded up";
    case "scaled-stable": return "the stable rank in proportion to that of a random matrix, rounded up";
    case "effective": return "the effective rank, rounded up";
    case "evbmf": return "the rank that stands out from noise by EVBMF";
    case "hard-threshold": return "the rank above Gavish and Donoho's threshold";
    case "ratio": return `the largest rank within ${rule.share} of the weights`;
    case "fixed": return `rank ${rule.rank}`;
  }
}

/**
 * The rank that a rule of the spectrum gives a matrix; null for `ratio`, which goes by weights, and where a threshold
 * cannot be placed.
 * @param values all singular values, largest first
 */
export function rankOf(rule: RankRule, values: Float64Array, rows: number, columns: number, epsilon: number): number | null {
  const s = relativeSpectrum(values);
  const noise = roundingNoise(s, rows, columns, epsilon);
  switch (rule.kind) {
    case "energy": return energyRank(s, rule.share).count;
    case "stable": return Math.ceil(entropyRanks(s).stableRank);
    case "scaled-stable": return Math.ceil(randomScale(rows, columns) * entropyRanks(s).stableRank);
    case "effective": return Math.ceil(entropyRanks(s).effectiveRank);
    case "evbmf": return evbmfRank(s, rows, columns, noise).count;
    case "hard-threshold": return hardThresholdRank(s, rows, columns, noise)?.count ?? null;
    case "fixed": return rule.rank;
    case "ratio": return null;
  }
}

/**
 * Cuttlefish (Wang et al., 2023) scales the stable rank by what makes it the full rank for the layer's first, random
 * weights. Those are not in the file, but of a Gaussian m × n matrix the stable rank tends to mn / (√m + √n)², so that the
 * scale is (1 + √(shorter/longer))².
 */
function randomScale(rows: number, columns: number): number {
  return (1 + Math.sqrt(Math.min(rows, columns) / Math.max(rows, columns))) ** 2;
}
