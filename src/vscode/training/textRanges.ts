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

/** One undo takes all of it back; the editor's menu of actions shows a preview of it on Ctrl+Enter. */
export function workspaceEdit(document: vscode.TextDocument, edits: readonly RangeEdit[]): vscode.WorkspaceEdit {
  const result = new vscode.WorkspaceEdit();
  for (const { range, text } of edits) result.replace(document.uri, editorRange(document, range), text);
  return result;
}
