import type { SettingKeys, TrainingConfig } from "../config";
import { entryOf, stringAt } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { switchedOptimizer, transformersOptimizer } from "./optimizer";
import { initOf, peftSettings } from "./peftKeys";
import { bitsQuantization, withNamedQuantization } from "./quantization";
import { has, numberSetting, setting } from "./settings";
import { baseUnder, trainingConfig } from "./trainingConfig";
import { targetsOf, type TargetRules } from "./targets";

const KEYS: SettingKeys = {
  rank: "lora_rank", alpha: "lora_alpha", dropout: "lora_dropout", targets: "target_modules", useRslora: "use_rslora", useDora: "use_dora", init: "init_weights",
  targetParameters: "target_parameters", modulesToSave: "modules_to_save", loraPlusRatio: "lorap_lr_ratio",
};
const TARGETS: TargetRules = { text: "item", all: /^all-linear$/, absent: { form: "all-linear", node: null, entry: null } };
const SWITCHES = [{ family: "galore", on: "use_galore", rank: "galore_rank", defaultRank: 128, targets: "galore_target_modules" }] as const;

export const msSwift: Ecosystem = {
  id: "ms-swift",
  label: "ms-swift",
  languages: ["yaml", "json"],
  hint: /\b(?:tuner_type|train_type)\b/,
  configs(document) {
    const root = document.root;
    const key = root !== null && has(root, "tuner_type") ? "tuner_type" : "train_type";
    if (root === null || !has(root, key, "model")) return [];
    const type = stringAt(root, key) ?? "unknown";
    const base = baseUnder(root, "model", "model_revision");
    const regex = entryOf(root, "target_regex");
    const projected = switchedOptimizer(document, root, SWITCHES, { ...TARGETS, form: "substrings" });
    const common: Partial<TrainingConfig> = {
      base,
      optimizer: { ...transformersOptimizer(document, root), projected, loraPlusRatio: numberSetting(root, "lorap_lr_ratio") },
      quantization: withNamedQuantization(bitsQuantization(root, "quant_bits", "quant_method"), base),
      sequenceLength: numberSetting(root, "max_length"),
    };
    if (type !== "lora") return [trainingConfig("ms-swift", document, root, {}, { ...common, method: type })];
    const defaults = { rank: 8, alpha: 32, dropout: 0.05 };
    return [trainingConfig("ms-swift", document, root, KEYS, {
      ...peftSettings(document, root, KEYS, defaults, TARGETS), ...common,
      init: setting(root, "init_weights", initOf, "default"),
      ...(regex === null ? {} : { targets: targetsOf(document, root, "target_regex") }),
    })];
  },
};
