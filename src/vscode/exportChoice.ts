import * as vscode from "vscode";
import type { ExportFormat } from "../shared/protocol";
import { REPORT_FILE_LABELS } from "./reportFiles";

interface ExportChoice {
  readonly format: ExportFormat;
  /** With all singular values. */
  readonly spectrum: boolean;
}

/** @returns null when the person chooses none */
export async function chooseExport(): Promise<ExportChoice | null> {
  const items: (vscode.QuickPickItem & ExportChoice)[] = [
    { format: "json", spectrum: false, label: REPORT_FILE_LABELS.json, description: vscode.l10n.t("all measures, for other programs") },
    { format: "json", spectrum: true, label: vscode.l10n.t("JSON with singular values"), description: vscode.l10n.t("as many numbers as the matrices have rows or columns") },
    { format: "csv", spectrum: false, label: REPORT_FILE_LABELS.csv, description: vscode.l10n.t("one line for each matrix, for a spreadsheet") },
    { format: "markdown", spectrum: false, label: REPORT_FILE_LABELS.markdown, description: vscode.l10n.t("a table to read") },
  ];
  const choice = await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Export Report"), placeHolder: vscode.l10n.t("Format") });
  return choice === undefined ? null : { format: choice.format, spectrum: choice.spectrum };
}
