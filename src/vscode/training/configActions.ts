import * as vscode from "vscode";
import type { ConfigFinding, ConfigFix, ConfigReading, RangeEdit, TextRange } from "../../shared/configReading";
import type { CommandId } from "../commandIds";
import { DIAGNOSTICS_SOURCE } from "./configDiagnostics";
import type { ConfigReadings } from "./configReadings";
import { textRange, touches, workspaceEdit } from "./textRanges";
import { severityOf } from "./trainingSettings";

const FIX_ALL = vscode.CodeActionKind.SourceFixAll.append("ranklens");

/** Quick fixes of findings, rewrites of what is right but could be otherwise, and all safe fixes at once. */
export class ConfigActions implements vscode.CodeActionProvider {
  static readonly metadata: vscode.CodeActionProviderMetadata = {
    providedCodeActionKinds: [vscode.CodeActionKind.QuickFix, vscode.CodeActionKind.RefactorRewrite, FIX_ALL],
  };

  constructor(private readonly readings: ConfigReadings) {}

  async provideCodeActions(document: vscode.TextDocument, selection: vscode.Range, { diagnostics, only }: vscode.CodeActionContext, token: vscode.CancellationToken): Promise<vscode.CodeAction[]> {
    const { version } = document;
    const reading = await this.readings.of(document);
    if (token.isCancellationRequested || document.version !== version) return [];
    const at = textRange(document, selection);
    const wanted = (kind: vscode.CodeActionKind): boolean => only === undefined || only.intersects(kind);
    return [
      ...(wanted(vscode.CodeActionKind.QuickFix) ? quickFixes(document, reading, at, diagnostics) : []),
      ...(wanted(vscode.CodeActionKind.RefactorRewrite) ? [...rewrites(document, reading, at), ...rankChoices(document, reading, at)] : []),
      ...(only?.intersects(FIX_ALL) === true ? fixAll(document, reading) : []),
    ];
  }
}

function quickFixes(document: vscode.TextDocument, { findings }: ConfigReading, at: TextRange, diagnostics: readonly vscode.Diagnostic[]): vscode.CodeAction[] {
  return shown(document, findings).filter(({ range }) => touches(range, at)).flatMap((finding) => {
    const own = diagnostics.filter(({ source, code, message }) => source === DIAGNOSTICS_SOURCE && typeof code === "object" && code.value === finding.code && message === finding.message);
    return finding.fixes.map((fix) => {
      const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
      action.edit = workspaceEdit(document, fix.edits);
      action.diagnostics = own;
      action.isPreferred = fix.isPreferred;
      return action;
    });
  });
}

function rewrites(document: vscode.TextDocument, reading: ConfigReading, at: TextRange): vscode.CodeAction[] {
  return reading.rewrites.filter(({ range }) => touches(range, at)).map(({ title, edits }) => {
    const action = new vscode.CodeAction(title, vscode.CodeActionKind.RefactorRewrite);
    action.edit = workspaceEdit(document, edits);
    return action;
  });
}

/** What needs a choice first, and time: the command asks, computes, and edits. */
function rankChoices(document: vscode.TextDocument, reading: ConfigReading, at: TextRange): vscode.CodeAction[] {
  const command: CommandId = "ranklens.ranksFromDifference";
  const title = vscode.l10n.t("Set ranks from a fine-tuned model or adapter…");
  return reading.rankChoices.filter(({ range }) => touches(range, at)).map(({ config }) => {
    const action = new vscode.CodeAction(title, vscode.CodeActionKind.RefactorRewrite);
    action.command = { command, title, arguments: [document.uri, config] };
    return action;
  });
}

function fixAll(document: vscode.TextDocument, { findings }: ConfigReading): vscode.CodeAction[] {
  const edits = compatible(shown(document, findings).flatMap(({ fixes }) => fixes.filter(({ isSafe }) => isSafe).slice(0, 1)));
  if (edits.length === 0) return [];
  const action = new vscode.CodeAction(vscode.l10n.t("Fix all that RankLens can fix safely"), FIX_ALL);
  action.edit = workspaceEdit(document, edits);
  return [action];
}

/** Edits of all fixes that do not meet another's; what is left over is found again afterwards. */
function compatible(fixes: readonly ConfigFix[]): RangeEdit[] {
  return fixes.reduce<RangeEdit[]>((taken, { edits }) => (edits.some(({ range }) => taken.some((other) => touches(range, other.range))) ? taken : [...taken, ...edits]), []);
}

const shown = (document: vscode.TextDocument, findings: readonly ConfigFinding[]): ConfigFinding[] => findings.filter(({ code }) => severityOf(code, document.uri) !== "off");
