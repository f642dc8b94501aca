import type { SettingKeys, Targets } from "../config";
import { entryOf, mappingAt, stringAt, type ConfigDocument, type LocatedMapping } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { peftSettings } from "./peftKeys";
import { booleanOf, isOn, numberSetting } from "./settings";
import { baseUnder, NO_OPTIMIZER, trainingConfig, UNQUANTIZED } from "./trainingConfig";
import { targetsOf } from "./targets";

const KEYS: SettingKeys = { rank: "lora_rank", alpha: "lora_alpha", dropout: "lora_dropout", targets: "lora_attn_modules", useDora: "use_dora" };
const BUILDER = /^torchtune\.models\..*\.q?lora_/;
/** torchtune's own names, and those of the checkpoints it reads. */
const CHECKPOINT_NAMES: Readonly<Record<string, string>> = { output_proj: "o_proj" };
const MLP = ["gate_proj", "up_proj", "down_proj"];

export const torchtune: Ecosystem = {
  id: "torchtune",
  label: "torchtune",
  languages: ["yaml"],
  hint: /_component_\s*:\s*["']?torchtune/,
  configs(document) {
    const root = document.root;
    const model = root === null ? null : mappingAt(root, "model");
    const builder = model === null ? null : stringAt(model, "_component_");
    if (root === null || model === null || builder === null || !BUILDER.test(builder)) return [];
    const quantized = isOn(model, "quantize_base") || /\.qlora_/.test(builder);
    return [trainingConfig("torchtune", document, model, KEYS, {
      ...peftSettings(document, model, KEYS, { rank: 8, alpha: 16, dropout: 0 }),
      targets: components(document, model),
      base: baseUnder(mappingAt(root, "checkpointer"), "checkpoint_dir"),
      quantization: quantized ? { kind: "other", node: entryOf(model, "quantize_base")?.value ?? entryOf(model, "_component_")?.value ?? null, entry: null } : UNQUANTIZED,
      optimizer: { ...NO_OPTIMIZER, learningRate: numberSetting(mappingAt(root, "optimizer") ?? model, "lr"), gradientAccumulation: numberSetting(root, "gradient_accumulation_steps", 1) },
      sequenceLength: numberSetting(mappingAt(root, "tokenizer") ?? model, "max_seq_len"),
    })];
  },
};

/** The list, and what two switches add to it. */
function components(document: ConfigDocument, model: LocatedMapping): Targets {
  const list = targetsOf(document, model, "lora_attn_modules", { form: "components", text: "item", all: /^(?!)/ });
  if (list.form !== "components") return list;
  const items = list.items.map((item) => ({ ...item, text: CHECKPOINT_NAMES[item.text] ?? item.text }));
  for (const [key, names] of [["apply_lora_to_mlp", MLP], ["apply_lora_to_output", ["lm_head"]]] as const) {
    const entry = entryOf(model, key);
    if (entry !== null && booleanOf(entry.value) === true) items.push(...names.map((text) => ({ text, range: entry.range })));
  }
  return { ...list, items };
}
