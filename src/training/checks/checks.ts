import type { ConfigFinding } from "../../shared/configReading";
import { adaptedBy, type AdaptedOutcome } from "../adapted";
import type { ModelModules } from "../base/modelModules";
import type { TrainingConfig } from "../config";
import { suppress } from "../fixes/suppress";
import type { Check, Subject } from "./check";
import { blockRanks, groupedConvolution, untouchedConvolutions } from "./convolutions";
import { expertDropout, fusedExperts } from "./experts";
import { initNeedsCall, unslothInit } from "./initialisation";
import { layersWithExpression } from "./layersWithExpression";
import { movedPrefix } from "./movedPrefix";
import { noTargetMatches } from "./noTargetMatches";
import { patternKeyShadowed, patternKeyUnmatched } from "./patternKeys";
import { layerWiseAccumulation, projectionNotLinear, projectionWithoutTargets } from "./projection";
import { doraQuantized, initNotConvertible, initQuantized } from "./quantized";
import { rankAboveDimensions } from "./rankAboveDimensions";
import { rankNotPositive } from "./rankNotPositive";
import { regexInList } from "./regexInList";
import { scaleOfPattern } from "./scaleOfPattern";
import { serving } from "./serving";
import { switchedOff } from "./switches";
import { targetUnmatched } from "./targetUnmatched";
import { tiedEmbeddings } from "./tiedEmbeddings";
import { unslothEmbeddings } from "./unslothEmbeddings";

/** Every check. A new one is a file beside these and a line here. */
export const CHECKS: readonly Check[] = [
  noTargetMatches, targetUnmatched, regexInList, movedPrefix, patternKeyUnmatched, patternKeyShadowed, rankAboveDimensions, rankNotPositive, scaleOfPattern, serving,
  tiedEmbeddings, unslothEmbeddings, doraQuantized, initQuantized, initNotConvertible, fusedExperts, expertDropout, groupedConvolution, untouchedConvolutions,
  layersWithExpression, projectionWithoutTargets, projectionNotLinear, layerWiseAccumulation, blockRanks, initNeedsCall, unslothInit,
];

/**
 * What is wrong with a config, in the order of the text. Of a text that does not parse nothing is said.
 * @param model the base model's modules; null where it is not known, and checks say what the file alone shows
 * @param outcome which modules the config adapts, where the caller knows it already
 */
export function findingsOf(config: TrainingConfig, model: ModelModules | null, outcome: AdaptedOutcome | null = model === null ? null : adaptedBy(config, model)): ConfigFinding[] {
  if (!config.document.whole || config.section.completeness === "broken") return [];
  const subject: Subject = { config, model, outcome };
  const isOff = switchedOff(config.document);
  return CHECKS
    .flatMap(({ code, link, find }) => find(subject).map((found) => ({ code, link, ...found })))
    .filter(({ code, range }) => !isOff(code, range.start))
    .map((found) => ({ ...found, fixes: [...found.fixes, ...suppress(config.document, found.code, found.range.start)] }))
    .toSorted((a, b) => a.range.start - b.range.start);
}
