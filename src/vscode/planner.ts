import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import * as vscode from "vscode";
import type { EngineClient } from "../engine/client";
import { Fault } from "../shared/fault";
import type { HostToPlanner, PlannerMethods, PlannerNews } from "../shared/plannerPage";
import { PLANNER_PANEL } from "./commandIds";
import { PageConnection, type Handlers } from "./pageConnection";
import { plainText } from "./plainText";
import { reportHtml } from "./reportHtml";
import { configText } from "./training/configFiles";
import { chosenBases } from "./training/trainingSettings";

const NONCE_BYTES = 16;
/** A person who types pauses this long before the plan is made again. Milliseconds. */
const PAUSE_MS = 300;

interface Opened {
  readonly panel: vscode.WebviewPanel;
  readonly page: PageConnection<PlannerNews>;
  /** Which config of the file the page shows unless the person chooses another. */
  config: number;
}

/** Panels that show what each method costs, one for each file of training configs. */
export class Planner implements vscode.Disposable {
  private readonly opened = new Map<string, Opened>();
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly extension: vscode.Uri,
    private readonly engine: Pick<EngineClient, "request">,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.subscriptions = [
      vscode.window.registerWebviewPanelSerializer(PLANNER_PANEL, { deserializeWebviewPanel: async (panel, state) => this.restore(panel, state) }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.changed(document.uri)),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("ranklens.training")) for (const { page } of this.opened.values()) page.send({ type: "changed" });
      }),
    ];
  }

  /** @param config of a file that holds several, in its order */
  open(uri: vscode.Uri, config: number): void {
    const known = this.opened.get(uri.toString());
    if (known !== undefined) {
      known.config = config;
      known.page.send({ type: "changed" });
      known.panel.reveal();
      return;
    }
    const title = vscode.l10n.t("Plan: {0}", plainText(basename(uri.path)));
    this.host(vscode.window.createWebviewPanel(PLANNER_PANEL, title, vscode.ViewColumn.Beside, {}), uri, config);
  }

  dispose(): void {
    for (const timer of this.waiting.values()) clearTimeout(timer);
    for (const { panel } of this.opened.values()) panel.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private restore(panel: vscode.WebviewPanel, state: unknown): void {
    const place: unknown = typeof state === "object" && state !== null && "place" in state ? state.place : null;
    if (typeof place === "string") this.host(panel, vscode.Uri.parse(place, true), 0);
    else panel.dispose();
  }

  private host(panel: vscode.WebviewPanel, uri: vscode.Uri, config: number): void {
    const { webview } = panel;
    const key = uri.toString();
    const folder = vscode.Uri.joinPath(this.extension, "dist", "webview");
    const address = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    const page = new PageConnection<PlannerNews>(
      this.handlersOf(uri),
      (message: HostToPlanner) => void webview.postMessage(message),
      (error) => this.log.error(error instanceof Error ? error : String(error)),
    );
    this.opened.set(key, { panel, page, config });
    webview.onDidReceiveMessage((message) => page.receive(message));
    panel.onDidDispose(() => {
      page.dispose();
      if (this.opened.get(key)?.panel === panel) this.opened.delete(key);
    });
    webview.html = reportHtml({
      cspSource: webview.cspSource, nonce: randomBytes(NONCE_BYTES).toString("base64"), script: address("planner.js"), style: address("planner.css"), language: vscode.env.language,
    });
  }

  private handlersOf(uri: vscode.Uri): Handlers<PlannerMethods> {
    return {
      plan: async (query, signal) => {
        const document = await vscode.workspace.openTextDocument(uri);
        const text = configText(document, chosenBases(uri));
        if (text === null) throw new Fault("unknown-format", vscode.l10n.t("{0} is no training config that RankLens reads.", plainText(basename(uri.path))), "");
        const config = query.config ?? this.opened.get(uri.toString())?.config ?? 0;
        return { plan: await this.engine.request("planConfig", { ...text, query: { ...query, config } }, signal), place: uri.toString() };
      },
      copy: async ({ text }) => {
        await vscode.env.clipboard.writeText(text);
        return null;
      },
      showLog: async () => {
        this.log.show();
        return null;
      },
    };
  }

  private changed(uri: vscode.Uri): void {
    const key = uri.toString();
    if (!this.opened.has(key)) return;
    clearTimeout(this.waiting.get(key));
    this.waiting.set(key, setTimeout(() => {
      this.waiting.delete(key);
      this.opened.get(key)?.page.send({ type: "changed" });
    }, PAUSE_MS));
  }
}
