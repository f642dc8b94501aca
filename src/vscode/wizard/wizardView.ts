import { randomBytes, randomUUID } from "node:crypto";
import { basename } from "node:path";
import * as vscode from "vscode";
import type { EngineClient } from "../../engine/client";
import type { HostToWizard, WizardStart, WizardTarget } from "../../shared/wizardPage";
import { REPORT_EDITOR, WIZARD_VIEW } from "../commandIds";
import { showFault, tellQuietly } from "../messages";
import { isModelFile } from "../modelFiles";
import { PageConnection } from "../pageConnection";
import { plainText } from "../plainText";
import { reportHtml } from "../reportHtml";
import type { RunningAnalyses } from "../runningAnalyses";
import { Jobs, type JobEnd } from "./jobs";
import { outputStem } from "./outputPath";
import { Readying } from "./readying";
import { RunHistory, type Memory } from "./runHistory";
import { chooseData, chooseOutput, mayDelete, mayReplace, savePlan } from "./wizardDialogs";
import { wizardHandlers } from "./wizardHandlers";

const NONCE_BYTES = 16;
/** The wizard's model, for the next window: the page's own state is kept only when the editor has time for it. */
const MODEL_KEY = "ranklens.wizardModel";

export interface WizardParts {
  readonly extension: vscode.Uri;
  readonly engine: EngineClient;
  readonly analyses: RunningAnalyses;
  readonly memory: Memory;
  readonly log: vscode.LogOutputChannel;
  /** Lets the person choose a model. */
  chooseModel(): Promise<string | null>;
}

/** The compression wizard in the side panel: hosts its page, and keeps what must outlive it. */
export class WizardView implements vscode.WebviewViewProvider {
  private readonly history: RunHistory;
  private readonly jobs: Jobs;
  private readonly readying: Readying;
  private target: WizardTarget | null = null;
  private asked = 0;
  private view: vscode.WebviewView | null = null;
  private page: PageConnection<HostToWizard> | null = null;

  constructor(private readonly parts: WizardParts) {
    const { engine, analyses, memory } = parts;
    this.history = new RunHistory(memory);
    this.jobs = new Jobs(engine, this.history, randomUUID, vscode.l10n.t);
    this.readying = new Readying(engine);
    this.readying.onWork((work) => this.send({ type: "work", work }));
    this.history.onChanged(() => this.send({ type: "history", history: this.history.shown }));
    this.jobs.onProgress((job) => this.send({ type: "job", job, fault: null, run: null }));
    this.jobs.onEnd((end) => this.ended(end));
    analyses.onProgress((progress) => this.send({ type: "progress", progress }));
  }

  register(): vscode.Disposable {
    return vscode.window.registerWebviewViewProvider(WIZARD_VIEW, this);
  }

  /** Shows the wizard with a model. @param only layers that are included alone; null: those that are on by default */
  async open(path: string, only: readonly string[] | null = null): Promise<void> {
    this.take(path, only);
    await vscode.commands.executeCommand(`${WIZARD_VIEW}.focus`);
  }

  /** What is known of one model, or of all, is of the past. */
  outdated(path?: string): void {
    this.send({ type: "changed", path: path ?? null });
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const { webview } = view;
    const folder = vscode.Uri.joinPath(this.parts.extension, "dist", "webview");
    const address = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    const page = new PageConnection<HostToWizard>(
      wizardHandlers(this.services()),
      (message) => void webview.postMessage(message),
      (error) => this.parts.log.error(error instanceof Error ? error : String(error)),
    );
    this.page?.dispose();
    [this.view, this.page] = [view, page];
    webview.onDidReceiveMessage((message) => page.receive(message));
    view.onDidDispose(() => {
      page.dispose();
      if (this.page === page) [this.view, this.page] = [null, null];
    });
    webview.html = reportHtml({
      cspSource: webview.cspSource, nonce: randomBytes(NONCE_BYTES).toString("base64"), script: address("wizard.js"), style: address("wizard.css"), language: vscode.env.language,
    });
  }

  private take(path: string, only: readonly string[] | null): void {
    this.target = { path, output: outputStem(path), only, asked: ++this.asked };
    this.send({ type: "target", target: this.target });
    void this.parts.memory.update(MODEL_KEY, path);
  }

  private start(path: string | null): WizardStart {
    const kept = this.parts.memory.get(MODEL_KEY);
    const last = typeof kept === "string" ? kept : path;
    if (this.target === null && last !== null && isModelFile(last)) this.target = { path: last, output: outputStem(last), only: null, asked: 0 };
    return { target: this.target, job: this.jobs.current, readying: this.readying.current, history: this.history.shown };
  }

  private services(): Parameters<typeof wizardHandlers>[0] {
    const { engine, analyses, log, chooseModel } = this.parts;
    return {
      engine, analyses, jobs: this.jobs, readying: this.readying, history: this.history, t: vscode.l10n.t,
      start: (path) => this.start(path),
      chooseModel: async () => {
        const path = await chooseModel();
        if (path !== null) this.take(path, null);
        return path;
      },
      chooseOutput, mayReplace, mayDelete, savePlan,
      chooseData: () => chooseData(this.target?.path ?? null),
      openReport: async (path) => { await vscode.commands.executeCommand("vscode.openWith", vscode.Uri.file(path), REPORT_EDITOR); },
      reveal: async (path) => {
        const uri = vscode.Uri.file(path);
        await vscode.commands.executeCommand(vscode.workspace.getWorkspaceFolder(uri) === undefined ? "revealFileInOS" : "revealInExplorer", uri);
      },
      copy: async (text) => vscode.env.clipboard.writeText(text),
      showLog: () => log.show(),
    };
  }

  private ended({ job, fault, run }: JobEnd): void {
    this.send({ type: "job", job: null, fault, run });
    if (this.view?.visible === true) return;
    if (fault !== null) void showFault(fault, this.parts.log);
    else if (run !== null) tellQuietly(vscode.l10n.t("{0} is written.", plainText(basename(job.output))));
  }

  private send(message: HostToWizard): void {
    this.page?.send(message);
  }
}
