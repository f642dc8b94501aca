import type { ConfigCompletion, TextRange } from "../../shared/configReading";
import type { ModelModules } from "../base/modelModules";
import type { Targets, TrainingConfig } from "../config";
import { keyText, scalarText } from "../documents/edits/plain";
import { styleOf } from "../documents/edits/style";
import type { Located, LocatedSequence } from "../documents/located";
import { ALL_LINEAR } from "../matching/targets";
import { membersText, namesOf } from "./moduleGroups";

/** What can be written where the cursor stands: names of the base model's modules, in a list of targets or as a key of a rank pattern. */
export function completionsAt(config: TrainingConfig, model: ModelModules, at: number): ConfigCompletion[] {
  const place = targetPlace(config.targets, config.document.text, at) ?? (config.exclude === null ? null : targetPlace(config.exclude, config.document.text, at));
  if (place !== null) return targetItems(config, model, place);
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
  return node.kind === "scalar" && within(node.range, at) && !textOf(node).includes(",") ? { range: node.range, written: [], single: true } : null;
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

function targetItems({ document, keys, method }: TrainingConfig, model: ModelModules, { range, written, single }: Place): ConfigCompletion[] {
  const style = styleOf(document);
  const mark = document.text.charAt(range.start);
  const quote = mark === '"' || mark === "'" ? mark : document.language === "yaml" ? "" : null;
  const write = (name: string): ConfigCompletion["edit"] => ({ range, text: scalarText(name, style, quote) });
  const all = single && method === "lora" && keys.targets === "target_modules" ? [{ label: ALL_LINEAR, detail: "every linear layer but the output head", edit: write(ALL_LINEAR), order: "0" }] : [];
  return [...all, ...named(model, write, written)];
}

function named(model: ModelModules, write: (name: string) => ConfigCompletion["edit"], without: readonly string[] = []): ConfigCompletion[] {
  const linear = model.modules.filter(({ kind }) => kind === "linear"), others = model.modules.filter(({ kind }) => kind === "conv" || kind === "conv_transpose" || kind === "embedding");
  return [...namesOf(linear), ...namesOf(others)].filter(({ name }) => !without.includes(name)).map(({ name, modules }, index) => (
    { label: name, detail: membersText(modules), edit: write(name), order: String(index + 1).padStart(4, "0") }));
}
