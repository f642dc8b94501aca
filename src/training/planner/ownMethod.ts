import type { TrainingConfig } from "../config";
import { METHODS } from "./methods";

/** Names that PEFT gives to methods which the planner calls otherwise. */
const ALSO: Readonly<Record<string, string>> = { bone: "miss", loraxs: "lora-xs" };
const PROJECTED: Readonly<Record<string, string>> = { galore: "galore", "q-galore": "galore", apollo: "apollo" };

/** The planner's method that a config trains by; null where it is none of them. */
export function ownMethod({ method, useDora, useRslora, optimizer }: TrainingConfig): string | null {
  if (method === "full") return PROJECTED[optimizer.projected?.family ?? ""] ?? "full";
  if (method === "lora") return useDora.value === true ? "dora" : useRslora.value === true ? "rslora" : "lora";
  const id = ALSO[method] ?? method;
  return METHODS.some((known) => known.id === id) ? id : null;
}
