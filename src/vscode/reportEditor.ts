import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { EngineClient } from "../engine/client";
import type { HostToPage } from "../shared/page";
import type { Progress } from "../shared/report";
import { REPORT_EDITOR } from "./commandIds";
import { modelPath } from "./modelUri";
import { PageConnection } from "./pageConnection";
import { pageHandlers, type PageHandlers } from "./pageHandlers";
import { ReportDocument } from "./reportDocument";
import { reportHtml } from "./reportHtml";
import type { RunningAnalyses } from "./runningAnalyses";
import { saveReport } from "./saveReport";

const NONCE_BYTES = 16;

/** The read-only custom editor of a model file: hosts the report page and reads nothing itself. */
export class ReportEditor implements vscode.CustomReadonlyEditorProvider<ReportDocument> {
  private readonly documents = new Set<ReportDocument>();
  private readonly changed = new vscode.EventEmitter<string>();
  /** The path of a model whose files changed while its report was open. */
  readonly onModelChanged = this.changed.event;

  constructor(
    private readonly extension: vscode.Uri,
    private readonly engine: EngineClient,
    private readonly analyses: RunningAnalyses,
    private readonly log: vscode.LogOutputChannel,
    private readonly factorize: (path: string, only: readonly string[] | null) => Promise<void>,
  ) {
    analyses.onProgress((progress) => this.send(progress));
  }

  register(): vscode.Disposable {
    return vscode.window.registerCustomEditorProvider(REPORT_EDITOR, this, { supportsMultipleEditorsPerDocument: true });
  }

  openCustomDocument(uri: vscode.Uri): ReportDocument {
    const onChanged = (): void => {
      this.changed.fire(uri.fsPath);
      this.reopen(uri.fsPath);
    };
    const document = new ReportDocument(uri, onChanged, (closed) => this.documents.delete(closed));
    this.documents.add(document);
    return document;
  }

  resolveCustomEditor(document: ReportDocument, panel: vscode.WebviewPanel): void {
    const { webview } = panel;
    const folder = vscode.Uri.joinPath(this.extension, "dist", "webview");
    const address = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    const page = new PageConnection<HostToPage>(
      this.handlersOf(document.uri),
      (message) => void webview.postMessage(message),
      (error) => this.log.error(error instanceof Error ? error : String(error)),
    );
    document.pages.set(panel, page);
    webview.onDidReceiveMessage((message) => page.receive(message));
    panel.onDidDispose(() => {
      page.dispose();
      document.pages.delete(panel);
    });
    webview.html = reportHtml({
      cspSource: webview.cspSource,
      nonce: randomBytes(NONCE_BYTES).toString("base64"),
      script: address("report.js"),
      style: address("report.css"),
      language: vscode.env.language,
    });
  }

  /** Whether a person can see how the model's analysis ended. */
  isVisible(path: string): boolean {
    return this.documentsOf(path).some((document) => document.isVisible);
  }

  /** What pages show of one model, or of all, is of the past: they ask again. */
  reopen(path?: string): void {
    for (const document of path === undefined ? this.documents : this.documentsOf(path)) {
      for (const page of document.pages.values()) page.send({ type: "changed" });
    }
  }

  private send(progress: Progress): void {
    for (const document of this.documentsOf(progress.path)) {
      for (const page of document.pages.values()) page.send({ type: "progress", progress });
    }
  }

  private documentsOf(path: string): ReportDocument[] {
    return [...this.documents].filter(({ uri, pages }) => uri.scheme === "file" && uri.fsPath === path && pages.size > 0);
  }

  private handlersOf(uri: vscode.Uri): PageHandlers {
    const { engine, analyses, log } = this;
    const services = {
      engine,
      analyses,
      save: saveReport,
      copy: async (text: string) => vscode.env.clipboard.writeText(text),
      factorize: this.factorize,
      showLog: () => log.show(),
    };
    const handlers = pageHandlers(uri.fsPath, services);
    // A place that is no disk (a version in Git, a virtual file system): the page's first question is answered by why.
    const check = (): string => modelPath(uri, vscode.l10n.t);
    return { ...handlers, open: async (params, signal) => (check(), handlers.open(params, signal)), analyze: async (params, signal) => (check(), handlers.analyze(params, signal)) };
  }
}
