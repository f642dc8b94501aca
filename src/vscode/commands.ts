import { basename } from "node:path";
import * as vscode from "vscode";
import type { EngineClient } from "../engine/client";
import { ANY_BASE } from "../shared/configReading";
import { Fault } from "../shared/fault";
import { COMMANDS, REPORT_EDITOR, WALKTHROUGH, type CommandId } from "./commandIds";
import { chooseExport } from "./exportChoice";
import { told, tellQuietly } from "./messages";
import { activeModel, activeModelFile, chooseAmong, chooseModel, modelsOf } from "./modelChoice";
import type { ModelFinder } from "./modelFinder";
import { modelsIn } from "./modelFolders";
import type { TreeEntry } from "./modelTree";
import { plainText } from "./plainText";
import type { Planner } from "./planner";
import { reportFileName } from "./reportFiles";
import type { RunningAnalyses } from "./runningAnalyses";
import { saveReport } from "./saveReport";
import { addRecipe, chooseRecipe, isRecipe } from "./training/recipes";
import { setRanksFromDifference } from "./training/differenceRanks";
import { chooseBase } from "./training/trainingSettings";

/** More models than this are analyzed without opening a report for each: the Models view lists them. */
const MOST_REPORTS = 8;

export interface CommandParts {
  readonly extensionId: string;
  readonly engine: EngineClient;
  readonly analyses: RunningAnalyses;
  readonly finder: ModelFinder;
  readonly tree: vscode.TreeView<TreeEntry>;
  readonly log: vscode.LogOutputChannel;
  readonly planner: Planner;
  /** Opens the compression wizard with a model. */
  factorize(path: string): Promise<void>;
  /** Results of one model, or of all, were forgotten. */
  onForgotten(path?: string): void;
}

type Action = (...args: unknown[]) => Promise<void> | void;

/** Registers every command; one that is contributed but missing here does not compile. */
export function registerCommands(parts: CommandParts): vscode.Disposable[] {
  const actions = actionsOf(parts);
  return COMMANDS.map((id) => vscode.commands.registerCommand(id, (...args: unknown[]) => told(() => actions[id](...args), parts.log)));
}

