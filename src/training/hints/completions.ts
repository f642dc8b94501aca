import type { ConfigCompletion, TextRange } from "../../shared/configReading";
import type { ModelModules } from "../base/modelModules";
import type { EcosystemId, Targets, TrainingConfig } from "../config";
import { keyText, scalarText } from "../documents/edits/plain";
import { styleOf } from "../documents/edits/style";
import type { Located, LocatedSequence } from "../documents/located";
import { ALL_LINEAR } from "../matching/targets";
import { lastPart, membersText, namesOf } from "./moduleGroups";

/** Names that a project has of its own for parts of a layer, whatever the base model calls them. */
const VOCABULARIES: Readonly<Partial<Record<EcosystemId, readonly string[]>>> = {
  torchtune: ["q_proj", "k_proj", "v_proj", "output_proj"],
  nemo: ["linear_qkv", "linear_proj", "linear_fc1", "linear_fc2"],
};

/** What can be written where the cursor stands: names of the base model's modules, in a list of targets or as a key of a rank pattern. */
export function completionsAt(config: TrainingConfig, model: ModelModules, at: number): ConfigCompletion[] {
  const lists = [config.targets, ...(config.exclude === null ? [] : [config.exclude]), ...(config.optimizer.projected === null ? [] : [config.optimizer.projected.targets])];
  for (const targets of lists) {
    const place = targetPlace(targets, config.document.text, at);
    if (place !== null) return targetItems(config, targets, model, place);
  }
  const key = config.rankPattern.entries.concat(config.alphaPattern.entries).find(({ keyRange }) => within(keyRange, at));
  return key === undefined ? [] : named(model, (name) => ({ range: key.keyRange, text: keyText(name, styleOf(config.document)) }));
}

interface Place {
  readonly range: TextRange;
  readonly written: readonly string[];
  /** One value instead of a list: then "all-linear" fits too. */
  readonly single: boolean;
}

const within = ({ start, end }: TextRange, at: number): boolean => start <= at && at <= end;

function targetPlace(targets: Targets, text: string, at: number): Place | null {
  const { node } = targets;
  if (node === null) return null;
  if (node.kind === "sequence") return itemPlace(node, text, at);
  if (node.kind !== "scalar" || !within(node.range, at)) return null;
  const items = "items" in targets ? targets.items : [];
  const item = items.find(({ range }) => within(range, at));
  // One of several names in a text, between commas.
  if (item !== undefined && items.length > 1) return { range: item.range, written: items.filter((other) => other !== item).map((other) => other.text), single: false };
  return { range: node.range, written: [], single: true };
}

function itemPlace(sequence: LocatedSequence, text: string, at: number): Place | null {
  const item = sequence.items.find(({ range }) => within(range, at));
  const written = sequence.items.filter((other) => other !== item).map(textOf);
  if (item !== undefined) return item.kind === "scalar" ? { range: item.range, written, single: false } : null;
  // Between two commas, or after a dash: only blanks around the cursor.
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  const between = sequence.style === "flow" ? within({ start: sequence.range.start + 1, end: sequence.range.end - 1 }, at) && /[[,]\s*$/.test(line) : /^\s*-\s+$/.test(line) && at >= sequence.range.start;
  return between ? { range: { start: at, end: at }, written, single: false } : null;
}

const textOf = (node: Located): string => (node.kind === "scalar" && typeof node.value === "string" ? node.value : "");

function targetItems({ document, keys, method, ecosystem }: TrainingConfig, targets: Targets, model: ModelModules, { range, written, single }: Place): ConfigCompletion[] {
  const style = styleOf(document);
  const mark = document.text.charAt(range.start);
  const quote = mark === '"' || mark === "'" ? mark : document.language === "yaml" ? "" : null;
  const write = (name: string): ConfigCompletion["edit"] => ({ range, text: scalarText(name, style, quote) });
  const all = single && method === "lora" && keys.targets === "target_modules" ? [{ label: ALL_LINEAR, detail: "every linear layer but the output head", edit: write(ALL_LINEAR), order: "0" }] : [];
  const own = VOCABULARIES[ecosystem];
  if (own !== undefined) return own.filter((name) => !written.includes(name)).map((name, index) => ({ label: name, detail: "", edit: write(name), order: orderOf(index) }));
  return [...all, ...named(model, write, written, NAMES[targets.form] ?? lastPart)];
}

function named(model: ModelModules, write: (name: string) => ConfigCompletion["edit"], without: readonly string[] = [], nameOf = lastPart): ConfigCompletion[] {
  const linear = model.modules.filter(({ kind }) => kind === "linear"), others = model.modules.filter(({ kind }) => kind === "conv" || kind === "conv_transpose" || kind === "embedding");
  return [...namesOf(linear, nameOf), ...namesOf(others, nameOf)].filter(({ name }) => !without.includes(name)).map(({ name, modules }, index) => (
    { label: name, detail: membersText(modules), edit: write(name), order: orderOf(index) }));
}

/** Names in the form that a list takes: within a layer, "self_attn.q_proj" (mlx-lm), or with a wildcard, "*.q_proj" (NeMo Automodel). */
const NAMES: Readonly<Partial<Record<Targets["form"], (name: string) => string>>> = {
  "in-layer": (name) => /\.\d+\.(.+)$/.exec(name)?.[1] ?? name,
  wildcards: (name) => `*.${lastPart(name)}`,
};

const orderOf = (index: number): string => String(index + 1).padStart(4, "0");
