import type { SettingKeys, TrainingConfig } from "../config";
import { entryOf, type ConfigDocument, type Located, type LocatedMapping } from "../documents/located";
import { ABSENT, booleanSetting, byDefault, firstOf, numberSetting, numbersSetting, setting, stringsSetting } from "./settings";
import { patternOf, targetsOf, type TargetRules } from "./targets";

/** PEFT's names, as its config classes have them (src/peft/tuners/lora/config.py). */
export const PEFT_KEYS: SettingKeys = {
  rank: "r", alpha: "lora_alpha", dropout: "lora_dropout", targets: "target_modules", exclude: "exclude_modules",
  rankPattern: "rank_pattern", alphaPattern: "alpha_pattern", init: "init_lora_weights", useRslora: "use_rslora", useDora: "use_dora",
  targetParameters: "target_parameters", modulesToSave: "modules_to_save", layersToTransform: "layers_to_transform",
};

export interface PeftDefaults {
  readonly rank: number | null;
  /** Null: none; "2r": twice the rank. */
  readonly alpha: number | "2r" | null;
  readonly dropout: number;
}

/**
 * Reads PEFT's settings by the names that an ecosystem gives them.
 * @param keys those that it has; others are absent
 */
export function peftSettings(document: ConfigDocument, section: LocatedMapping, keys: SettingKeys, defaults: PeftDefaults, rules: TargetRules = {}): Partial<TrainingConfig> {
  const number = (key: string | undefined, fallback: number | null) => (key === undefined ? byDefault(fallback) : numberSetting(section, key, fallback));
  const boolean = (key: string | undefined) => (key === undefined ? byDefault(false) : booleanSetting(section, key));
  const rank = number(keys.rank, defaults.rank);
  return {
    rank,
    alpha: number(keys.alpha, defaults.alpha === "2r" ? (rank.value === null ? null : 2 * rank.value) : defaults.alpha),
    dropout: number(keys.dropout, defaults.dropout),
    targets: keys.targets === undefined ? { form: "default", node: null, entry: null } : targetsOf(document, section, keys.targets, rules),
    ...(keys.exclude !== undefined && entryOf(section, keys.exclude) !== null ? { exclude: targetsOf(document, section, keys.exclude, rules) } : {}),
    ...(keys.rankPattern === undefined ? {} : { rankPattern: patternOf(section, keys.rankPattern) }),
    ...(keys.alphaPattern === undefined ? {} : { alphaPattern: patternOf(section, keys.alphaPattern) }),
    ...(keys.layersToTransform === undefined ? {} : { layersToTransform: numbersSetting(section, keys.layersToTransform) }),
    ...(keys.targetParameters === undefined ? {} : { targetParameters: stringsSetting(section, keys.targetParameters) }),
    ...(keys.modulesToSave !== undefined && entryOf(section, keys.modulesToSave) !== null ? { modulesToSave: targetsOf(document, section, keys.modulesToSave, { text: "commas", all: /^(?!)/ }) } : {}),
    init: keys.init === undefined ? byDefault("default") : setting(section, keys.init, initOf, "default"),
    useRslora: boolean(keys.useRslora), useDora: boolean(keys.useDora),
    layersPattern: firstOf(["layers_pattern", "peft_layers_pattern"], section, stringsSetting),
  };
}

/** PEFT takes True for its own start and False for a random one, else a name. */
export function initOf(value: Located): string | null {
  if (value.kind !== "scalar") return null;
  if (typeof value.value === "boolean") return value.value ? "default" : "false";
  return typeof value.value === "string" ? value.value.toLowerCase() : null;
}

/** PEFT's other methods whose `r` is the rank of two factors, and their keys and defaults; a method left out has no such rank. */
const RANKED: Readonly<Record<string, { readonly keys: SettingKeys; readonly defaults: PeftDefaults }>> = {
  lora: { keys: PEFT_KEYS, defaults: { rank: 8, alpha: 8, dropout: 0 } },
  loha: { keys: { ...PEFT_KEYS, alpha: "alpha", dropout: "rank_dropout" }, defaults: { rank: 8, alpha: 8, dropout: 0 } },
  lokr: { keys: { ...PEFT_KEYS, alpha: "alpha", dropout: "rank_dropout" }, defaults: { rank: 8, alpha: 8, dropout: 0 } },
  adalora: { keys: { ...PEFT_KEYS, rank: "init_r" }, defaults: { rank: 12, alpha: 8, dropout: 0 } },
  vera: { keys: { targets: "target_modules", rank: "r", dropout: "vera_dropout", modulesToSave: "modules_to_save", layersToTransform: "layers_to_transform" }, defaults: { rank: 256, alpha: null, dropout: 0 } },
};
const TARGETED: SettingKeys = { targets: "target_modules", exclude: "exclude_modules", modulesToSave: "modules_to_save", layersToTransform: "layers_to_transform" };

/** Settings and keys of one of PEFT's methods. */
export function peftMethod(document: ConfigDocument, section: LocatedMapping, method: string): { readonly keys: SettingKeys; readonly own: Partial<TrainingConfig> } {
  const ranked = RANKED[method];
  if (ranked === undefined) return { keys: TARGETED, own: { method, ...peftSettings(document, section, TARGETED, { rank: null, alpha: null, dropout: 0 }), alpha: ABSENT, scaling: "unknown" } };
  return { keys: ranked.keys, own: { method, ...peftSettings(document, section, ranked.keys, ranked.defaults), ...(method === "vera" ? { scaling: "unknown" } : {}) } };
}