function actionsOf({ extensionId, engine, analyses, finder, tree, log, planner, factorize, onForgotten }: CommandParts): Record<CommandId, Action> {
  /** From the menu's item, or the editor in front, or by choice. Null: the person chose none. */
  const oneModel = async (args: readonly unknown[], title: string): Promise<string | null> => {
    const [path] = modelsOf(args);
    return path ?? activeModel() ?? chooseModel(finder, title);
  };

  return {
    "ranklens.analyzeRanks": async (...args) => {
      const given = await modelsIn(args);
      const chosen = given.length > 0 ? null : (activeModel() ?? (await chooseModel(finder, vscode.l10n.t("Analyze Ranks"))));
      const paths = chosen === null ? given : [chosen];
      for (const path of paths) analyses.start(path);
      const shown = paths.length > MOST_REPORTS ? paths.slice(0, 1) : paths;
      // The first one last, so that it is in front.
      for (const path of [...shown].reverse()) await openReport(path, { preview: false });
    },
    "ranklens.cancelAnalysis": async (...args) => {
      const running = analyses.all.map(({ path }) => path);
      const given = modelsOf(args)[0] ?? running.find((path) => path === activeModel());
      const path = given ?? (running.length > 1 ? await chooseAmong(running, vscode.l10n.t("Cancel Analysis")) : running[0]);
      if (path !== undefined && path !== null) analyses.cancel(path);
    },
    "ranklens.openReport": async (...args) => {
      const [given] = modelsOf(args);
      const path = given ?? activeModelFile() ?? (await chooseModel(finder, vscode.l10n.t("Open Report")));
      if (path !== null) await openReport(path);
    },
    "ranklens.factorize": async (...args) => {
      const [given] = await modelsIn(args);
      const path = given ?? activeModel() ?? (await chooseModel(finder, vscode.l10n.t("Factorize")));
      if (path !== null) await factorize(path);
    },
    "ranklens.exportReport": async (...args) => {
      const path = await oneModel(args, vscode.l10n.t("Export Report"));
      const choice = path === null ? null : await chooseExport();
      if (path === null || choice === null) return;
      const { text } = await engine.request("export", { path, ...choice });
      const saved = await saveReport(reportFileName(path, choice.format), choice.format, new TextEncoder().encode(text));
      if (saved !== null) tellQuietly(vscode.l10n.t("Report saved as {0}.", plainText(basename(saved))));
    },
    "ranklens.forgetResults": async (...args) => {
      const path = await oneModel(args, vscode.l10n.t("Forget Results"));
      if (path === null) return;
      await engine.request("forget", { path });
      onForgotten(path);
      tellQuietly(vscode.l10n.t("Results of {0} are forgotten.", plainText(basename(path))));
    },
    "ranklens.forgetAllResults": async () => {
      const forget = vscode.l10n.t("Forget All");
      const detail = vscode.l10n.t("Every model that is analyzed after this is computed anew. Models and exported reports are not touched.");
      const answer = await vscode.window.showWarningMessage(vscode.l10n.t("Forget the results of all models?"), { modal: true, detail }, forget);
      if (answer !== forget) return;
      await engine.request("forget", { path: null });
      onForgotten();
      tellQuietly(vscode.l10n.t("All results are forgotten."));
    },
    "ranklens.refreshModels": () => {
      onForgotten();
      finder.refresh();
    },
    "ranklens.revealInExplorer": async (...args) => {
      const [path] = modelsOf(args);
      if (path !== undefined) await vscode.commands.executeCommand("revealInExplorer", vscode.Uri.file(path));
    },
    "ranklens.copyPath": async (...args) => {
      const given = modelsOf(args);
      const selected = tree.selection.flatMap((entry) => (entry.kind === "model" ? [entry.path] : []));
      const paths = given.length > 0 ? given : selected;
      if (paths.length > 0) await vscode.env.clipboard.writeText(paths.join("\n"));
    },
    "ranklens.showLog": () => log.show(),
    "ranklens.chooseBaseModel": async (place, name) => {
      const scope = place instanceof vscode.Uri ? place : vscode.window.activeTextEditor?.document.uri;
      if (scope === undefined) return;
      const path = await chooseModel(finder, typeof name === "string" ? vscode.l10n.t("Base model {0}", plainText(name)) : vscode.l10n.t("Base Model"));
      if (path !== null) await chooseBase(scope, typeof name === "string" ? name : ANY_BASE, path);
    },
    "ranklens.openPlanner": async (place, config) => {
      const uri = place instanceof vscode.Uri ? place : vscode.window.activeTextEditor?.document.uri;
      if (uri === undefined) throw new Fault("usage", vscode.l10n.t("The planner is for a training config."), vscode.l10n.t("Open the file of one first."));
      planner.open(uri, typeof config === "number" ? config : 0);
    },
    "ranklens.addRecipe": async (place, recipe) => {
      const document = place instanceof vscode.Uri ? await vscode.workspace.openTextDocument(place) : vscode.window.activeTextEditor?.document;
      if (document?.languageId !== "python") throw new Fault("usage", vscode.l10n.t("A recipe is added to a Python training script."), vscode.l10n.t("Open the script first."));
      const chosen = isRecipe(recipe) ? recipe : await chooseRecipe();
      if (chosen !== null) await addRecipe(document, chosen, engine);
    },
    "ranklens.ranksFromDifference": async (place, config) => {
      if (place instanceof vscode.Uri) await setRanksFromDifference(engine, finder, place, typeof config === "number" ? config : 0);
    },
    "ranklens.openWalkthrough": async () => {
      await vscode.commands.executeCommand("workbench.action.openWalkthrough", `${extensionId}#${WALKTHROUGH}`, false);
    },
  };
}

async function openReport(path: string, options: vscode.TextDocumentShowOptions = {}): Promise<void> {
  await vscode.commands.executeCommand("vscode.openWith", vscode.Uri.file(path), REPORT_EDITOR, options);
}
