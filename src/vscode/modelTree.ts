import { basename } from "node:path";
import * as vscode from "vscode";
import { modelLook } from "./badgeText";
import type { Badges } from "./badges";
import { MODELS_VIEW, type CommandId } from "./commandIds";
import { MOST_MODELS } from "./modelFiles";
import type { ModelFinder } from "./modelFinder";
import type { FolderEntry, ModelEntry } from "./modelGroups";
import { plainText } from "./plainText";
import type { RunningAnalyses } from "./runningAnalyses";

interface NoticeEntry {
  readonly kind: "notice";
  readonly text: string;
}

export type TreeEntry = FolderEntry | ModelEntry | NoticeEntry;

/** Items that changed are drawn again together: progress comes ten times a second, badges by the dozen. */
const DRAW_EVERY_MS = 500;
/** With more models than this the folders start closed, and no header is read until one is opened. */
const MOST_OPEN = 50;
const OPEN_REPORT: CommandId = "ranklens.openReport";

/** The Models view: the workspace's model files by folder, with what is known of each. */
export class ModelTree implements vscode.TreeDataProvider<TreeEntry>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<TreeEntry[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly drawn = new Map<string, ModelEntry>();
  private readonly outdated = new Set<string>();
  private drawing: NodeJS.Timeout | null = null;
  private startsOpen = true;

  constructor(
    private readonly finder: ModelFinder,
    private readonly badges: Badges,
    private readonly analyses: RunningAnalyses,
  ) {
    finder.onListChanged(() => this.changed.fire(undefined));
    badges.onKnown((path) => this.drawLater(path));
    analyses.onProgress(({ path }) => this.drawLater(path));
  }

  register(): vscode.TreeView<TreeEntry> {
    return vscode.window.createTreeView(MODELS_VIEW, { treeDataProvider: this, showCollapseAll: true });
  }

  /** A model's content changed: what was known of it is forgotten. */
  forget(path?: string): void {
    this.badges.forget(path);
    if (path === undefined) this.changed.fire(undefined);
    else this.drawLater(path);
  }

  async getChildren(entry?: TreeEntry): Promise<TreeEntry[]> {
    if (entry !== undefined) return entry.kind === "folder" ? [...entry.models] : [];
    const { folders, truncated } = await this.finder.models();
    this.startsOpen = folders.reduce((sum, { models }) => sum + models.length, 0) <= MOST_OPEN;
    const [only, ...others] = folders;
    const entries: TreeEntry[] = only !== undefined && others.length === 0 ? [...only.models] : [...folders];
    if (truncated) entries.push({ kind: "notice", text: vscode.l10n.t("Only the first {0} model files are listed.", MOST_MODELS) });
    return entries;
  }

  getTreeItem(entry: TreeEntry): vscode.TreeItem {
    if (entry.kind === "model") return this.modelItem(entry);
    if (entry.kind === "notice") return new vscode.TreeItem(entry.text);
    const item = new vscode.TreeItem(plainText(entry.label), this.startsOpen ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed);
    item.id = `folder:${entry.label}`;
    item.iconPath = vscode.ThemeIcon.Folder;
    item.contextValue = "folder";
    return item;
  }

  dispose(): void {
    if (this.drawing !== null) clearTimeout(this.drawing);
  }

  private modelItem(model: ModelEntry): vscode.TreeItem {
    this.drawn.set(model.path, model);
    const uri = vscode.Uri.file(model.path);
    const look = modelLook(model, this.badges.get(model.path), this.analyses.progressOf(model.path), vscode.l10n.t);
    const item = new vscode.TreeItem(plainText(model.name));
    item.id = model.path;
    item.resourceUri = uri;
    item.iconPath = new vscode.ThemeIcon(look.icon, look.state === "done" ? new vscode.ThemeColor("charts.green") : look.state === "fault" ? new vscode.ThemeColor("list.errorForeground") : undefined);
    item.description = look.description;
    item.tooltip = look.tooltip;
    item.contextValue = `model.${look.state}`;
    item.accessibilityInformation = { label: look.label };
    item.command = { command: OPEN_REPORT, title: vscode.l10n.t("Open Report of {0}", basename(model.path)), arguments: [uri] };
    return item;
  }

  private drawLater(path: string): void {
    if (!this.drawn.has(path)) return;
    this.outdated.add(path);
    this.drawing ??= setTimeout(() => {
      this.drawing = null;
      const entries = [...this.outdated].flatMap((each) => this.drawn.get(each) ?? []);
      this.outdated.clear();
      if (entries.length > 0) this.changed.fire(entries);
    }, DRAW_EVERY_MS);
  }
}
