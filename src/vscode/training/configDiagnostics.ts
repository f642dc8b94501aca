import * as vscode from "vscode";
import type { ConfigFinding, Severity } from "../../shared/configReading";
import type { ConfigReadings } from "./configReadings";
import { editorRange } from "./textRanges";
import { severityOf } from "./trainingSettings";

export const DIAGNOSTICS_SOURCE = "RankLens";

const SEVERITIES: Readonly<Record<Severity, vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
  hint: vscode.DiagnosticSeverity.Hint,
};

/** Shows the findings of every open config in the editor and in the list of problems. */
export class ConfigDiagnostics implements vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection("ranklens");
  private readonly subscription: vscode.Disposable;

  constructor(private readonly readings: ConfigReadings) {
    this.subscription = readings.onRead((document) => void this.show(document));
  }

  dispose(): void {
    this.subscription.dispose();
    this.collection.dispose();
  }

  private async show(document: vscode.TextDocument): Promise<void> {
    if (document.isClosed) return this.collection.delete(document.uri);
    const { version } = document;
    const { findings } = await this.readings.of(document);
    // Typed on meanwhile: the next reading is under way.
    if (document.version !== version) return;
    const shown = findings.flatMap((finding) => {
      const severity = severityOf(finding.code, document.uri) ?? finding.severity;
      return severity === "off" ? [] : [diagnostic(document, finding, SEVERITIES[severity])];
    });
    this.collection.set(document.uri, shown);
  }
}

function diagnostic(document: vscode.TextDocument, { code, message, range, link }: ConfigFinding, severity: vscode.DiagnosticSeverity): vscode.Diagnostic {
  const result = new vscode.Diagnostic(editorRange(document, range), message, severity);
  result.source = DIAGNOSTICS_SOURCE;
  result.code = { value: code, target: vscode.Uri.parse(link) };
  return result;
}
