import { basename, dirname } from "node:path";
import * as vscode from "vscode";
import { isPartOf } from "./modelFiles";
import type { HostToPage } from "../shared/page";
import type { PageConnection } from "./pageConnection";

/** A model is written in many steps; it is looked at again when nothing was written for so long. */
const SETTLED_AFTER_MS = 700;

/** A report that is shown in one editor or several: their pages, and the model's files on the disk. */
export class ReportDocument implements vscode.CustomDocument {
  readonly pages = new Map<vscode.WebviewPanel, PageConnection<HostToPage>>();
  private readonly watcher: vscode.FileSystemWatcher | null;
  private settled: NodeJS.Timeout | null = null;

  /**
   * @param onChanged told after the model's files were written, replaced or removed
   * @param onDisposed told when its last editor is closed
   */
  constructor(
    readonly uri: vscode.Uri,
    private readonly onChanged: () => void,
    private readonly onDisposed: (document: ReportDocument) => void,
  ) {
    this.watcher = uri.scheme === "file" ? this.watch() : null;
  }

  get isVisible(): boolean {
    return [...this.pages.keys()].some((panel) => panel.visible);
  }

  dispose(): void {
    if (this.settled !== null) clearTimeout(this.settled);
    this.watcher?.dispose();
    this.onDisposed(this);
  }

  /** Not recursive: the folder of a model may be a home folder. */
  private watch(): vscode.FileSystemWatcher {
    const folder = vscode.Uri.file(dirname(this.uri.fsPath));
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, "*"));
    const model = basename(this.uri.fsPath);
    const look = (uri: vscode.Uri): void => {
      if (!isPartOf(basename(uri.fsPath), model)) return;
      if (this.settled !== null) clearTimeout(this.settled);
      this.settled = setTimeout(() => this.onChanged(), SETTLED_AFTER_MS);
    };
    watcher.onDidChange(look);
    watcher.onDidCreate(look);
    watcher.onDidDelete(look);
    return watcher;
  }
}
