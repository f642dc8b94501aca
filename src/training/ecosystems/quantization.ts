import type { Quantization, TrainingConfig } from "../config";
import { entryOf, type Located, type LocatedMapping } from "../documents/located";
import { booleanOf } from "./settings";
import { UNQUANTIZED } from "./trainingConfig";

type Found = TrainingConfig["quantization"];

/** Switches that several projects share, and what they turn on. */
const SWITCHES: Readonly<Record<string, Quantization>> = { load_in_4bit: "bnb-4bit", load_in_8bit: "bnb-8bit", gptq: "gptq", quantize_base: "bnb-4bit" };

/** The quantization that a switch turns on; `unknown` where only a run tells. */
export function switchedQuantization(section: LocatedMapping, keys: readonly string[] = Object.keys(SWITCHES)): Found {
  for (const key of keys) {
    const entry = entryOf(section, key);
    if (entry === null) continue;
    const on = booleanOf(entry.value);
    const found = { node: entry.value, entry };
    if (on === true) return { kind: SWITCHES[key] ?? "other", ...found };
    if (on === null && entry.value.kind === "unresolved") return { kind: "unknown", ...found };
  }
  return section.completeness === "whole" ? UNQUANTIZED : { kind: "unknown", node: null, entry: null };
}

/** bitsandbytes' name unless told: `quantization_bit: 4` (LLaMA-Factory), `quant_bits: 4` (ms-swift). */
export function bitsQuantization(section: LocatedMapping, bitsKey: string, methodKey: string): Found {
  const entry = entryOf(section, bitsKey);
  if (entry === null) return UNQUANTIZED;
  const found = { node: entry.value, entry };
  const bits = entry.value.kind === "scalar" ? entry.value.value : undefined;
  if (bits === null) return UNQUANTIZED;
  const method = methodOf(entryOf(section, methodKey)?.value);
  if (bits === undefined || method === "unknown") return { kind: "unknown", ...found };
  if (method !== "bnb") return { kind: method, ...found };
  return { kind: bits === 4 ? "bnb-4bit" : bits === 8 ? "bnb-8bit" : "other", ...found };
}

const METHODS: Readonly<Record<string, Quantization | "bnb">> = { bnb: "bnb", bitsandbytes: "bnb", gptq: "gptq", awq: "awq", aqlm: "aqlm", eetq: "eetq", hqq: "hqq" };

function methodOf(value: Located | undefined): Quantization | "bnb" {
  if (value === undefined || (value.kind === "scalar" && value.value === null)) return "bnb";
  return value.kind === "scalar" ? (METHODS[String(value.value).toLowerCase()] ?? "other") : "unknown";
}

/** Names of published models tell how their weights are kept; the model's own config.json tells it for certain. */
const NAMES: readonly (readonly [RegExp, Quantization])[] = [[/[-_]gptq(?:[-_]|$)/i, "gptq"], [/[-_]awq(?:[-_]|$)/i, "awq"], [/[-_]aqlm(?:[-_]|$)/i, "aqlm"], [/[-_]bnb-4bit$/i, "bnb-4bit"]];

/** What the config says, else what the base model's name says. */
export function withNamedQuantization(found: Found, base: TrainingConfig["base"]): Found {
  if (found.kind !== "none" || base === null || base.name.value === null) return found;
  const named = NAMES.find(([pattern]) => pattern.test(base.name.value ?? ""));
  return named === undefined ? found : { kind: named[1], node: base.name.node, entry: base.name.entry };
}
