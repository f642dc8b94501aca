import type { BaseSettings, TrainingConfig } from "../config";
import { entryOf, type ConfigDocument, type Located, type LocatedMapping } from "../documents/located";
import { switchedQuantization } from "./quantization";
import { stringSetting } from "./settings";
import { UNQUANTIZED } from "./trainingConfig";

/** `a.b.LoraConfig` is a call of `LoraConfig`. */
export function callsOf(document: ConfigDocument, isNamed: (last: string) => boolean): LocatedMapping[] {
  return document.calls.filter(({ call }) => call !== null && isNamed(lastPart(call.name)));
}

export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Classes whose `from_pretrained` gives the model that is trained, rather than its tokenizer, its config or an adapter. */
const MODEL_CLASS = /^(?:Auto(?:Model|LigerKernel)\w*|\w*(?:For(?:CausalLM|ConditionalGeneration|\w*Classification|QuestionAnswering|MaskedLM|\w*To\w+)|LMHeadModel|Model)|Fast(?:Language|Vision|)Model|\w*(?:Pipeline|Transformer\w*Model|UNet2DConditionModel))$/;
const NOT_BASE = /^(?:Peft|AutoPeft|Text|CLIPText|Vae|Autoencoder)/i;

function loads(document: ConfigDocument): LocatedMapping[] {
  return document.calls.filter(({ call }) => {
    const match = /(?:^|\.)(\w+)\.from_pretrained$/.exec(call?.name ?? "");
    return match?.[1] !== undefined && MODEL_CLASS.test(match[1]) && !NOT_BASE.test(match[1]);
  });
}

/** The model that the file loads; null where it loads none, or several that differ. */
export function loadedBase(document: ConfigDocument): BaseSettings | null {
  const found = loads(document).map((load) => ({ load, name: nameOf(load) }));
  const [first] = found;
  if (first === undefined || first.name === null) return null;
  if (found.some(({ name }) => valueOf(name) !== valueOf(first.name))) return null;
  const entry = entryOf(first.load, "pretrained_model_name_or_path") ?? entryOf(first.load, "model_name");
  return { name: { value: valueOf(first.name), node: first.name, entry }, revision: stringSetting(first.load, "revision", "main") };
}

function nameOf(load: LocatedMapping): Located | null {
  return load.call?.positional[0] ?? (entryOf(load, "pretrained_model_name_or_path") ?? entryOf(load, "model_name"))?.value ?? null;
}

function valueOf(node: Located | null): string | null {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : null;
}

const CONFIGS: Readonly<Record<string, TrainingConfig["quantization"]["kind"]>> = { GPTQConfig: "gptq", AwqConfig: "awq", AqlmConfig: "aqlm", EetqConfig: "eetq", HqqConfig: "hqq" };

/** What the file loads its model with: `quantization_config=`, or the older switches. Unknown where it loads several in different ways. */
export function loadedQuantization(document: ConfigDocument): TrainingConfig["quantization"] {
  const [first, ...others] = loads(document).map(quantizationOf);
  if (first === undefined) return UNQUANTIZED;
  return others.every(({ kind }) => kind === first.kind) ? first : { kind: "unknown", node: null, entry: null };
}

function quantizationOf(load: LocatedMapping): TrainingConfig["quantization"] {
  const entry = entryOf(load, "quantization_config");
  if (entry === null) return switchedQuantization(load, ["load_in_4bit", "load_in_8bit"]);
  const node = entry.value;
  if (node.kind === "scalar" && node.value === null) return UNQUANTIZED;
  const found = { node, entry };
  if (node.kind !== "mapping" || node.call === null) return { kind: "unknown", ...found };
  const name = lastPart(node.call.name);
  if (name === "BitsAndBytesConfig") return { ...switchedQuantization(node, ["load_in_4bit", "load_in_8bit"]), ...found };
  return { kind: CONFIGS[name] ?? "unknown", ...found };
}
