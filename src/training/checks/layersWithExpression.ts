import type { EcosystemId } from "../config";
import { removeEntry } from "../documents/edits/edits";
import { fix } from "../fixes/fix";
import { placeOf, type Check } from "./check";

/** Those whose settings go to PEFT as they are. */
const PEFT: ReadonlySet<EcosystemId> = new Set(["peft-json", "peft-python", "axolotl", "hydra"]);

/** PEFT raises where layers are chosen beside an expression, which chooses them itself. */
export const layersWithExpression: Check = {
  code: "layers-with-expression",
  link: "https://huggingface.co/docs/peft/package_reference/lora#peft.LoraConfig.layers_to_transform",
  find({ config }) {
    const { targets, layersToTransform, layersPattern, document, section } = config;
    if (!PEFT.has(config.ecosystem)) return [];
    const isText = targets.form === "regex" || (targets.form === "all-linear" && targets.node?.kind === "scalar" && typeof targets.node.value === "string");
    return ([["layers_to_transform", layersToTransform], ["layers_pattern", layersPattern]] as const).flatMap(([key, setting]) => {
      if (setting.entry === null || setting.node === null || (setting.value?.length ?? 1) === 0) return [];
      const remove = fix(`Remove ${setting.entry.key}`, [removeEntry(document, section, setting.entry)]);
      if (isText) return [{ severity: "error" as const, message: `PEFT raises an error for ${key} beside targets that are one text: write the layers into the expression, or the targets as a list.`, range: placeOf(config, setting), fixes: remove }];
      if (key === "layers_pattern" && layersToTransform.node === null && config.section.completeness === "whole") {
        return [{ severity: "error" as const, message: "PEFT raises an error for layers_pattern without layers_to_transform.", range: placeOf(config, setting), fixes: remove }];
      }
      return [];
    });
  },
};
