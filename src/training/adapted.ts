import type { BaseModule, BaseParameter, ModelModules } from "./base/modelModules";
import type { PatternEntry, Targets, TrainingConfig } from "./config";
import { compileRanks, type CompiledRanks, type ModuleRank } from "./matching/ranks";
import { NO_SELECTION, type RankRules, type Selection } from "./matching/selection";
import { ALL_LINEAR, matchTargets, type Matched, type UndecidedPattern } from "./matching/targets";

/** A module that gets an adapter, and the adapter's rank. */
export interface AdaptedModule extends ModuleRank {
  readonly module: BaseModule;
}

/** What a config makes of a base model. */
export interface Adapted {
  readonly modules: readonly AdaptedModule[];
  readonly expertParameters: readonly BaseParameter[];
  readonly matched: Matched;
  readonly ranks: CompiledRanks;
}

export type AdaptedOutcome =
  | { readonly known: true; readonly adapted: Adapted }
  /** `undecided` is empty where the config leaves its targets to the library or to a run. */
  | { readonly known: false; readonly undecided: readonly UndecidedPattern[] };

/** Kinds of modules that the factors of an adapter fit. */
const ADAPTABLE: ReadonlySet<BaseModule["kind"]> = new Set(["linear", "embedding", "conv", "conv_transpose"]);

/** Which modules a config adapts, and by which rank each. */
export function adaptedBy(config: TrainingConfig, model: ModelModules): AdaptedOutcome {
  const selection = selectionOf(config);
  const rules = rankRulesOf(config);
  if (selection === null || rules === null) return { known: false, undecided: [] };
  const outcome = matchTargets(model, selection);
  if (!outcome.decided) return { known: false, undecided: outcome.undecided };
  const { matched } = outcome;
  const ranks = compileRanks(rules);
  const inLayers = lastLayers(config, model);
  const modules = matched.modules.filter((module) => ADAPTABLE.has(module.kind) && inLayers(module.name)).map((module) => ({ module, ...ranks.of(module.name) }));
  return { known: true, adapted: { modules, expertParameters: matched.expertParameters, matched, ranks } };
}

/** A config's targets in PEFT's words; null where only the library or a run tells them. */
export function selectionOf(config: TrainingConfig): Selection | null {
  const targetModules = targetModulesOf(config.targets);
  const saved = config.modulesToSave === null ? [] : namesOf(config.modulesToSave);
  const excluded = config.exclude === null ? null : targetModulesOf(config.exclude);
  if (targetModules === null || saved === null || (config.exclude !== null && excluded === null)) return null;
  if (isOpen(config.layersToTransform) || isOpen(config.layersPattern) || isOpen(config.targetParameters) || isOpen(config.lastLayers)) return null;
  return {
    ...NO_SELECTION,
    targetModules,
    excludeModules: excluded,
    targetParameters: config.targetParameters.value ?? [],
    layersToTransform: config.layersToTransform.value,
    layersPattern: config.layersPattern.value,
    modulesToSave: saved,
  };
}

/** A config's ranks in PEFT's words; null where the rank is not known. A scale that is no α counts as α = scale · r. */
export function rankRulesOf(config: TrainingConfig): RankRules | null {
  const rank = config.rank.value;
  if (rank === null || !Number.isFinite(rank) || rank <= 0 || !config.rankPattern.complete || !config.alphaPattern.complete) return null;
  const rankPattern = known(config.rankPattern.entries), alphaPattern = known(config.alphaPattern.entries);
  if (rankPattern === null || alphaPattern === null) return null;
  const written = config.alpha.value ?? rank;
  return { rank, alpha: config.scaling === "multiplier" ? written * rank : written, rankPattern, alphaPattern, rankStabilized: config.scaling === "alpha/sqrt(r)" };
}

/** Written, but only a run tells what. */
function isOpen({ value, node }: { readonly value: unknown; readonly node: unknown }): boolean {
  return value === null && node !== null;
}

function known(entries: readonly PatternEntry[]): [string, number][] | null {
  return entries.every(({ value }) => value !== null) ? entries.map(({ key, value }) => [key, value ?? 0]) : null;
}

function namesOf(targets: Targets): readonly string[] | null {
  return "items" in targets && targets.complete ? targets.items.map(({ text }) => text) : targets.form === "default" ? [] : null;
}

function targetModulesOf(targets: Targets): string | readonly string[] | null {
  switch (targets.form) {
    case "all-linear": return ALL_LINEAR;
    case "regex": return targets.item.text;
    case "classes": case "default": case "unknown": return null;
    case "list": case "components": return namesOf(targets);
    case "wildcards": return anyOf(targets.complete ? targets.items.map(({ text }) => (text.includes("*") ? text.split("*").map(escaped).join(".*") : `(?:.*\\.)?${escaped(text)}`)) : null);
    case "in-layer": return anyOf(targets.complete ? targets.items.map(({ text }) => `(?:.*\\.\\d+\\.)?${escaped(text)}`) : null);
    default: return anyOf(targets.complete ? targets.items.map(({ text }) => `.*${escaped(text)}.*`) : null);
  }
}

function anyOf(patterns: readonly string[] | null): string | null {
  return patterns === null ? null : patterns.map((pattern) => `(?:${pattern})`).join("|");
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** The index of the layer that a module stands in: the first number of its path. */
const LAYER = /(?:^|\.)(\d+)(?:\.|$)/;

function lastLayers({ lastLayers: { value: count } }: TrainingConfig, { layerCount }: ModelModules): (name: string) => boolean {
  if (count === null || layerCount === null || count < 0) return () => true;
  return (name) => {
    const layer = LAYER.exec(name)?.[1];
    return layer !== undefined && Number(layer) >= layerCount - count;
  };
}
