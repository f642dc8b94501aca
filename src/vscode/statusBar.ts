import * as vscode from "vscode";
import type { Progress } from "../shared/report";
import { ANALYZING, type CommandId } from "./commandIds";
import { plainText } from "./plainText";
import type { RunningAnalyses } from "./runningAnalyses";
import { statusLabel, statusText } from "./statusText";

/** Left side, after the items of the workspace itself. */
const PRIORITY = 0;
/** Commands that links in the tooltip may run, and no other. */
const LINKED: readonly CommandId[] = ["ranklens.openReport", "ranklens.cancelAnalysis", "ranklens.showLog"];
/** A longer queue is counted, not listed. */
const MOST_LISTED = 8;
/** Progress comes ten times a second; text that changes so fast is not read, and its icon would not turn. */
const DRAW_EVERY_MS = 1000;

/** One item while analyses run: which, how far, how long; a click opens the report, the tooltip cancels. */
export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("ranklens.analysis", vscode.StatusBarAlignment.Left, PRIORITY);
  private listed = "";
  private drawing: NodeJS.Timeout | null = null;

  constructor(private readonly analyses: RunningAnalyses) {
    this.item.name = vscode.l10n.t("RankLens Analysis");
    analyses.onProgress(() => this.progressed());
  }

  dispose(): void {
    if (this.drawing !== null) clearTimeout(this.drawing);
    this.item.dispose();
  }

  private progressed(): void {
    const { all } = this.analyses;
    const listed = all.map(({ path }) => path).join("\0");
    if (listed !== this.listed) {
      this.listed = listed;
      void vscode.commands.executeCommand("setContext", ANALYZING, all.length > 0);
      // Only now: a tooltip that changes closes under the pointer that is on its way to "Cancel".
      this.item.tooltip = tooltip(all);
      this.draw();
    } else {
      this.drawing ??= setTimeout(() => this.draw(), DRAW_EVERY_MS);
    }
  }

  private draw(): void {
    if (this.drawing !== null) clearTimeout(this.drawing);
    this.drawing = null;
    const { all } = this.analyses;
    const [first] = all;
    const text = statusText(all, vscode.l10n.t);
    if (text === null || first === undefined) return this.item.hide();
    const open: CommandId = "ranklens.openReport";
    this.item.text = text;
    this.item.accessibilityInformation = { label: statusLabel(all, vscode.l10n.t) };
    this.item.command = { command: open, title: vscode.l10n.t("Open Report"), arguments: [vscode.Uri.file(first.path)] };
    this.item.show();
  }
}

function tooltip(all: readonly Progress[]): vscode.MarkdownString {
  const text = new vscode.MarkdownString(undefined, true);
  text.isTrusted = { enabledCommands: LINKED };
  for (const { path } of all.slice(0, MOST_LISTED)) {
    text.appendText(plainText(path));
    const links = [`$(open-preview) ${link("ranklens.openReport", vscode.l10n.t("Open Report"), path)}`, `$(stop-circle) ${link("ranklens.cancelAnalysis", vscode.l10n.t("Cancel"), path)}`];
    text.appendMarkdown(`\n\n${links.join(" · ")}\n\n`);
  }
  if (all.length > MOST_LISTED) text.appendText(vscode.l10n.t("{0} more are waiting.", all.length - MOST_LISTED));
  text.appendMarkdown(`\n\n---\n\n$(output) ${link("ranklens.showLog", vscode.l10n.t("Show Log"))}`);
  return text;
}

/** A link of Markdown that runs a command with a model's path; the path is encoded down to its parentheses. */
function link(command: CommandId, label: string, path?: string): string {
  const query = path === undefined ? "" : `?${encodeURIComponent(JSON.stringify([path]))}`;
  return `[${label}](command:${command}${query.replaceAll("(", "%28").replaceAll(")", "%29")})`;
}
