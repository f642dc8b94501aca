import { countText } from "../../shared/figures";
import { adapterParameters } from "../adapterSize";
import type { Adapted } from "../adapted";
import type { ModelModules } from "../base/modelModules";
import type { TrainingConfig } from "../config";

/**
 * "162 modules · 41.9 M trainable (0.52 %)", the share being that of the base model's parameters, as PEFT's
 * `print_trainable_parameters` without the adapter in the denominator. Of methods other than LoRA the modules alone.
 */
export function countsText(config: TrainingConfig, { modules, matched }: Adapted, model: ModelModules): string {
  const count = modules.length === 1 ? "1 module" : `${modules.length} modules`;
  if (config.method !== "lora") return count;
  const saved = matched.saved.reduce((sum, { parameters, bias }) => sum + parameters + bias, 0);
  const trainable = adapterParameters(modules, isDora(config)) + saved;
  return `${model.approximate === null ? "" : "about "}${count} · ${countText(trainable)} trainable (${shareText(trainable / model.parameters)})`;
}

export const isDora = (config: TrainingConfig): boolean => config.useDora.value === true;

/** Two digits, however small. */
export function shareText(share: number): string {
  const percent = 100 * share;
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))} %`;
}
