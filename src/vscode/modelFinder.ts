import * as vscode from "vscode";
import { isUnsearched, MODEL_GLOB, MOST_MODELS, UNSEARCHED_GLOB } from "./modelFiles";
import { groupModels, type FolderEntry, type FoundFile } from "./modelGroups";

/** Files come in numbers (a download, a checkout): the list is made again when none came for so long. */
const SETTLED_AFTER_MS = 500;

export interface FoundModels {
  readonly folders: readonly FolderEntry[];
  /** More were found than are listed. */
  readonly truncated: boolean;
}

/** The workspace's model files: searched when they are asked for, and again after files came or went. */
export class ModelFinder implements vscode.Disposable {
  private found: Promise<FoundModels> | null = null;
  private settled: NodeJS.Timeout | null = null;
  private readonly subscriptions: vscode.Disposable[] = [];
  private readonly listChanged = new vscode.EventEmitter<void>();
  private readonly modelChanged = new vscode.EventEmitter<string>();
  readonly onListChanged = this.listChanged.event;
  /** Path of a model whose content changed. */
  readonly onModelChanged = this.modelChanged.event;

  models(): Promise<FoundModels> {
    this.watch();
    if (this.found === null) {
      const search = this.search();
      this.found = search;
      // A search that failed is tried again the next time.
      search.catch(() => {
        if (this.found === search) this.found = null;
      });
    }
    return this.found;
  }

  /** The next list is made by another search. */
  refresh(): void {
    this.found = null;
    this.listChanged.fire();
  }

  dispose(): void {
    if (this.settled !== null) clearTimeout(this.settled);
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async search(): Promise<FoundModels> {
    const uris = await vscode.workspace.findFiles(MODEL_GLOB, UNSEARCHED_GLOB, MOST_MODELS + 1);
    const severalRoots = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
    const files: FoundFile[] = uris
      .filter(({ scheme }) => scheme === "file")
      .map((uri) => ({ path: uri.fsPath, relative: vscode.workspace.asRelativePath(uri, severalRoots) }));
    return {
      folders: groupModels(files.slice(0, MOST_MODELS), vscode.workspace.name ?? ""),
      truncated: files.length > MOST_MODELS,
    };
  }

  /** Begins with the first list: a window that never shows one pays for no watcher. */
  private watch(): void {
    if (this.subscriptions.length > 0) return;
    const watcher = vscode.workspace.createFileSystemWatcher(MODEL_GLOB);
    const fits = (uri: vscode.Uri): boolean => !isUnsearched(vscode.workspace.asRelativePath(uri, false));
    const listLater = (uri: vscode.Uri): void => {
      if (!fits(uri)) return;
      this.modelChanged.fire(uri.fsPath);
      if (this.settled !== null) clearTimeout(this.settled);
      this.settled = setTimeout(() => this.refresh(), SETTLED_AFTER_MS);
    };
    this.subscriptions.push(
      watcher,
      watcher.onDidCreate(listLater),
      watcher.onDidDelete(listLater),
      watcher.onDidChange((uri) => { if (fits(uri)) this.modelChanged.fire(uri.fsPath); }),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.refresh()),
    );
  }
}
