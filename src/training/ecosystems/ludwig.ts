import type { SettingKeys } from "../config";
import { mappingAt, stringAt } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { peftSettings } from "./peftKeys";
import { numberOf, numberSetting } from "./settings";
import { baseUnder, NO_OPTIMIZER, trainingConfig, UNQUANTIZED } from "./trainingConfig";
import { entryOf, type LocatedMapping } from "../documents/located";
import type { TrainingConfig } from "../config";

const KEYS: SettingKeys = {
  rank: "r", alpha: "alpha", dropout: "dropout", targets: "target_modules", rankPattern: "rank_pattern", alphaPattern: "alpha_pattern",
  init: "init_lora_weights", useRslora: "use_rslora", useDora: "use_dora", loraPlusRatio: "loraplus_lr_ratio",
};

export const ludwig: Ecosystem = {
  id: "ludwig",
  label: "Ludwig",
  languages: ["yaml"],
  hint: /^model_type\s*:\s*["']?llm/m,
  configs(document) {
    const root = document.root;
    const section = root === null ? null : mappingAt(root, "adapter");
    const type = section === null ? null : stringAt(section, "type");
    if (root === null || section === null || type === null || stringAt(root, "model_type") !== "llm") return [];
    const trainer = mappingAt(root, "trainer");
    const common: Partial<TrainingConfig> = {
      base: baseUnder(root, "base_model"),
      quantization: quantizationOf(mappingAt(root, "quantization")),
      optimizer: trainer === null ? NO_OPTIMIZER : { ...NO_OPTIMIZER, learningRate: numberSetting(trainer, "learning_rate"), loraPlusRatio: numberSetting(section, "loraplus_lr_ratio") },
    };
    if (type !== "lora") return [trainingConfig("ludwig", document, section, { targets: "target_modules" }, { ...common, method: type, ...peftSettings(document, section, { targets: "target_modules" }, { rank: null, alpha: null, dropout: 0 }), scaling: "unknown" })];
    return [trainingConfig("ludwig", document, section, KEYS, { ...peftSettings(document, section, KEYS, { rank: 8, alpha: "2r", dropout: 0.05 }), ...common })];
  },
};

function quantizationOf(section: LocatedMapping | null): TrainingConfig["quantization"] {
  const entry = section === null ? null : entryOf(section, "bits");
  if (entry === null) return UNQUANTIZED;
  const bits = numberOf(entry.value);
  return { kind: bits === 4 ? "bnb-4bit" : bits === 8 ? "bnb-8bit" : "unknown", node: entry.value, entry };
}
