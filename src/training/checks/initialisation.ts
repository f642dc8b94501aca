import type { EcosystemId } from "../config";
import { fix, setSetting } from "../fixes/fix";
import { placeOf, type Check } from "./check";

/** What has to be called in code besides the key, by the functions' names in PEFT. */
const CALLS: readonly (readonly [init: RegExp, name: string, call: RegExp, without: string])[] = [
  [/^eva$/, "EVA", /initialize_lora_eva_weights/, "without initialize_lora_eva_weights the adapter starts as LoRA's own"],
  [/^corda$/, "CorDA", /preprocess_corda/, "without preprocess_corda, which measures the activations first, PEFT raises an error"],
  [/^lora[-_]ga$/, "LoRA-GA", /preprocess_loraga/, "without preprocess_loraga, which measures the gradients first, PEFT raises an error"],
];
/** Where nothing else in the project can make the call. */
const ALONE: ReadonlySet<EcosystemId> = new Set(["axolotl", "peft-python"]);

export const initNeedsCall: Check = {
  code: "init-needs-call",
  link: "https://huggingface.co/docs/peft/developer_guides/lora#initialization",
  find({ config }) {
    const init = config.init.value;
    const needed = init === null || config.method !== "lora" || !ALONE.has(config.ecosystem) ? undefined : CALLS.find(([pattern]) => pattern.test(init));
    if (needed === undefined || needed[2].test(config.document.text)) return [];
    // In Python the adapter may be started in another file.
    const elsewhere = config.ecosystem === "peft-python" ? " Here is no such call; it may stand in another file." : " This config alone does not make it.";
    return [{
      severity: config.ecosystem === "peft-python" ? "information" : "warning",
      message: `${needed[1]} takes a call in code: ${needed[3]}.${elsewhere}`,
      range: placeOf(config, config.init),
      fixes: fix("Start with PEFT's own initialisation", [setSetting(config, "init", true)]),
    }];
  },
};

/** unsloth/models/llama.py, get_peft_model. */
const OF_UNSLOTH: ReadonlySet<string> = new Set(["default", "false", "gaussian", "loftq", "corda"]);

export const unslothInit: Check = {
  code: "unsloth-init",
  link: "https://github.com/unslothai/unsloth/blob/main/unsloth/models/llama.py",
  find({ config }) {
    const init = config.init.value;
    if (config.ecosystem !== "unsloth" || init === null || OF_UNSLOTH.has(init) || !/FastLanguageModel/.test(config.section.call?.name ?? "")) return [];
    return [{
      severity: "error",
      message: `unsloth takes True, False, "gaussian", "loftq" or "corda" for init_lora_weights and stops at "${init}".`,
      range: placeOf(config, config.init),
      fixes: fix("Start with PEFT's own initialisation (True)", [setSetting(config, "init", true)], { isPreferred: true }),
    }];
  },
};
