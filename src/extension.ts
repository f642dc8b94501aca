import * as vscode from "vscode";
import { startEngine } from "./engine/client";
import { Badges } from "./vscode/badges";
import { registerCommands } from "./vscode/commands";
import { announceEnds } from "./vscode/endings";
import { EngineHost } from "./vscode/engineHost";
import { engineLog } from "./vscode/engineLog";
import { tellQuietly } from "./vscode/messages";
import { ModelFinder } from "./vscode/modelFinder";
import { ModelFolders } from "./vscode/modelFolders";
import { ModelTree } from "./vscode/modelTree";
import { Planner } from "./vscode/planner";
import { ReportEditor } from "./vscode/reportEditor";
import { RunningAnalyses } from "./vscode/runningAnalyses";
import { chooseModel } from "./vscode/modelChoice";
import { WizardView } from "./vscode/wizard/wizardView";
import { engineOptions } from "./vscode/settings";
import { StatusBar } from "./vscode/statusBar";
import { registerTraining } from "./vscode/training/training";

/** Set while the extension is active, for `deactivate`. */
let running: EngineHost | null = null;

/** Builds the parts and ties them together. Starts no process and reads no file: that is for the first request. Only which folders are models is searched for. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("RankLens", { log: true });
  const engine = new EngineHost(startEngine, () =>
    engineOptions((name) => vscode.workspace.getConfiguration("ranklens").get(name), {
      engineScript: vscode.Uri.joinPath(context.extensionUri, "dist", "engine.js").fsPath,
      cacheFolder: vscode.Uri.joinPath(context.globalStorageUri, "results").fsPath,
    }),
  );
  running = engine;
  engineLog(engine, log);

  const analyses = new RunningAnalyses(engine);
  const logError = (error: unknown): void => log.error(error instanceof Error ? error : String(error));
  const finder = new ModelFinder();
  const folders = new ModelFolders(logError);
  const badges = new Badges((path) => engine.request("badge", { path }), logError);
  const tree = new ModelTree(finder, badges, analyses);
  const wizard = new WizardView({
    extension: context.extensionUri, engine, analyses, memory: context.workspaceState, log,
    chooseModel: () => chooseModel(finder, vscode.l10n.t("Factorize")),
  });
  const factorize = (path: string, only: readonly string[] | null = null): Promise<void> => wizard.open(path, only);
  const editor = new ReportEditor(context.extensionUri, engine, analyses, log, factorize);
  const planner = new Planner(context.extensionUri, engine, log);
  const treeView = tree.register();

  /** What is known of one model, or of all, is of the past. */
  const outdated = (path?: string): void => {
    tree.forget(path);
    editor.reopen(path);
    wizard.outdated(path);
  };
  const settingsChanged = (): void => {
    if (engine.settingsChanged() === "later") tellQuietly(vscode.l10n.t("The new settings take effect when the running analysis has ended."));
  };
  engine.onRenewed(() => outdated());
  analyses.onEnd(({ path }) => tree.forget(path));
  announceEnds(analyses, editor, log);

  folders.start();
  context.subscriptions.push(
    log,
    finder,
    folders,
    tree,
    treeView,
    editor.register(),
    wizard.register(),
    editor.onModelChanged((path) => {
      tree.forget(path);
      wizard.outdated(path);
    }),
    finder.onModelChanged((path) => tree.forget(path)),
    new StatusBar(analyses),
    registerTraining(engine, logError),
    planner,
    ...registerCommands({ extensionId: context.extension.id, engine, analyses, finder, tree: treeView, log, planner, factorize, onForgotten: outdated }),
    vscode.workspace.onDidChangeConfiguration((event) => { if (event.affectsConfiguration("ranklens")) settingsChanged(); }),
    // A setting that the folder holds counts from now on.
    vscode.workspace.onDidGrantWorkspaceTrust(settingsChanged),
  );
}

/** Ends the engine; the editor waits for it. */
export async function deactivate(): Promise<void> {
  await running?.dispose();
  running = null;
}
