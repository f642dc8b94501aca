import { basename, dirname } from "node:path";
import * as vscode from "vscode";
import { LANGUAGE_BY_ENDING, languageByEnding } from "../../shared/configLanguage";
import { CHARACTERS_AT_MOST, type ConfigText } from "../../shared/configReading";

type Language = ConfigText["language"];

const BY_LANGUAGE: Readonly<Record<string, Language>> = { yaml: "yaml", dockercompose: "yaml", json: "json", jsonc: "json", toml: "toml", python: "python" };

/** Where training configs are looked for; a TOML file is plain text to an editor without an extension for it. */
export const CONFIG_SELECTOR: vscode.DocumentSelector = [
  ...Object.keys(BY_LANGUAGE).map((language) => ({ language })),
  { pattern: `**/*.{${Object.keys(LANGUAGE_BY_ENDING).join(",")}}` },
];

/** Words of which every kind of training config has one. Other files cost this one look, and start no process. */
const MARKS = /lora|dora\b|peft|adapter|finetun|fine_tune|network_module|network_dim|tuner_type|galore|apollo|adamw_|optimizer\.step|Trainer\(/i;

export function languageOf(document: vscode.TextDocument): Language | null {
  return BY_LANGUAGE[document.languageId] ?? languageByEnding(document.uri.path);
}

/** The text of a document that may be a training config; null for all others. */
export function configText(document: vscode.TextDocument, chosenBases: Readonly<Record<string, string>>): ConfigText | null {
  const language = languageOf(document);
  // The sides of a comparison with an older version are not to be corrected.
  if (language === null || document.uri.scheme === "git") return null;
  const text = document.getText();
  if (text.length > CHARACTERS_AT_MOST || !MARKS.test(text)) return null;
  return { text, language, fileName: basename(document.uri.path), folders: foldersOf(document.uri), chosenBases };
}

function foldersOf(uri: vscode.Uri): string[] {
  const own = uri.scheme === "file" || uri.scheme === "vscode-notebook-cell" ? [dirname(uri.fsPath)] : [];
  const workspace = vscode.workspace.workspaceFolders?.flatMap((folder) => (folder.uri.scheme === "file" ? [folder.uri.fsPath] : [])) ?? [];
  return [...new Set([...own, ...workspace])];
}
