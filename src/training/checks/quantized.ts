import type { Quantization } from "../config";
import { fix, setSetting, setValue } from "../fixes/fix";
import { isOn, placeOf, type Check, type Subject } from "./check";

/** Layers whose adapters refuse DoRA (peft/tuners/lora/awq.py, aqlm.py, eetq.py, gptq.py). */
const WITHOUT_DORA: ReadonlySet<Quantization> = new Set(["awq", "aqlm", "eetq", "gptq"]);
/** Kinds whose weights are no floats, which a decomposition needs. */
const INTEGER: ReadonlySet<Quantization> = new Set(["bnb-4bit", "bnb-8bit", "gptq", "awq", "aqlm", "eetq", "hqq"]);

/** How the weights are kept, by the config, else by the model's own config.json. */
function quantizationOf({ config, model }: Subject): { readonly kind: Quantization; readonly by: string } {
  if (config.quantization.kind !== "none") return { kind: config.quantization.kind, by: "" };
  const method = model?.quantization?.method ?? null;
  if (method === null) return { kind: "none", by: "" };
  const bits = model?.quantization?.bits ?? null;
  const kind = method === "bitsandbytes" ? (bits === 8 ? "bnb-8bit" : "bnb-4bit") : METHODS[method];
  return { kind: kind ?? "other", by: " by its config.json" };
}

/** transformers' `quant_method` */
const METHODS: Readonly<Record<string, Quantization>> = { gptq: "gptq", awq: "awq", aqlm: "aqlm", eetq: "eetq", hqq: "hqq" };

/** DoRA on these raises when the adapter is made. */
export const doraQuantized: Check = {
  code: "dora-quantized",
  link: "https://github.com/huggingface/peft/pull/1518",
  find(subject) {
    const { config } = subject;
    const { kind, by } = quantizationOf(subject);
    if (!isOn(config.useDora) || config.method !== "lora" || !WITHOUT_DORA.has(kind)) return [];
    return [{
      severity: "error",
      message: `The base model is quantized with ${kind.toUpperCase()}${by}, and PEFT raises an error for DoRA on it.`,
      range: placeOf(config, config.useDora),
      fixes: fix("Turn DoRA off", [setValue(config, config.useDora, false)], { isPreferred: true }),
    }];
  },
};

/** These decompose the base's weights, and raise where they are quantized (peft/tuners/lora/layer.py). */
const DECOMPOSING = /^(?:pissa(?:_niter_\d+)?|corda|mica)$/;

export const initQuantized: Check = {
  code: "init-quantized",
  link: "https://huggingface.co/docs/peft/developer_guides/lora#pissa",
  find(subject) {
    const { config } = subject;
    const init = config.init.value;
    const { kind, by } = quantizationOf(subject);
    if (init === null || config.method !== "lora" || !DECOMPOSING.test(init) || !INTEGER.has(kind)) return [];
    // An adapter that was saved already was started.
    if (config.ecosystem === "peft-json") return [];
    return [{
      severity: "error",
      message: `${init.startsWith("pissa") ? "PiSSA" : init} decomposes the base model's weights, which are quantized (${kind}${by}): PEFT raises an error. Prepare the residual model in full precision and quantize that.`,
      range: placeOf(config, config.init),
      fixes: typeof (config.init.node?.kind === "scalar" ? config.init.node.value : null) === "boolean"
        ? fix("Turn PiSSA off", [setValue(config, config.init, false)])
        : fix("Start with PEFT's own initialisation", [setSetting(config, "init", true)]),
    }];
  },
};

/** PiSSA and its like change the base's weights: the adapter is converted back when it is saved, if it can be. */
const MUTATING = /^(?:pissa(?:_niter_\d+)?|olora|corda|loftq|lora_ga)$/;

export const initNotConvertible: Check = {
  code: "init-not-convertible",
  link: "https://github.com/huggingface/peft/issues/1929",
  find({ config }) {
    const init = config.init.value;
    const patterns = [config.rankPattern, config.alphaPattern].filter(({ entries }) => entries.length > 0);
    if (init === null || config.method !== "lora" || !MUTATING.test(init) || !isOn(config.useRslora) || patterns.length === 0) return [];
    return [{
      severity: "warning",
      message: `${init} changes the base model's weights, and with use_rslora and a pattern of ranks PEFT cannot convert the adapter back to one for the original base: it will need the changed base.`,
      range: placeOf(config, config.init),
      fixes: fix("Scale without rank stabilisation", [setValue(config, config.useRslora, false)]),
    }];
  },
};
