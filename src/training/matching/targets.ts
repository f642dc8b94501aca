import type { BaseModule, BaseParameter, ModelModules } from "../base/modelModules";
import { PythonPattern } from "./python/pattern";
import { PatternFault } from "./python/syntax";
import type { Selection } from "./selection";

/** An expression of a config that Python refuses or RankLens does not decide. */
export interface UndecidedPattern {
  readonly key: "target_modules" | "exclude_modules" | "modules_to_save" | "layers_pattern" | "rank_pattern" | "alpha_pattern";
  readonly source: string;
  readonly fault: PatternFault;
}

/** What a selection matches in a model. */
export interface Matched {
  /** Modules that get an adapter, as far as their kind allows one, in the order of the model. */
  readonly modules: readonly BaseModule[];
  /** Paths that match and hold modules: PEFT refuses to put an adapter there. */
  readonly containers: readonly string[];
  /** Stacked experts that `target_parameters` names. */
  readonly expertParameters: readonly BaseParameter[];
  /** Modules that `modules_to_save` trains whole. */
  readonly saved: readonly BaseModule[];
  /** How many modules `exclude_modules` and `modules_to_save` took out of those that the targets match. */
  readonly excluded: number;
  /** For each entry of a list of targets, how many modules and paths it matches, whatever is taken out again. */
  readonly byTarget: ReadonlyMap<string, number>;
  readonly byParameter: ReadonlyMap<string, number>;
}

export type MatchOutcome =
  | { readonly decided: true; readonly matched: Matched }
  | { readonly decided: false; readonly undecided: readonly UndecidedPattern[] };

/** PEFT's shorthand (utils/constants.py, INCLUDE_LINEAR_LAYERS_SHORTHAND). */
export const ALL_LINEAR = "all-linear";
/** What models of transformers call the output embeddings that "all-linear" leaves out (`get_output_embeddings`). */
const OUTPUT_EMBEDDING = /^(?:lm_head|embed_out|output_projection|cls\.predictions\.decoder|lm_head\.decoder|(?:transformer\.)?output_layer|(?:model\.)?decoder\.output_projection|language_model\.lm_head|thinker\.lm_head)$/;
/** Heads of models without output embeddings (utils/constants.py, SEQ_CLS_HEAD_NAMES). */
const CLASSIFIER_HEADS: readonly string[] = ["score", "classifier"];

/**
 * Which modules a selection matches, by the rules of PEFT (tuners/tuners_utils.py, `check_target_module_exists` and
 * `_maybe_include_all_linear_layers`, utils/other.py, `match_target_against_key`; as of August 2026).
 */
export function matchTargets(model: ModelModules, selection: Selection): MatchOutcome {
  const rules = rulesOf(model, selection);
  if (rules.undecided.length > 0) return { decided: false, undecided: rules.undecided };
  const undecided: UndecidedPattern[] = [];
  let excluded = 0;
  const selects = (name: string): boolean => {
    // A target that is all of a name counts whatever the layer.
    const found = rules.targets(name) && (rules.isExact(name) || inLayers(name, rules.layers, undecided));
    if (found && (rules.excludes(name) || rules.saves(name))) excluded++;
    return found && !rules.excludes(name) && !rules.saves(name);
  };
  const modules = model.modules.filter(({ name }) => selects(name));
  const containers = model.containers.filter(selects);
  if (undecided.length > 0) return { decided: false, undecided: undecided.slice(0, 1) };
  const all = [...model.modules.map(({ name }) => name), ...model.containers];
  return {
    decided: true,
    matched: {
      modules, containers, excluded,
      expertParameters: model.expertParameters.filter(({ name }) => selection.targetParameters.some((target) => endsAs(name, target))),
      saved: model.modules.filter(({ name }) => rules.saves(name)),
      byTarget: new Map(listOf(selection.targetModules).map((target) => [target, all.filter((name) => endsAs(name, target)).length])),
      byParameter: new Map(selection.targetParameters.map((target) => [target, model.expertParameters.filter(({ name }) => endsAs(name, target)).length])),
    },
  };
}

/** The exact name, or a name that ends in it after a dot. */
export function endsAs(name: string, target: string): boolean {
  return name === target || name.endsWith(`.${target}`);
}

interface Rules {
  readonly undecided: readonly UndecidedPattern[];
  targets(name: string): boolean;
  isExact(name: string): boolean;
  excludes(name: string): boolean;
  saves(name: string): boolean;
  readonly layers: LayerRule | null;
}

