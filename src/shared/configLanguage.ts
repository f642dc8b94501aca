import type { ConfigText } from "./configReading";

/** Languages of training configs by the ending of their file. */
export const LANGUAGE_BY_ENDING: Readonly<Record<string, ConfigText["language"]>> = { yaml: "yaml", yml: "yaml", json: "json", toml: "toml", py: "python" };

/** @param path of a file; `/` and `\` both part its folders */
export function languageByEnding(path: string): ConfigText["language"] | null {
  return LANGUAGE_BY_ENDING[/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? null;
}
