import * as vscode from "vscode";
import type { Severity } from "../../shared/configReading";

const SECTION = "ranklens.training";

export function isEnabled(): boolean {
  return vscode.workspace.getConfiguration(SECTION).get("enabled") !== false;
}

/** Paths of base models by the names that configs give them, as the person has chosen them. */
export function chosenBases(scope: vscode.Uri): Record<string, string> {
  const value: unknown = vscode.workspace.getConfiguration(SECTION, scope).get("baseModels");
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== ""));
}

/** Keeps a choice in the workspace's settings, or in the person's where no folder is open. */
export async function chooseBase(scope: vscode.Uri, name: string, path: string): Promise<void> {
  const target = vscode.workspace.workspaceFolders === undefined ? vscode.ConfigurationTarget.Global : vscode.ConfigurationTarget.Workspace;
  await vscode.workspace.getConfiguration(SECTION, scope).update("baseModels", { ...chosenBases(scope), [name]: path }, target);
}

/** @returns what the person has set for a check: another severity, `off`, or null for the check's own */
export function severityOf(code: string, scope: vscode.Uri): Severity | "off" | null {
  const value: unknown = vscode.workspace.getConfiguration(SECTION, scope).get("checks");
  const set: unknown = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[code] : undefined;
  return set === "off" || set === "error" || set === "warning" || set === "information" || set === "hint" ? set : null;
}
