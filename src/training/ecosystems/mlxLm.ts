import type { SettingKeys } from "../config";
import { mappingAt, stringAt } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { ABSENT, byDefault, has, numberSetting, stringSetting } from "./settings";
import { baseUnder, NO_OPTIMIZER, trainingConfig } from "./trainingConfig";
import { targetsOf } from "./targets";

const KEYS: SettingKeys = { rank: "rank", alpha: "scale", dropout: "dropout", targets: "keys" };

/** `scale` stands in the place of α and multiplies the update as it is, whatever the rank. */
export const mlxLm: Ecosystem = {
  id: "mlx-lm",
  label: "mlx-lm",
  languages: ["yaml"],
  hint: /lora_parameters/,
  configs(document) {
    const root = document.root;
    const section = root === null ? null : mappingAt(root, "lora_parameters");
    if (root === null || section === null || !has(root, "model") || !(has(root, "fine_tune_type") || has(section, "scale") || has(root, "num_layers"))) return [];
    const type = stringAt(root, "fine_tune_type") ?? "lora";
    const layers = numberSetting(root, "num_layers", 16);
    return [trainingConfig("mlx-lm", document, section, KEYS, {
      method: type === "full" ? "full" : "lora", useDora: byDefault(type === "dora"),
      base: baseUnder(root, "model"),
      rank: numberSetting(section, "rank", 8), alpha: numberSetting(section, "scale", 20), scaling: "multiplier", dropout: numberSetting(section, "dropout", 0),
      targets: targetsOf(document, section, "keys", { form: "in-layer", text: "item", all: /^(?!)/, absent: { form: "all-linear", node: null, entry: null } }),
      lastLayers: layers.value !== null && layers.value < 0 ? ABSENT : layers,
      optimizer: { ...NO_OPTIMIZER, name: stringSetting(root, "optimizer"), learningRate: numberSetting(root, "learning_rate"), gradientAccumulation: numberSetting(root, "grad_accumulation_steps", 1) },
      sequenceLength: numberSetting(root, "max_seq_length", 2048),
    })];
  },
};
