import * as vscode from "vscode";
import { Fault } from "../shared/fault";
import { REPORT_FILE_LABELS, reportFileEnding, type ReportFileKind } from "./reportFiles";

/**
 * Asks where a report goes and writes it there.
 * @param suggested absolute path, shown as the first choice
 * @returns the path; null when the person cancelled
 * @throws Fault when it cannot be written
 */
export async function saveReport(suggested: string, kind: ReportFileKind, content: Uint8Array): Promise<string | null> {
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(suggested),
    filters: { [REPORT_FILE_LABELS[kind]]: [reportFileEnding(kind)] },
    title: vscode.l10n.t("Export Report"),
    saveLabel: vscode.l10n.t("Export"),
  });
  if (target === undefined) return null;
  try {
    await vscode.workspace.fs.writeFile(target, content);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault("no-permission", vscode.l10n.t("The report could not be written to {0}: {1}.", target.fsPath, reason), vscode.l10n.t("Choose another folder."));
  }
  return target.fsPath;
}