function rulesOf(model: ModelModules, { targetModules, excludeModules, modulesToSave, layersToTransform, layersPattern }: Selection): Rules {
  const undecided: UndecidedPattern[] = [];
  const compiled = (key: UndecidedPattern["key"], source: string, whole = source): PythonPattern | null => {
    const pattern = PythonPattern.of(whole);
    if (pattern instanceof PythonPattern) return pattern;
    undecided.push({ key, source, fault: pattern });
    return null;
  };
  const named = (key: "target_modules" | "exclude_modules", value: string | readonly string[] | null): ((name: string) => boolean) => {
    if (value === null || value.length === 0) return () => false;
    if (typeof value === "string") {
      const pattern = compiled(key, value);
      return (name) => pattern?.matchesAll(name) ?? false;
    }
    const list = new Set(value);
    return (name) => endings(name).some((ending) => list.has(ending));
  };
  const saves = modulesToSave.map((source) => compiled("modules_to_save", source, `(^|.*\\.)${source}($|\\..*)`));
  const isAll = typeof targetModules === "string" && targetModules.toLowerCase() === ALL_LINEAR;
  const linear = isAll ? new Set(allLinear(model).map(({ name }) => name)) : null;
  const exact = new Set(listOf(targetModules));
  return {
    undecided,
    targets: linear === null ? named("target_modules", targetModules) : (name) => endings(name).some((ending) => linear.has(ending)),
    isExact: (name) => linear?.has(name) ?? exact.has(name),
    excludes: named("exclude_modules", excludeModules),
    saves: (name) => saves.some((pattern) => pattern?.matchesStart(name) ?? false),
    layers: typeof targetModules === "string" && !isAll ? null : layerRule(layersToTransform, layersPattern, compiled),
  };
}

/** A name and each of its ends after a dot. */
function endings(name: string): string[] {
  const all = [name];
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) all.push(name.slice(dot + 1));
  return all;
}

/** All linear layers but the output embedding, or the classifier where there is none. */
function allLinear({ modules }: ModelModules): BaseModule[] {
  const linear = modules.filter(({ kind }) => kind === "linear");
  const inner = linear.filter(({ name }) => !OUTPUT_EMBEDDING.test(name));
  if (inner.length < linear.length) return inner;
  const head = CLASSIFIER_HEADS.find((name) => linear.some((module) => module.name === name));
  return inner.filter(({ name }) => name !== head);
}

interface LayerRule {
  readonly indices: ReadonlySet<number>;
  readonly patterns: readonly { readonly source: string; readonly pattern: PythonPattern }[];
}

/** The group of an expression that holds the index of a layer, in PEFT's own one and in those made of `layers_pattern`. */
const INDEX_GROUP = 1;
const ANY_LAYER = String.raw`.*?\.[^.]*\.(\d+)\.`;

function layerRule(indices: Selection["layersToTransform"], patterns: Selection["layersPattern"], compiled: (key: "layers_pattern", source: string, whole: string) => PythonPattern | null): LayerRule | null {
  if (indices === null || (typeof indices !== "number" && indices.length === 0)) return null;
  const sources = patterns === null || patterns.length === 0 ? [null] : typeof patterns === "string" ? [patterns] : patterns;
  return {
    indices: new Set(typeof indices === "number" ? [indices] : indices),
    patterns: sources.flatMap((source) => {
      const pattern = compiled("layers_pattern", source ?? "", source === null ? ANY_LAYER : String.raw`.*?\.${source}\.(\d+)\.`);
      return pattern === null ? [] : [{ source: source ?? "", pattern }];
    }),
  };
}

function inLayers(name: string, rule: LayerRule | null, undecided: UndecidedPattern[]): boolean {
  if (rule === null) return true;
  for (const { source, pattern } of rule.patterns) {
    const index = pattern.group(INDEX_GROUP, name);
    if (index === null) continue;
    // Groups of the person's own come first then, and PEFT takes theirs for the index.
    if (index === undefined || !/^\d+$/.test(index)) {
      undecided.push({ key: "layers_pattern", source, fault: new PatternFault("invalid", "a group that does not hold the number of a layer", 0) });
      return false;
    }
    return rule.indices.has(Number(index));
  }
  return false;
}

function listOf(targets: Selection["targetModules"]): readonly string[] {
  return targets === null || typeof targets === "string" ? [] : targets;
}
