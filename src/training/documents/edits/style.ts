import { type ConfigDocument, type DocumentLanguage, type Located, type LocatedMapping } from "../located";
import { columnOf } from "./lines";

/** How a file is written, taken from the file itself. */
export interface DocumentStyle {
  readonly language: DocumentLanguage;
  readonly quote: '"' | "'";
  /** What one level is indented by. */
  readonly unit: string;
  readonly lineBreak: "\n" | "\r\n";
  /** YAML: lists with dashes rather than between brackets. */
  readonly blockLists: boolean;
  /** YAML: what dashes are indented by below their key. */
  readonly dashIndent: string;
  /** JSON: every value of a container in a line of its own. */
  readonly spread: boolean;
}

const USUAL_UNIT: Readonly<Record<DocumentLanguage, string>> = { yaml: "  ", json: "  ", toml: "", python: "    " };

export function styleOf(document: ConfigDocument): DocumentStyle {
  const { language, text } = document;
  const seen: Seen = { double: 0, single: 0, blockLists: 0, flowLists: 0, unit: null, dashIndent: null };
  const roots = document.root === null ? document.calls : [document.root];
  for (const root of roots) look(root, text, seen);
  const root = document.root;
  const first = root?.entries[0];
  const jsonUnit = first === undefined ? null : " ".repeat(columnOf(text, first.keyRange.start));
  const spread = root !== null && text.slice(root.range.start, first?.keyRange.start ?? root.range.start).includes("\n");
  const single = language === "json" || language === "toml" ? false : seen.single > seen.double;
  return {
    language, spread,
    quote: single ? "'" : '"',
    unit: (language === "json" && spread ? indentText(text, jsonUnit) : seen.unit) ?? USUAL_UNIT[language],
    lineBreak: text.includes("\r\n") ? "\r\n" : "\n",
    blockLists: seen.blockLists >= seen.flowLists,
    dashIndent: seen.dashIndent ?? "  ",
  };
}

/** Tabs where the file has tabs. */
function indentText(text: string, unit: string | null): string | null {
  return unit !== null && /\n\t/.test(text) ? "\t" : unit;
}

interface Seen {
  double: number;
  single: number;
  blockLists: number;
  flowLists: number;
  unit: string | null;
  dashIndent: string | null;
}

function look(value: Located, text: string, seen: Seen): void {
  if (value.kind === "scalar" && typeof value.value === "string") {
    const mark = text.charAt(value.range.start);
    if (mark === '"') seen.double++;
    else if (mark === "'") seen.single++;
  } else if (value.kind === "sequence") {
    if (value.style === "block") seen.blockLists++;
    else seen.flowLists++;
    for (const item of value.items) look(item, text, seen);
  } else if (value.kind === "mapping") lookInto(value, text, seen);
}

function lookInto(mapping: LocatedMapping, text: string, seen: Seen): void {
  for (const entry of mapping.entries) {
    const { value } = entry;
    if (!entry.borrowed && mapping.style === "block" && (value.kind === "mapping" || value.kind === "sequence") && value.style === "block") {
      const deeper = columnOf(text, value.range.start) - columnOf(text, entry.keyRange.start);
      if (value.kind === "sequence") seen.dashIndent ??= " ".repeat(Math.max(0, deeper));
      else if (deeper > 0) seen.unit ??= " ".repeat(deeper);
    }
    look(value, text, seen);
  }
}
