import type { SettingKeys, TargetItem, Targets } from "../config";
import { entryOf, mappingAt, type LocatedMapping } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { ABSENT, booleanOf, has, numberSetting } from "./settings";
import { baseUnder, NO_OPTIMIZER, trainingConfig, UNQUANTIZED } from "./trainingConfig";

const KEYS: SettingKeys = { rank: "lora_r", alpha: "lora_alpha", dropout: "lora_dropout" };
/** Switches, their defaults, and what they adapt in checkpoints of the hub (litgpt/finetune/lora.py). */
const FLAGS: readonly (readonly [key: string, on: boolean, names: readonly string[]])[] = [
  ["lora_query", true, ["q_proj"]], ["lora_key", false, ["k_proj"]], ["lora_value", true, ["v_proj"]], ["lora_projection", false, ["o_proj"]],
  ["lora_mlp", false, ["gate_proj", "up_proj", "down_proj"]], ["lora_head", false, ["lm_head"]],
];

export const litgpt: Ecosystem = {
  id: "litgpt",
  label: "LitGPT",
  languages: ["yaml"],
  hint: /lora_(?:query|r)\s*:/,
  configs(document) {
    const root = document.root;
    if (root === null || !has(root, "checkpoint_dir") || !(has(root, "lora_query") || has(root, "lora_r", "lora_alpha"))) return [];
    const quantize = entryOf(root, "quantize"), train = mappingAt(root, "train");
    const isQuantized = quantize !== null && !(quantize.value.kind === "scalar" && quantize.value.value === null);
    return [trainingConfig("litgpt", document, root, KEYS, {
      base: baseUnder(root, "checkpoint_dir"),
      rank: numberSetting(root, "lora_r", 8), alpha: numberSetting(root, "lora_alpha", 16), dropout: numberSetting(root, "lora_dropout", 0.05),
      targets: flagTargets(root),
      quantization: isQuantized ? { kind: "other", node: quantize.value, entry: quantize } : UNQUANTIZED,
      optimizer: NO_OPTIMIZER, sequenceLength: train === null ? ABSENT : numberSetting(train, "max_seq_length"),
    })];
  },
};

function flagTargets(root: LocatedMapping): Targets {
  const items: TargetItem[] = [];
  for (const [key, usual, names] of FLAGS) {
    const entry = entryOf(root, key);
    const on = entry === null ? usual : booleanOf(entry.value);
    if (on === null) return { form: "unknown", node: entry?.value ?? null, entry };
    if (on) items.push(...names.map((text) => ({ text, range: entry?.range ?? root.range })));
  }
  return { form: "components", items, node: null, entry: null, complete: true };
}
