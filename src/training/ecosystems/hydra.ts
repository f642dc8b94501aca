import { stringAt } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { mappingsWith } from "./nemo";
import { methodOfClass } from "./peftClasses";
import { peftMethod } from "./peftKeys";
import { trainingConfig } from "./trainingConfig";

const TARGET = /^peft\.(?:.*\.)?(\w+Config)$/;

/** `_target_: peft.LoraConfig` wherever it stands; the base model has no place of its own. */
export const hydra: Ecosystem = {
  id: "hydra",
  label: "Hydra",
  languages: ["yaml"],
  hint: /_target_\s*:\s*["']?peft\./,
  configs(document) {
    const sections = document.root === null ? [] : mappingsWith(document.root, "_target_");
    return sections.flatMap((section) => {
      const method = methodOfClass(TARGET.exec(stringAt(section, "_target_") ?? "")?.[1] ?? "");
      if (method === null) return [];
      const { keys, own } = peftMethod(document, section, method);
      return [trainingConfig("hydra", document, section, keys, own)];
    });
  },
};
