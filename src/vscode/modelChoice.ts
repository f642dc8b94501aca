import { basename, dirname } from "node:path";
import * as vscode from "vscode";
import { modelPath } from "./modelUri";
import { DIALOG_EXTENSIONS, isModelFile } from "./modelFiles";
import type { ModelFinder } from "./modelFinder";
import { plainText } from "./plainText";
import type { TreeEntry } from "./modelTree";

/**
 * Paths of the models that a command is for. Menus pass the item and the selection (URIs in the Explorer, entries in
 * the Models view), links in the status bar a path; a key or the palette pass nothing.
 * @throws Fault when what was passed is no model on a disk
 */
export function modelsOf(args: readonly unknown[]): string[] {
  const uris = urisOf(args);
  // A selection of several may hold other files too: they are left out. One alone gets its sentence.
  const models = uris.length > 1 ? uris.filter(({ path }) => isModelFile(path)) : uris;
  return models.map((uri) => modelPath(uri, vscode.l10n.t));
}

/** What a command was given, by a menu as an item and the selection around it. */
export function urisOf([item, selection]: readonly unknown[]): vscode.Uri[] {
  const selected = Array.isArray(selection) ? selection.flatMap((each) => pathlike(each) ?? []) : [];
  return selected.length > 0 ? selected : [pathlike(item) ?? []].flat();
}

/** The model whose report or file is in the active editor; null without one. @throws Fault when it is on no disk */
export function activeModel(): string | null {
  const input = activeInput();
  return input instanceof vscode.TabInputCustom ? modelOf(input.uri) : activeModelFile();
}

/** The model that the active editor shows as a file, not as a report; null without one. @throws Fault when it is on no disk */
export function activeModelFile(): string | null {
  const input = activeInput();
  return input instanceof vscode.TabInputText ? modelOf(input.uri) : null;
}

const activeInput = (): unknown => vscode.window.tabGroups.activeTabGroup.activeTab?.input;
const modelOf = (uri: vscode.Uri): string | null => (isModelFile(uri.path) ? modelPath(uri, vscode.l10n.t) : null);

/** Lets the person choose among the workspace's models, or any file. @returns null when they choose none */
export async function chooseModel(finder: ModelFinder, title: string): Promise<string | null> {
  const browse: vscode.QuickPickItem = { label: `$(folder-opened) ${vscode.l10n.t("Browse…")}`, alwaysShow: true };
  const choices = async (): Promise<(vscode.QuickPickItem & { path?: string })[]> => {
    const { folders } = await finder.models();
    const models = folders.flatMap((folder) => folder.models.map(({ path, name }) => ({ path, label: plainText(name), description: plainText(folder.label) })));
    return [...models, browse];
  };
  const hasFolder = (vscode.workspace.workspaceFolders?.length ?? 0) > 0;
  if (!hasFolder) return browseForModel(title);
  const choice = await vscode.window.showQuickPick(choices(), { title, placeHolder: vscode.l10n.t("Model file"), matchOnDescription: true });
  if (choice === undefined) return null;
  return choice.path ?? browseForModel(title);
}

async function browseForModel(title: string): Promise<string | null> {
  const active = vscode.window.activeTextEditor?.document.uri;
  const [uri] = (await vscode.window.showOpenDialog({
    title,
    openLabel: vscode.l10n.t("Choose"),
    filters: { [vscode.l10n.t("Model files")]: DIALOG_EXTENSIONS },
    ...(active?.scheme === "file" ? { defaultUri: vscode.Uri.file(dirname(active.fsPath)) } : {}),
  })) ?? [];
  return uri === undefined ? null : modelPath(uri, vscode.l10n.t);
}

/** For a list of running analyses. @returns null when the person chooses none */
export async function chooseAmong(paths: readonly string[], title: string): Promise<string | null> {
  const items = paths.map((path) => ({ path, label: plainText(basename(path)), description: plainText(dirname(path)) }));
  return (await vscode.window.showQuickPick(items, { title }))?.path ?? null;
}

function pathlike(value: unknown): vscode.Uri | null {
  if (value instanceof vscode.Uri) return value;
  if (typeof value === "string") return vscode.Uri.file(value);
  return isModelEntry(value) ? vscode.Uri.file(value.path) : null;
}

function isModelEntry(value: unknown): value is TreeEntry & { kind: "model" } {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "model";
}
