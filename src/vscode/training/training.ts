import * as vscode from "vscode";
import type { EngineClient } from "../../engine/client";
import { CONFIG_SELECTOR } from "./configFiles";
import { ConfigActions } from "./configActions";
import { ConfigDiagnostics } from "./configDiagnostics";
import { ConfigCompletions, ConfigHovers, ConfigInlayHints, ConfigLenses } from "./configHints";
import { ConfigReadings } from "./configReadings";
import { RecipeActions } from "./recipes";

/** Everything that RankLens shows in training configs. Reads what is open; the engine starts with the first text that may be one. */
export function registerTraining(engine: Pick<EngineClient, "request">, onError: (error: unknown) => void): vscode.Disposable {
  const readings = new ConfigReadings(engine, onError);
  const { languages, workspace } = vscode;
  const parts = [
    readings,
    new ConfigDiagnostics(readings),
    languages.registerCodeActionsProvider(CONFIG_SELECTOR, new ConfigActions(readings), ConfigActions.metadata),
    languages.registerCodeActionsProvider({ language: "python" }, new RecipeActions(), RecipeActions.metadata),
    languages.registerHoverProvider(CONFIG_SELECTOR, new ConfigHovers(readings)),
    languages.registerCodeLensProvider(CONFIG_SELECTOR, new ConfigLenses(readings)),
    languages.registerInlayHintsProvider(CONFIG_SELECTOR, new ConfigInlayHints(readings)),
    languages.registerCompletionItemProvider(CONFIG_SELECTOR, new ConfigCompletions(engine, onError), ...ConfigCompletions.triggers),
    workspace.onDidChangeConfiguration((event) => { if (event.affectsConfiguration("ranklens.training")) readings.refresh(); }),
  ];
  readings.start();
  return vscode.Disposable.from(...parts);
}
