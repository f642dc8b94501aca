import * as vscode from "vscode";
import type { RangeEdit, TextRange } from "../../shared/configReading";

/** Ranges of the engine's count characters from the start of the text; the editor's count lines. */
export function editorRange(document: vscode.TextDocument, { start, end }: TextRange): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}

export function touches(range: TextRange, { start, end }: TextRange): boolean {
  return range.start <= end && start <= range.end;
}

export function textRange(document: vscode.TextDocument, range: vscode.Range): TextRange {
  return { start: document.offsetAt(range.start), end: document.offsetAt(range.end) };
}

/** @param confirmed the editor shows a preview first, in which each edit can be left out */
export function workspaceEdit(document: vscode.TextDocument, edits: readonly RangeEdit[], confirmed: { readonly label: string } | null = null): vscode.WorkspaceEdit {
  const result = new vscode.WorkspaceEdit();
  const metadata = confirmed === null ? undefined : { needsConfirmation: true, label: confirmed.label };
  for (const { range, text } of edits) result.replace(document.uri, editorRange(document, range), text, metadata);
  return result;
}
