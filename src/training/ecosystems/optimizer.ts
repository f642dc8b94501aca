import type { OptimizerSettings, ProjectedOptimizer, Setting } from "../config";
import { entryOf, textOf, type ConfigDocument, type Located, type LocatedMapping } from "../documents/located";
import { ABSENT, booleanSetting, byDefault, firstOf, isOn, numberOf, numberSetting, stringSetting } from "./settings";
import { targetsOf, type TargetRules } from "./targets";

/**
 * transformers matches these targets as parts of a name, and as expressions (trainer_utils,
 * `check_target_module_exists`); "all-linear" is written with a dash or an underscore.
 */
export const OPTIMIZER_TARGETS: TargetRules = { form: "substrings", all: /^all[-_]linear$/i };

/** The optimizer of `TrainingArguments`, by the names that it has there. @param names other names of the optimizer's key */
export function transformersOptimizer(document: ConfigDocument, section: LocatedMapping, names: readonly string[] = ["optim"]): OptimizerSettings {
  const name = firstOf(names, section, stringSetting);
  return {
    name,
    projected: projectedBy(document, section, name),
    learningRate: numberSetting(section, "learning_rate"),
    loraPlusRatio: numberSetting(section, "loraplus_lr_ratio"),
    gradientAccumulation: numberSetting(section, "gradient_accumulation_steps", 1),
  };
}

const FAMILIES: readonly (readonly [RegExp, ProjectedOptimizer["family"]])[] = [[/^q_?galore/, "q-galore"], [/^galore/, "galore"], [/^apollo/, "apollo"]];
/** transformers' own default where `optim_args` gives none. */
const TRANSFORMERS_RANK = 128;

function projectedBy(document: ConfigDocument, section: LocatedMapping, name: Setting<string>): ProjectedOptimizer | null {
  const family = FAMILIES.find(([pattern]) => pattern.test(name.value ?? ""))?.[1];
  if (family === undefined) return null;
  return {
    family, section,
    keys: { targets: "optim_target_modules" },
    rank: family === "q-galore" ? numberSetting(section, "qgalore_rank") : rankInArguments(document, section),
    targets: targetsOf(document, section, "optim_target_modules", OPTIMIZER_TARGETS),
    layerWise: { ...name, value: /layerwise/.test(name.value ?? "") },
  };
}

/** `optim_args` is "rank=64, update_proj_gap=100" or a mapping. */
function rankInArguments(document: ConfigDocument, section: LocatedMapping): Setting<number> {
  const entry = entryOf(section, "optim_args");
  if (entry === null) return section.completeness === "whole" ? byDefault(TRANSFORMERS_RANK) : { value: null, node: section, entry: null };
  const node = entry.value;
  if (node.kind === "mapping") return numberSetting(node, "rank", TRANSFORMERS_RANK);
  if (node.kind !== "scalar" || typeof node.value !== "string") return { value: null, node, entry };
  return partOfText(document, node, "rank") ?? byDefault(TRANSFORMERS_RANK);
}

/** The number after `key=` in a text, with its own place. */
export function partOfText(document: ConfigDocument, node: Located, key: string): Setting<number> | null {
  const match = new RegExp(`(?:^|[\\s,"'])${key}\\s*=\\s*([-+.\\w]+)`).exec(textOf(document.text, node.range));
  if (match?.[1] === undefined) return null;
  const start = node.range.start + match.index + match[0].length - match[1].length;
  const value = Number(match[1]);
  const range = { start, end: start + match[1].length };
  return { value: Number.isFinite(value) ? value : null, node: Number.isFinite(value) ? { kind: "scalar", value, range } : { kind: "unresolved", range, why: "expression" }, entry: null };
}

export interface SwitchedKeys {
  readonly family: ProjectedOptimizer["family"];
  readonly on: string;
  readonly rank: string;
  readonly defaultRank: number;
  readonly targets: string;
  /** Left out where there is no such form of it. */
  readonly layerWise?: string;
}

/** A projected optimizer that a switch turns on: `use_galore: true`. @returns null while no switch is on */
export function switchedOptimizer(document: ConfigDocument, section: LocatedMapping, switches: readonly SwitchedKeys[], rules: TargetRules): ProjectedOptimizer | null {
  const keys = switches.find(({ on }) => isOn(section, on));
  if (keys === undefined) return null;
  return {
    family: keys.family, section, keys: { rank: keys.rank, targets: keys.targets },
    rank: numberSetting(section, keys.rank, keys.defaultRank),
    targets: targetsOf(document, section, keys.targets, rules),
    layerWise: keys.layerWise === undefined ? byDefault(false) : booleanSetting(section, keys.layerWise),
  };
}

/** Of a list of optimizers' arguments, or of networks', such as `["weight_decay=0.1", "conv_dim=8"]`: each with its place. */
export function argumentSettings(document: ConfigDocument, section: LocatedMapping, key: string): (name: string) => Setting<string> {
  const node = entryOf(section, key)?.value;
  const items = node?.kind === "sequence" ? node.items : node === undefined ? [] : [node];
  const open = items.some((item) => item.kind !== "scalar");
  return (name) => {
    for (const item of items) {
      if (item.kind !== "scalar" || typeof item.value !== "string" || !item.value.startsWith(`${name}=`)) continue;
      const value = item.value.slice(name.length + 1);
      const inner = textOf(document.text, item.range).indexOf(value, 1 + name.length);
      const start = item.range.start + Math.max(0, inner);
      const range = inner < 0 ? item.range : { start, end: start + value.length };
      return { value, node: { kind: "scalar", value, range }, entry: null };
    }
    return open && node !== undefined ? { value: null, node, entry: null } : ABSENT;
  };
}

export function asNumber(of: Setting<string>, fallback: number | null = null): Setting<number> {
  if (of.node === null) return byDefault(fallback);
  return { ...of, value: numberOf(of.node) };
}

export function asNumbers(of: Setting<string>): Setting<readonly number[]> {
  if (of.value === null) return { ...of, value: null };
  const values = of.value.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  return { ...of, value: values.every(Number.isFinite) ? values : null };
}
