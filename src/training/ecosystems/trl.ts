import type { SettingKeys, Targets } from "../config";
import { type Ecosystem } from "./ecosystem";
import { transformersOptimizer } from "./optimizer";
import { peftSettings } from "./peftKeys";
import { switchedQuantization, withNamedQuantization } from "./quantization";
import { firstOf, has, isOn, numberSetting } from "./settings";
import { baseUnder, trainingConfig } from "./trainingConfig";

const KEYS: SettingKeys = {
  rank: "lora_r", alpha: "lora_alpha", dropout: "lora_dropout", targets: "lora_target_modules", useRslora: "use_rslora", useDora: "use_dora",
  targetParameters: "lora_target_parameters", modulesToSave: "lora_modules_to_save",
};

/** TRL takes the only item of a list for the text itself, which is an expression (trainer/model_config.py). */
function withSingleItem(targets: Targets): Targets {
  const [item, second] = targets.form === "list" && targets.complete ? targets.items : [];
  return item === undefined || second !== undefined || targets.node === null ? targets : { form: "regex", item, node: targets.node, entry: targets.entry };
}

/** The files of `trl sft --config`. */
export const trl: Ecosystem = {
  id: "trl",
  label: "TRL",
  languages: ["yaml"],
  hint: /\b(?:use_peft|lora_r)\s*:/,
  configs(document) {
    const root = document.root;
    if (root === null || !has(root, "model_name_or_path") || has(root, "finetuning_type") || !(has(root, "use_peft") || has(root, "lora_r"))) return [];
    const base = baseUnder(root, "model_name_or_path", "model_revision");
    const settings = peftSettings(document, root, KEYS, { rank: 16, alpha: 32, dropout: 0.05 });
    // Without the switch the LoRA keys do nothing.
    const method = isOn(root, "use_peft") ? "lora" : "full";
    return [trainingConfig("trl", document, root, KEYS, {
      ...settings, ...(settings.targets === undefined ? {} : { targets: withSingleItem(settings.targets) }),
      method, base, optimizer: transformersOptimizer(document, root),
      quantization: withNamedQuantization(switchedQuantization(root), base),
      sequenceLength: firstOf(["max_length", "max_seq_length"], root, numberSetting),
    })];
  },
};
