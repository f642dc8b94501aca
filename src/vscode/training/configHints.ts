import * as vscode from "vscode";
import type { EngineClient } from "../../engine/client";
import type { CommandId } from "../commandIds";
import { plainText } from "../plainText";
import { configText } from "./configFiles";
import type { ConfigReadings } from "./configReadings";
import { editorRange, textRange, touches } from "./textRanges";
import { chosenBases } from "./trainingSettings";

/** What a value means, where the pointer rests on it. */
export class ConfigHovers implements vscode.HoverProvider {
  constructor(private readonly readings: ConfigReadings) {}

  async provideHover(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.Hover | null> {
    const at = textRange(document, new vscode.Range(position, position));
    const found = (await this.readings.of(document)).hovers.find(({ range }) => touches(range, at));
    // Not trusted: the text holds names of files and of tensors.
    return found === undefined ? null : new vscode.Hover(new vscode.MarkdownString(found.markdown), editorRange(document, found.range));
  }
}

/** The rank that each pattern comes to, and whatever else is short enough to stand in the line. */
export class ConfigInlayHints implements vscode.InlayHintsProvider {
  readonly onDidChangeInlayHints: vscode.Event<void>;

  constructor(private readonly readings: ConfigReadings) {
    this.onDidChangeInlayHints = asSignal(readings);
  }

  async provideInlayHints(document: vscode.TextDocument, visible: vscode.Range): Promise<vscode.InlayHint[]> {
    const { hints } = await this.readings.of(document);
    return hints.flatMap(({ at, text, tooltip }) => {
      const position = document.positionAt(at);
      if (!visible.contains(position)) return [];
      const hint = new vscode.InlayHint(position, text);
      hint.paddingLeft = true;
      hint.tooltip = tooltip;
      return [hint];
    });
  }
}

/** Above each config: its base model's ranks, what it trains, and the planner. */
export class ConfigLenses implements vscode.CodeLensProvider {
  readonly onDidChangeCodeLenses: vscode.Event<void>;

  constructor(private readonly readings: ConfigReadings) {
    this.onDidChangeCodeLenses = asSignal(readings);
  }

  async provideCodeLenses(document: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const { configs } = await this.readings.of(document);
    const lens = (range: vscode.Range, title: string, command: CommandId, ...args: unknown[]): vscode.CodeLens => new vscode.CodeLens(range, { title, command, arguments: args });
    return configs.flatMap(({ range: place, base, counts }, index) => {
      const range = editorRange(document, place);
      const name = plainText(base.name ?? "");
      const first = base.path === null
        ? lens(range, base.name === null ? vscode.l10n.t("Choose base model…") : vscode.l10n.t("Choose base model {0}…", name), "ranklens.chooseBaseModel", document.uri, base.name)
        : lens(range, vscode.l10n.t("Analyze ranks of {0}", name === "" ? plainText(base.path) : name), "ranklens.analyzeRanks", vscode.Uri.file(base.path));
      return [first, ...(counts === null ? [] : [lens(range, counts, "ranklens.openPlanner", document.uri, index)])];
    });
  }
}

/** Names and patterns of the base model's modules. */
export class ConfigCompletions implements vscode.CompletionItemProvider {
  static readonly triggers = ["\"", "'", " ", "-", "."];

  constructor(
    private readonly engine: Pick<EngineClient, "request">,
    private readonly onError: (error: unknown) => void,
  ) {}

  async provideCompletionItems(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<vscode.CompletionItem[]> {
    const text = configText(document, chosenBases(document.uri));
    if (text === null) return [];
    const found = await this.engine.request("completeConfig", { ...text, at: document.offsetAt(position) }).catch((error: unknown) => {
      this.onError(error);
      return [];
    });
    if (token.isCancellationRequested) return [];
    return found.map(({ label, detail, edit, order }) => {
      const item = new vscode.CompletionItem({ label, description: detail }, vscode.CompletionItemKind.Value);
      item.range = editorRange(document, edit.range);
      item.insertText = edit.text;
      // What is replaced may begin with a quote.
      item.filterText = document.getText(item.range).startsWith(edit.text.charAt(0)) ? edit.text : label;
      item.sortText = order;
      return item;
    });
  }
}

function asSignal(readings: ConfigReadings): vscode.Event<void> {
  return (listener, self, disposables) => readings.onRead(() => listener.call(self), undefined, disposables);
}
