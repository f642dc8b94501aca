import type { EcosystemId } from "../config";
import { placeOf, type Check } from "./check";

/** Those that hand the rank to PEFT as it is; for others, 0 may mean no adapter. */
const PEFT: ReadonlySet<EcosystemId> = new Set(["peft-json", "peft-python", "axolotl", "llama-factory", "llama-factory-v1", "trl", "unsloth", "ms-swift"]);

/** PEFT stops where it makes the adapter: "`r` should be a positive integer value". */
export const rankNotPositive: Check = {
  code: "rank-not-positive",
  link: "https://github.com/huggingface/peft/blob/main/src/peft/tuners/lora/layer.py",
  find({ config }) {
    const { value } = config.rank;
    if (!PEFT.has(config.ecosystem) || config.method !== "lora" || value === null || (Number.isSafeInteger(value) && value >= 1)) return [];
    return [{ severity: "error", message: `Rank ${value} makes no adapter: PEFT takes whole numbers of 1 or more.`, range: placeOf(config, config.rank), fixes: [] }];
  },
};
