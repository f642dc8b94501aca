import type { SettingKeys, TrainingConfig } from "../config";
import { stringAt, type ConfigDocument, type LocatedMapping } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { switchedOptimizer, transformersOptimizer } from "./optimizer";
import { peftSettings } from "./peftKeys";
import { bitsQuantization, withNamedQuantization } from "./quantization";
import { booleanSetting, has, numberSetting } from "./settings";
import { baseUnder, trainingConfig } from "./trainingConfig";
import { DEFAULT_TARGETS, type TargetRules } from "./targets";

const KEYS: SettingKeys = {
  rank: "lora_rank", alpha: "lora_alpha", dropout: "lora_dropout", targets: "lora_target", useRslora: "use_rslora", useDora: "use_dora",
  modulesToSave: "additional_target", loraPlusRatio: "loraplus_lr_ratio",
};
/** "all", or names between commas (hparams/finetuning_args.py, `split_arg`). */
const TARGETS: TargetRules = { text: "commas", all: /^all$/, absent: { form: "all-linear", node: null, entry: null } };
/** Parts of the names of linear layers (train/trainer_utils.py). */
const OPTIMIZER_TARGETS: TargetRules = { ...TARGETS, form: "substrings" };
const SWITCHES = [
  { family: "galore", on: "use_galore", rank: "galore_rank", defaultRank: 16, targets: "galore_target", layerWise: "galore_layerwise" },
  { family: "apollo", on: "use_apollo", rank: "apollo_rank", defaultRank: 16, targets: "apollo_target", layerWise: "apollo_layerwise" },
] as const;

export const llamaFactory: Ecosystem = {
  id: "llama-factory",
  label: "LLaMA-Factory",
  languages: ["yaml", "json"],
  hint: /finetuning_type/,
  configs(document) {
    const root = document.root;
    if (root === null || !has(root, "stage", "finetuning_type") || !has(root, "model_name_or_path")) return [];
    const type = stringAt(root, "finetuning_type");
    const base = baseUnder(root, "model_name_or_path", "model_revision");
    const optimizer = transformersOptimizer(document, root);
    const common: Partial<TrainingConfig> = {
      base,
      optimizer: { ...optimizer, projected: switchedOptimizer(document, root, SWITCHES, OPTIMIZER_TARGETS) },
      quantization: withNamedQuantization(bitsQuantization(root, "quantization_bit", "quantization_method"), base),
      sequenceLength: numberSetting(root, "cutoff_len", 2048),
    };
    if (type !== "lora") return [trainingConfig("llama-factory", document, root, {}, { ...common, method: type === "full" ? "full" : (type ?? "unknown") })];
    return [trainingConfig("llama-factory", document, root, KEYS, { ...peftSettings(document, root, KEYS, { rank: 8, alpha: "2r", dropout: 0 }, TARGETS), ...common, init: pissaInit(root) })];
  },
};

/** `pissa_init` with `pissa_iter` steps (16), -1 for the exact decomposition. */
function pissaInit(root: LocatedMapping): TrainingConfig["init"] {
  const on = booleanSetting(root, "pissa_init");
  return { ...on, value: on.value === null ? null : on.value ? "pissa" : "default" };
}

const V1_KEYS: SettingKeys = {
  rank: "r", alpha: "lora_alpha", dropout: "lora_dropout", targets: "target_modules", useRslora: "use_rslora", useDora: "use_dora", modulesToSave: "modules_to_save", init: "init_lora_weights",
};
const V1_TARGETS: TargetRules = { text: "item", all: /^all(?:-linear)?$/, absent: { form: "all-linear", node: null, entry: null } };

export const llamaFactoryV1: Ecosystem = {
  id: "llama-factory-v1",
  label: "LLaMA-Factory v1",
  languages: ["yaml", "json"],
  hint: /peft_config/,
  configs(document) {
    const root = document.root;
    const section = root === null ? null : sectionOf(root);
    if (root === null || section === null || !has(root, "model") || !(has(root, "model_class") || has(root, "train_dataset"))) return [];
    const own = v1Settings(document, section);
    return [trainingConfig("llama-factory-v1", document, section, V1_KEYS, { ...own, base: baseUnder(root, "model"), sequenceLength: numberSetting(root, "cutoff_len") })];
  },
};

function sectionOf(root: LocatedMapping): LocatedMapping | null {
  const value = root.entries.findLast(({ key }) => key === "peft_config")?.value;
  return value?.kind === "mapping" && stringAt(value, "name") === "lora" ? value : null;
}

function v1Settings(document: ConfigDocument, section: LocatedMapping): Partial<TrainingConfig> {
  // An adapter that is continued, merged or exported keeps the settings it was made with.
  const continued = has(section, "adapter_name_or_path") && !has(section, "r");
  const settings = peftSettings(document, section, V1_KEYS, { rank: 8, alpha: 16, dropout: 0.05 }, V1_TARGETS);
  return continued ? { ...settings, targets: { ...DEFAULT_TARGETS, form: "unknown" } } : settings;
}
