import type { SettingKeys, Targets } from "../config";
import { entryOf, mappingAt, stringAt, type ConfigDocument, type LocatedEntry, type LocatedMapping } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { peftSettings } from "./peftKeys";
import { has, isOn, numberSetting } from "./settings";
import { baseUnder, NO_OPTIMIZER, trainingConfig } from "./trainingConfig";
import { targetsOf, type TargetRules } from "./targets";

const KEYS: SettingKeys = { rank: "dim", alpha: "alpha", dropout: "dropout", targets: "target_modules", exclude: "exclude_modules" };
const TARGET = /^nemo\.collections\.llm\.peft\.(?:lora\.)?LoRA$/;
/** Megatron's modules, and what the checkpoints of the hub call them. */
const MEGATRON: Readonly<Record<string, readonly string[]>> = {
  linear_qkv: ["q_proj", "k_proj", "v_proj"], linear_proj: ["o_proj"], linear_fc1: ["gate_proj", "up_proj"], linear_fc2: ["down_proj"],
};
const EVERY: Targets = { form: "components", items: Object.values(MEGATRON).flat().map((text) => ({ text, range: { start: 0, end: 0 } })), node: null, entry: null, complete: true };

/** NeMo 2, wherever in the file `_target_` names its LoRA. */
export const nemo: Ecosystem = {
  id: "nemo",
  label: "NeMo",
  languages: ["yaml"],
  hint: /nemo\.collections\.llm\.peft/,
  configs(document) {
    const sections = document.root === null ? [] : mappingsWith(document.root, "_target_");
    return sections.filter((section) => TARGET.test(stringAt(section, "_target_") ?? "")).map((section) => trainingConfig("nemo", document, section, KEYS, {
      ...peftSettings(document, section, KEYS, { rank: 32, alpha: 32, dropout: 0 }),
      targets: megatronTargets(document, section),
    }));
  },
};

function megatronTargets(document: ConfigDocument, section: LocatedMapping): Targets {
  const list = targetsOf(document, section, "target_modules", { form: "components", text: "item", absent: EVERY });
  if (list.form !== "components" || list.node === null) return list;
  const known = list.items.every(({ text }) => MEGATRON[text] !== undefined);
  if (!known) return { form: "unknown", node: list.node, entry: list.entry };
  return { ...list, items: list.items.flatMap((item) => MEGATRON[item.text]!.map((text) => ({ ...item, text }))) };
}

/** Every mapping of the tree that has a key. */
export function mappingsWith(root: LocatedMapping, key: string): LocatedMapping[] {
  const inside = root.entries.flatMap(({ value }: LocatedEntry) => {
    if (value.kind === "mapping") return mappingsWith(value, key);
    return value.kind === "sequence" ? value.items.flatMap((item) => (item.kind === "mapping" ? mappingsWith(item, key) : [])) : [];
  });
  return has(root, key) ? [root, ...inside] : inside;
}

const AUTOMODEL_TARGET = /^nemo_automodel\.components\._peft\.lora\.PeftConfig$/;
const WILDCARDS: TargetRules = { form: "wildcards", text: "item", all: /^(?!)/ };

export const nemoAutomodel: Ecosystem = {
  id: "nemo-automodel",
  label: "NeMo Automodel",
  languages: ["yaml"],
  hint: /nemo_automodel/,
  configs(document) {
    const root = document.root;
    const section = root === null ? null : mappingAt(root, "peft");
    if (root === null || section === null || !AUTOMODEL_TARGET.test(stringAt(section, "_target_") ?? "") || !(has(root, "recipe") || has(root, "model"))) return [];
    const keys: SettingKeys = { ...KEYS, useDora: "use_dora" };
    const optimizer = mappingAt(root, "optimizer");
    return [trainingConfig("nemo-automodel", document, section, keys, {
      ...peftSettings(document, section, keys, { rank: 8, alpha: 32, dropout: 0 }, WILDCARDS),
      targets: automodelTargets(document, section),
      base: baseUnder(mappingAt(root, "model"), "pretrained_model_name_or_path", "revision"),
      quantization: has(root, "quantization") ? { kind: "unknown", node: null, entry: null } : { kind: "none", node: null, entry: null },
      optimizer: optimizer === null ? NO_OPTIMIZER : { ...NO_OPTIMIZER, learningRate: numberSetting(optimizer, "lr") },
    })];
  },
};

/** `*_proj` where nothing is said; every linear layer but the excluded ones where only those are (module_matcher.py). */
function automodelTargets(document: ConfigDocument, section: LocatedMapping): Targets {
  const all = entryOf(section, "match_all_linear");
  // Its "all" includes the output head, which PEFT's leaves out: counted as every name.
  const every: Targets = { form: "wildcards", items: [{ text: "*", range: all?.range ?? section.range }], node: all?.value ?? null, entry: all, complete: true };
  if (isOn(section, "match_all_linear") || (has(section, "exclude_modules") && !has(section, "target_modules"))) return every;
  const absent: Targets = { form: "wildcards", items: [{ text: "*_proj", range: section.range }], node: null, entry: null, complete: true };
  return targetsOf(document, section, "target_modules", { ...WILDCARDS, absent });
}
