import { withInterpolations } from "./interpolations";
import { parseJson } from "./json";
import { type ConfigDocument, type DocumentLanguage } from "./located";
import { parsePython } from "./python";
import { parseToml } from "./toml";
import { parseYaml } from "./yaml";
import { CHARACTERS_AT_MOST } from "../../shared/configReading";

/** Reads a text into its tree. Never throws; a text beyond `CHARACTERS_AT_MOST` is read as an empty one that is not whole. */
export function readDocument(text: string, language: DocumentLanguage, fileName: string): ConfigDocument {
  const head = { language, fileName, text };
  if (text.length > CHARACTERS_AT_MOST) return { ...head, root: null, calls: [], comments: [], whole: false };
  if (language === "python") return { ...head, root: null, whole: true, ...parsePython(text) };
  const parsed = language === "yaml" ? parseYaml(text) : language === "json" ? parseJson(text) : parseToml(text);
  return { ...head, calls: [], comments: parsed.comments, whole: parsed.whole, root: parsed.root && withInterpolations(parsed.root) };
}
