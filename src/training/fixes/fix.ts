import type { ConfigFix } from "../../shared/configReading";
import type { SettingName, TrainingConfig } from "../config";
import { removeEntry, removeItem, replaceScalar, setEntry } from "../documents/edits/edits";
import type { Plain } from "../documents/edits/plain";
import { textOf, type LocatedSequence, type TextEdit } from "../documents/located";
import type { PatternEntry, Setting, TargetItem, Targets } from "../config";

export interface FixKind {
  /** The right answer, and not one of several. */
  readonly isPreferred?: boolean;
  /** May be applied without being looked at. */
  readonly isSafe?: boolean;
}

/** @returns none where one of the edits would touch more of the file than it should */
export function fix(title: string, edits: readonly (TextEdit | null)[], { isPreferred = false, isSafe = false }: FixKind = {}): ConfigFix[] {
  const possible = edits.filter((edit) => edit !== null);
  return possible.length < edits.length || possible.length === 0 ? [] : [{ title, edits: possible, isPreferred, isSafe }];
}

/** Another value for a setting that is written, or the setting written. */
export function setSetting(config: TrainingConfig, name: SettingName, value: Plain): TextEdit | null {
  const key = config.keys[name];
  if (key === undefined) return null;
  return setEntry(config.document, config.section, key, value, config.rank.entry);
}

/** A number or text in the place of one that is written, also within a text. */
export function setValue(config: TrainingConfig, { node, entry }: Setting<unknown>, value: string | number | boolean): TextEdit | null {
  if (node?.kind !== "scalar" || entry?.borrowed === true) return null;
  // A part of a longer text has no entry of its own, and no quotes.
  if (entry === null && config.document.whole) return { range: node.range, text: String(value) };
  return replaceScalar(config.document, node, value);
}

/** Another name in the place of an item of a list, or of a part of a text between commas; where the list stands elsewhere, there. */
export function renameItem(config: TrainingConfig, targets: Targets, item: TargetItem, name: string): TextEdit | null {
  if (targets.entry === null || !config.document.whole) return null;
  const node = sequenceOf(targets)?.items.find(({ range }) => range.start === item.range.start);
  if (node?.kind === "scalar") return replaceScalar(config.document, node, name);
  return textOf(config.document.text, item.range) === item.text ? { range: item.range, text: name } : null;
}

/** An item of a list taken out. */
export function dropItem(config: TrainingConfig, targets: Targets, item: TargetItem): TextEdit | null {
  const sequence = sequenceOf(targets);
  if (sequence !== null) {
    const node = sequence.items.find(({ range }) => range.start === item.range.start);
    return node === undefined || sequence.items.length < 2 || targets.entry?.borrowed === true ? null : removeItem(config.document, sequence, node);
  }
  return dropPart(config, targets, item);
}

/** Of a text between commas, with one of its commas. */
function dropPart(config: TrainingConfig, targets: Targets, item: TargetItem): TextEdit | null {
  if (!("items" in targets) || targets.items.length < 2 || targets.entry === null || targets.entry.borrowed || !config.document.whole) return null;
  const at = targets.items.indexOf(item);
  const next = targets.items[at + 1], previous = targets.items[at - 1];
  if (at < 0 || textOf(config.document.text, item.range) !== item.text) return null;
  if (next !== undefined) return { range: { start: item.range.start, end: next.range.start }, text: "" };
  return previous === undefined ? null : { range: { start: previous.range.end, end: item.range.end }, text: "" };
}

function sequenceOf(targets: Targets): LocatedSequence | null {
  return targets.node?.kind === "sequence" ? targets.node : null;
}

/** Another key for an entry of a pattern, quoted as the old one. */
export function renameKey({ document }: TrainingConfig, { entry, key, keyRange }: PatternEntry, name: string): TextEdit | null {
  if (!document.whole || entry.borrowed) return null;
  return replaceScalar(document, { kind: "scalar", value: key, range: keyRange }, name);
}

/** An entry of a pattern taken out; the whole pattern with its last. */
export function dropKey(config: TrainingConfig, pattern: TrainingConfig["rankPattern"], { entry }: PatternEntry): TextEdit | null {
  const { document, section } = config;
  if (pattern.node?.kind !== "mapping" || pattern.entry === null || pattern.entry.borrowed || entry.borrowed) return null;
  return pattern.entries.length === 1 ? removeEntry(document, section, pattern.entry) : removeEntry(document, pattern.node, entry);
}
