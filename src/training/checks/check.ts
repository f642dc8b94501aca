import type { ConfigFix, Severity, TextRange } from "../../shared/configReading";
import type { AdaptedOutcome } from "../adapted";
import type { ModelModules } from "../base/modelModules";
import type { Located, LocatedEntry } from "../documents/located";
import type { Setting, TrainingConfig } from "../config";

/** What a check looks at. Without a base model it says what the file alone shows. */
export interface Subject {
  readonly config: TrainingConfig;
  readonly model: ModelModules | null;
  /** Null without a model. */
  readonly outcome: AdaptedOutcome | null;
}

/** What a check found; its code and link are added to it. */
export interface Found {
  /** By consequence: error, a run stops or trains nothing; warning, it trains something else than written; information, it is good to know. */
  readonly severity: Severity;
  /** One sentence or two with the figures, for a person. */
  readonly message: string;
  readonly range: TextRange;
  readonly fixes: readonly ConfigFix[];
}

/** One thing that goes wrong in training configs. */
export interface Check {
  /** Stable: settings and comments name it. */
  readonly code: string;
  /** Where somebody met it, or where it is documented. */
  readonly link: string;
  find(subject: Subject): readonly Found[];
}

/** Where a finding about a setting stands: its value, else its key, else the head of the config. */
export function placeOf(config: TrainingConfig, { node, entry }: { readonly node: Located | null; readonly entry: LocatedEntry | null }): TextRange {
  if (entry !== null) return entry.borrowed ? entry.keyRange : entry.value.range.end > entry.value.range.start ? firstLine(config, entry.value.range) : entry.keyRange;
  return node === null ? headOf(config) : firstLine(config, node.range);
}

/** The call's name, or the first key of the section. */
export function headOf({ section }: TrainingConfig): TextRange {
  return section.call?.range ?? section.entries.find(({ keyRange }) => keyRange.start >= section.range.start)?.keyRange ?? section.range;
}

/** Findings underline no more than a line. */
function firstLine({ document: { text } }: TrainingConfig, range: TextRange): TextRange {
  const end = text.indexOf("\n", range.start);
  return end < 0 || end >= range.end ? range : { start: range.start, end: text.charAt(end - 1) === "\r" ? end - 1 : end };
}

/** Written, or known by default: a value that a run cannot change. */
export function isOn({ value }: Setting<boolean>): boolean {
  return value === true;
}

/** "1 module", "32 modules". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** As an article's reader expects: "a, b and c", and no more than some of them. */
export function listed(names: readonly string[], most = 4): string {
  if (names.length > most) return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}

/** A figure as people read it, without a tail of rounding. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
