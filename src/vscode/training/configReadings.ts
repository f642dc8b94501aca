import * as vscode from "vscode";
import type { EngineClient } from "../../engine/client";
import { NOTHING_READ, type ConfigReading } from "../../shared/configReading";
import { configText, languageOf } from "./configFiles";
import { chosenBases, isEnabled } from "./trainingSettings";

/** A person who types pauses this long before the text is read again. Milliseconds. */
const PAUSE_MS = 200;

interface Kept {
  readonly version: number;
  readonly reading: Promise<ConfigReading>;
}

/** What the engine has read of each open document: once for each version of it, however many providers ask. */
export class ConfigReadings implements vscode.Disposable {
  private readonly kept = new Map<vscode.TextDocument, Kept>();
  private readonly waiting = new Map<vscode.TextDocument, NodeJS.Timeout>();
  private readonly read = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly subscriptions: vscode.Disposable[];
  /** A document was read, or has no longer anything to say. */
  readonly onRead = this.read.event;

  constructor(
    private readonly engine: Pick<EngineClient, "request">,
    private readonly onError: (error: unknown) => void,
  ) {
    const { workspace, window } = vscode;
    this.subscriptions = [
      workspace.onDidOpenTextDocument((document) => this.later(document, 0)),
      workspace.onDidChangeTextDocument(({ document }) => this.later(document, PAUSE_MS)),
      workspace.onDidCloseTextDocument((document) => this.forget(document)),
      // A base model may have been downloaded meanwhile.
      window.onDidChangeActiveTextEditor((editor) => editor !== undefined && this.later(editor.document, 0, true)),
    ];
  }

  start(): void {
    for (const document of vscode.workspace.textDocuments) this.later(document, 0);
  }

  /** The reading of a document as it is now. Never rejects: what cannot be read has nothing to say. */
  of(document: vscode.TextDocument): Promise<ConfigReading> {
    const known = this.kept.get(document);
    if (known?.version === document.version) return known.reading;
    const text = isEnabled() ? configText(document, chosenBases(document.uri)) : null;
    const reading = text === null ? Promise.resolve(NOTHING_READ) : this.engine.request("readConfig", text).catch((error: unknown) => {
      this.onError(error);
      return NOTHING_READ;
    });
    this.kept.set(document, { version: document.version, reading });
    return reading;
  }

  /** Settings or base models are others now: everything open is read again. */
  refresh(): void {
    this.kept.clear();
    this.start();
  }

  dispose(): void {
    for (const timer of this.waiting.values()) clearTimeout(timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.read.dispose();
  }

  private later(document: vscode.TextDocument, pause: number, anew = false): void {
    if (languageOf(document) === null || document.isClosed) return;
    clearTimeout(this.waiting.get(document));
    this.waiting.set(document, setTimeout(() => {
      this.waiting.delete(document);
      if (anew) this.kept.delete(document);
      void this.of(document).then(() => this.read.fire(document));
    }, pause));
  }

  private forget(document: vscode.TextDocument): void {
    clearTimeout(this.waiting.get(document));
    this.waiting.delete(document);
    this.kept.delete(document);
    this.read.fire(document);
  }
}
