import { basename, dirname } from "node:path";
import * as vscode from "vscode";
import { Fault } from "../shared/fault";
import { modelOfFolder } from "../shared/modelFolder";
import { MODEL_FOLDERS } from "./commandIds";
import { modelsOf, urisOf } from "./modelChoice";
import { isModelFile, isUnsearched, MOST_MODELS, STANDING_GLOB, UNSEARCHED_GLOB } from "./modelFiles";

/** Files come in numbers: the menu follows when none came for so long. */
const SETTLED_AFTER_MS = 500;
/** Models of one folder that a message names. */
const MOST_NAMED = 4;

/** Tells the Explorer's menu which folders are models: a search for a dozen file names, again after such files came or went. */
export class ModelFolders implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[] = [];
  private settled: NodeJS.Timeout | null = null;

  constructor(private readonly log: (error: unknown) => void) {}

  start(): void {
    const watcher = vscode.workspace.createFileSystemWatcher(STANDING_GLOB, false, true, false);
    const later = (uri: vscode.Uri): void => { if (!isUnsearched(vscode.workspace.asRelativePath(uri, false))) this.later(); };
    this.subscriptions.push(watcher, watcher.onDidCreate(later), watcher.onDidDelete(later), vscode.workspace.onDidChangeWorkspaceFolders(() => this.later()));
    this.later(0);
  }

  dispose(): void {
    if (this.settled !== null) clearTimeout(this.settled);
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private later(milliseconds = SETTLED_AFTER_MS): void {
    if (this.settled !== null) clearTimeout(this.settled);
    this.settled = setTimeout(() => void this.tell().catch(this.log), milliseconds);
  }

  private async tell(): Promise<void> {
    const uris = await vscode.workspace.findFiles(STANDING_GLOB, UNSEARCHED_GLOB, MOST_MODELS);
    const folders = new Set(uris.filter(({ scheme }) => scheme === "file").map(({ fsPath }) => dirname(fsPath)));
    await vscode.commands.executeCommand("setContext", MODEL_FOLDERS, [...folders]);
  }
}

/**
 * The paths of the models that a command is for, as `modelsOf` gives them; a folder counts as the file that stands for it.
 * @throws Fault of `modelsOf`, and when one folder alone is no model
 */
export async function modelsIn(args: readonly unknown[]): Promise<string[]> {
  const uris = urisOf(args);
  const files = await Promise.all(uris.map(async (uri) => ((await isFolder(uri)) ? fileOfFolder(uri, uris.length === 1) : [uri])));
  return modelsOf([undefined, files.flat()]);
}

async function isFolder(uri: vscode.Uri): Promise<boolean> {
  if (uri.scheme !== "file" || isModelFile(uri.path)) return false;
  const type = await vscode.workspace.fs.stat(uri).then((found) => found.type, () => vscode.FileType.Unknown);
  return (type & vscode.FileType.Directory) !== 0;
}

/** @param isAlone whether what fits nothing gets a sentence; among others it is left out */
async function fileOfFolder(folder: vscode.Uri, isAlone: boolean): Promise<vscode.Uri[]> {
  const entries = await vscode.workspace.fs.readDirectory(folder);
  const model = modelOfFolder(entries.filter(([, type]) => (type & vscode.FileType.Directory) === 0).map(([name]) => name).sort(), isModelFile);
  if (model.found === "one") return [vscode.Uri.joinPath(folder, model.name)];
  if (!isAlone) return [];
  const name = basename(folder.path);
  throw model.found === "none"
    ? new Fault("is-a-folder", vscode.l10n.t("{0} holds no model that RankLens reads.", name), vscode.l10n.t("Open a model file instead."))
    : new Fault("is-a-folder", vscode.l10n.t("{0} holds several models: {1}.", name, model.names.slice(0, MOST_NAMED).join(", ")), vscode.l10n.t("Open one of them."));
}
