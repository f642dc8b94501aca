import type { ConfigFinding, ConfigFix } from "../../../src/shared/configReading";
import type { ModelModules } from "../../../src/training/base/modelModules";
import { findingsOf } from "../../../src/training/checks/checks";
import type { DocumentLanguage } from "../../../src/training/documents/located";
import { readConfigs } from "../../../src/training/ecosystems/ecosystems";

/** What is found in a text, of one check or of all. */
export function findings(text: string, language: DocumentLanguage, model: ModelModules | null, code?: string, fileName = language === "json" ? "adapter_config.json" : "config"): ConfigFinding[] {
  const all = readConfigs(text, language, fileName).flatMap((config) => findingsOf(config, model));
  return code === undefined ? all : all.filter((finding) => finding.code === code);
}

/** The text with a fix's edits, which must not overlap. */
export function fixed(text: string, { edits }: Pick<ConfigFix, "edits">): string {
  const ordered = [...edits].sort((a, b) => b.range.start - a.range.start);
  for (const [index, edit] of ordered.entries()) {
    const next = ordered[index + 1];
    if (next !== undefined && next.range.end > edit.range.start) throw new Error("Edits overlap");
  }
  return ordered.reduce((all, { range, text: replacement }) => all.slice(0, range.start) + replacement + all.slice(range.end), text);
}
