import type { SettingKeys, TrainingConfig } from "../config";
import { entryOf, stringAt, type ConfigDocument, type LocatedMapping } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { transformersOptimizer } from "./optimizer";
import { peftSettings } from "./peftKeys";
import { switchedQuantization, withNamedQuantization } from "./quantization";
import { booleanOf, has, numberSetting } from "./settings";
import { baseUnder, trainingConfig } from "./trainingConfig";

const KEYS: SettingKeys = {
  rank: "lora_r", alpha: "lora_alpha", dropout: "lora_dropout", targets: "lora_target_modules", rankPattern: "lora_rank_pattern", alphaPattern: "lora_alpha_pattern",
  init: "peft_init_lora_weights", useRslora: "peft_use_rslora", useDora: "peft_use_dora", targetParameters: "lora_target_parameters",
  modulesToSave: "lora_modules_to_save", loraPlusRatio: "loraplus_lr_ratio", layersToTransform: "peft_layers_to_transform",
};
/** Keys of a full training, beside its data. */
const OWN_KEYS = ["micro_batch_size", "sequence_len", "lora_target_linear", "lora_r", "num_epochs", "output_dir"];

export const axolotl: Ecosystem = {
  id: "axolotl",
  label: "axolotl",
  languages: ["yaml"],
  hint: /^base_model\s*:/m,
  configs(document) {
    const root = document.root;
    // Ludwig writes `base_model` too, and a mapping as `adapter`.
    if (root === null || !has(root, "base_model") || stringAt(root, "model_type") === "llm") return [];
    const adapter = stringAt(root, "adapter");
    const isLora = adapter === "lora" || adapter === "qlora";
    const optimizer = transformersOptimizer(document, root, ["optimizer"]);
    if (!isLora && !(has(root, "datasets") && OWN_KEYS.some((key) => has(root, key)))) return [];
    const base = baseUnder(root, "base_model", "revision_of_model");
    const common: Partial<TrainingConfig> = { base, optimizer, quantization: withNamedQuantization(switchedQuantization(root), base), sequenceLength: numberSetting(root, "sequence_len") };
    if (!isLora) return [trainingConfig("axolotl", document, root, KEYS, { ...common, method: "full" })];
    return [trainingConfig("axolotl", document, root, KEYS, { ...peftSettings(document, root, KEYS, { rank: null, alpha: null, dropout: 0 }), ...linearTargets(document, root), ...common })];
  },
};

/** `lora_target_linear: true` adds every linear layer to the list. */
function linearTargets(document: ConfigDocument, root: LocatedMapping): Partial<TrainingConfig> {
  const entry = entryOf(root, "lora_target_linear");
  if (entry === null || (document.whole && booleanOf(entry.value) === false)) return {};
  const on = booleanOf(entry.value);
  if (entry.value.kind === "scalar" && on !== true) return {};
  return { targets: { form: on === true ? "all-linear" : "unknown", node: entry.value, entry } };
}
