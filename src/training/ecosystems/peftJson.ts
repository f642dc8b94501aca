import { stringAt } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { peftMethod } from "./peftKeys";
import { has } from "./settings";
import { baseUnder, trainingConfig } from "./trainingConfig";

const FILE_NAME = "adapter_config.json";

/** What PEFT writes beside an adapter's weights, and reads again. */
export const peftJson: Ecosystem = {
  id: "peft-json",
  label: "PEFT",
  languages: ["json"],
  hint: /"peft_type"/,
  configs(document) {
    const root = document.root;
    const type = root === null ? null : stringAt(root, "peft_type");
    if (root === null || type === null || (document.fileName !== FILE_NAME && !has(root, "target_modules"))) return [];
    const { keys, own } = peftMethod(document, root, type.toLowerCase());
    return [trainingConfig("peft-json", document, root, keys, { ...own, base: baseUnder(root, "base_model_name_or_path", "revision") })];
  },
};
