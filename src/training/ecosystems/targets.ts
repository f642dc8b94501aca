import type { PatternEntry, RankPattern, TargetItem, Targets } from "../config";
import { entryOf, textOf, type ConfigDocument, type Located, type LocatedMapping, type LocatedScalar } from "../documents/located";
import { numberOf } from "./settings";

export const DEFAULT_TARGETS: Targets = { form: "default", node: null, entry: null };
export const NO_PATTERN: RankPattern = { entries: [], node: null, entry: null, complete: true };

type ListForm = "list" | "wildcards" | "substrings" | "components" | "in-layer";

export interface TargetRules {
  /** What a list is matched by; PEFT's rule unless told. */
  readonly form?: ListForm;
  /** What a text alone is: PEFT takes it for an expression, others for one name, or several between commas. */
  readonly text?: "regex" | "item" | "commas";
  /** Texts that stand for every linear layer. */
  readonly all?: RegExp;
  /** What holds where the key is absent. */
  readonly absent?: Targets;
}

const PEFT_ALL = /^all-linear$/i;

/** The targets under a key, by the ecosystem's rules. */
export function targetsOf(document: ConfigDocument, mapping: LocatedMapping, key: string, rules: TargetRules = {}): Targets {
  const { form = "list", text = "regex", all = PEFT_ALL, absent = DEFAULT_TARGETS } = rules;
  const entry = entryOf(mapping, key);
  const node = entry?.value ?? null;
  if (entry === null || node === null) return mapping.completeness === "whole" ? absent : { form: "unknown", node: mapping, entry: null };
  if (node.kind === "scalar") {
    if (node.value === null) return absent;
    if (typeof node.value !== "string") return { form: "unknown", node, entry };
    if (all.test(node.value)) return { form: "all-linear", node, entry };
    if (text === "regex") return { form: "regex", item: { text: node.value, range: node.range }, node, entry };
    const items = text === "item" ? [{ text: node.value, range: node.range }] : commaItems(document, node);
    return { form, items, node, entry, complete: true };
  }
  if (node.kind !== "sequence") return { form: "unknown", node, entry };
  const items = node.items.flatMap(itemOf);
  const only = items.length === 1 && node.items.length === 1 ? items[0] : undefined;
  if (only !== undefined && all.test(only.text)) return { form: "all-linear", node, entry };
  return { form, items, node, entry, complete: items.length === node.items.length };
}

function itemOf(item: Located): TargetItem[] {
  return item.kind === "scalar" && typeof item.value === "string" ? [{ text: item.value, range: item.range }] : [];
}

/** The parts of `q_proj,v_proj`, each with its own place where the text stands as it is written. */
export function commaItems(document: ConfigDocument, node: LocatedScalar): TargetItem[] {
  const value = String(node.value);
  const written = textOf(document.text, node.range);
  const inner = written.indexOf(value);
  const items: TargetItem[] = [];
  let at = 0;
  for (const part of value.split(",")) {
    const text = part.trim();
    const start = node.range.start + inner + at + part.indexOf(text);
    if (text !== "") items.push({ text, range: inner < 0 ? node.range : { start, end: start + text.length } });
    at += part.length + 1;
  }
  return items;
}

/** `rank_pattern` or `alpha_pattern` under a key. */
export function patternOf(mapping: LocatedMapping, key: string): RankPattern {
  const entry = entryOf(mapping, key);
  if (entry === null) return { ...NO_PATTERN, complete: mapping.completeness === "whole" };
  const node = entry.value;
  if (node.kind === "scalar" && node.value === null) return NO_PATTERN;
  if (node.kind !== "mapping" || node.call !== null) return { entries: [], node, entry, complete: false };
  // A later entry of the same key gives its value, in the place of the first.
  const entries = new Map<string, PatternEntry>();
  for (const inner of node.entries) entries.set(inner.key, { key: inner.key, keyRange: inner.keyRange, value: numberOf(inner.value), entry: inner });
  return { entries: [...entries.values()], node, entry, complete: node.completeness === "whole" };
}
