import type { DifferenceRanks, TextRange } from "../../shared/configReading";
import type { Adapted } from "../adapted";
import type { TrainingConfig } from "../config";
import { proportionalPattern } from "./rankPatterns";
import { patternEdits, placeOf, rankEdits, takesPattern } from "./rewrites";

/** Where ranks from a measured difference can be written; null where nowhere. */
export function rankChoicePlace(config: TrainingConfig, { modules }: Adapted): TextRange | null {
  const { method, rank, rankPattern, alphaPattern } = config;
  const isFree = takesPattern(config) || (config.keys.rankPattern === undefined && rankPattern.entries.length + alphaPattern.entries.length === 0);
  return method === "lora" && rank.value !== null && modules.length > 0 && isFree ? placeOf(rank) : null;
}

/** What was measured of a difference, of the modules that the config adapts. */
export interface MeasuredDifferences {
  /** The file that was chosen. */
  readonly name: string;
  /** By a module's name, the smallest rank that keeps 90 % of the energy of its difference; at least one. */
  readonly energyRanks: ReadonlyMap<string, number>;
  /** The smallest that does so in 90 % of them. */
  readonly most: number;
}

/**
 * Ranks in proportion to the difference's, at the config's own number of trainable parameters; where an ecosystem has one rank
 * for all, the rank that keeps 90 % of the energy in 90 % of the layers (as PEFT's conversion of a difference to LoRA chooses
 * ranks). α follows, so that the scale stays.
 * @returns null where the file cannot be edited so, or holds no rank
 */
export function differenceRanks(config: TrainingConfig, { modules }: Adapted, { name, energyRanks, most }: MeasuredDifferences): DifferenceRanks | null {
  const rank = config.rank.value;
  if (rank === null) return null;
  const [least, largest] = [Math.min(...energyRanks.values()), Math.max(...energyRanks.values())];
  const count = `${energyRanks.size} of ${modules.length} modules`;
  const measured = `The difference of ${name} needs ${least === largest ? `a rank of ${least}` : `ranks of ${least} to ${largest}`} for 90 % of its energy in ${count}, ${most} in 90 % of them.`;
  if (!takesPattern(config)) {
    const edits = most === rank ? [] : rankEdits(config, Math.max(1, most));
    return edits === null ? null : { edits, message: `${measured} ${most === rank ? `The rank is ${rank} already.` : `The rank is now ${Math.max(1, most)}; it was ${rank}.`}` };
  }
  const pattern = proportionalPattern(modules, rank, energyRanks);
  if (pattern === null || Object.values(pattern).every((each) => each === rank)) return { edits: [], message: `${measured} One rank for all of them is right in proportion: nothing was changed.` };
  const edits = patternEdits(config, pattern);
  return edits === null ? null : { edits, message: `${measured} The ranks are now in that proportion, at no more trainable parameters than rank ${rank} for all.` };
}
