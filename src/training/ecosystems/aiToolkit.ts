import type { SettingKeys, Targets, TrainingConfig } from "../config";
import { entryOf, mappingAt, stringAt, type ConfigDocument, type LocatedMapping } from "../documents/located";
import { type Ecosystem } from "./ecosystem";
import { ABSENT, firstOf, has, isOn, numberSetting, stringSetting } from "./settings";
import { baseUnder, NO_OPTIMIZER, trainingConfig, UNQUANTIZED } from "./trainingConfig";
import { targetsOf } from "./targets";

const KEYS: SettingKeys = { rank: "linear", alpha: "linear_alpha", dropout: "dropout", convolutionRank: "conv" };

export const aiToolkit: Ecosystem = {
  id: "ai-toolkit",
  label: "ai-toolkit",
  languages: ["yaml", "json"],
  hint: /\bnetwork\b/,
  configs(document) {
    const root = document.root;
    const processes = root === null || !has(root, "job") ? null : entryOf(mappingAt(root, "config") ?? root, "process")?.value;
    if (processes?.kind !== "sequence") return [];
    return processes.items.flatMap((process) => (process.kind === "mapping" ? read(document, process) : []));
  },
};

function read(document: ConfigDocument, process: LocatedMapping): TrainingConfig[] {
  const network = mappingAt(process, "network"), model = mappingAt(process, "model"), train = mappingAt(process, "train");
  if (network === null || model === null) return [];
  const type = (stringAt(network, "type") ?? "lora").toLowerCase();
  const own = targets(document, network);
  const quantize = entryOf(model, "quantize");
  // A LoKr of full rank, which is the default there, has no rank that the file sets.
  const rank = type === "lora" || type === "locon" ? firstOf(["linear", "rank"], network, (mapping, key) => numberSetting(mapping, key, 4)) : ABSENT;
  return [trainingConfig("ai-toolkit", document, network, { ...KEYS, rank: has(network, "rank") ? "rank" : "linear" }, {
    method: type === "locon" ? "lora" : type,
    base: baseUnder(model, "name_or_path"),
    rank,
    alpha: firstOf(["linear_alpha", "alpha"], network, (mapping, key) => numberSetting(mapping, key, 1)),
    dropout: numberSetting(network, "dropout", 0),
    targets: own, exclude: ignored(document, network),
    convolution: { architecture: null, rank: numberSetting(network, "conv"), alpha: numberSetting(network, "conv_alpha"), blockRanks: ABSENT, blockAlphas: ABSENT },
    quantization: isOn(model, "quantize") ? { kind: "other", node: quantize?.value ?? null, entry: quantize } : UNQUANTIZED,
    optimizer: train === null ? NO_OPTIMIZER : { ...NO_OPTIMIZER, name: stringSetting(train, "optimizer"), learningRate: numberSetting(train, "lr"), gradientAccumulation: numberSetting(train, "gradient_accumulation_steps", 1) },
  })];
}

/** Names are those of the pipeline: its transformer's begin with `transformer.` */
const PIPELINE_PREFIX = /^transformer\./;

function targets(document: ConfigDocument, network: LocatedMapping): Targets {
  return substrings(document, network, "only_if_contains") ?? { form: "classes", node: null, entry: null };
}

function ignored(document: ConfigDocument, network: LocatedMapping): Targets | null {
  return substrings(document, network, "ignore_if_contains");
}

function substrings(document: ConfigDocument, network: LocatedMapping, key: string): Targets | null {
  const own = mappingAt(network, "network_kwargs");
  if (own === null || !has(own, key)) return null;
  const found = targetsOf(document, own, key, { form: "substrings", text: "item", all: /^(?!)/ });
  return found.form === "substrings" ? { ...found, items: found.items.map((item) => ({ ...item, text: item.text.replace(PIPELINE_PREFIX, "") })) } : found;
}
