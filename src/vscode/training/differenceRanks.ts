import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import type { EngineClient } from "../../engine/client";
import { Fault } from "../../shared/fault";
import { chooseModel } from "../modelChoice";
import type { ModelFinder } from "../modelFinder";
import { plainText } from "../plainText";
import { configText } from "./configFiles";
import { workspaceEdit } from "./textRanges";
import { chosenBases } from "./trainingSettings";

/**
 * Sets the ranks of a config from what a model that the person chooses changes of the base model. One undo takes it back.
 * @param config of a file that holds several, in its order
 * @throws Fault, Cancelled
 */
export async function setRanksFromDifference(engine: Pick<EngineClient, "request" | "onWork">, finder: ModelFinder, uri: vscode.Uri, config: number): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  const text = configText(document, chosenBases(uri));
  if (text === null) throw new Fault("unknown-format", vscode.l10n.t("{0} is no training config that RankLens reads.", plainText(basename(uri.path))), "");
  const { version } = document;
  const path = await chooseModel(finder, vscode.l10n.t("Fine-Tuned Model or Adapter"));
  if (path === null) return;
  const { edits, message } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, cancellable: true, title: vscode.l10n.t("Comparing {0} with the base model", plainText(join(basename(dirname(path)), basename(path)))) },
    async (progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      let told = 0;
      const works = engine.onWork(({ task, path: of, layer, done, total }) => {
        if (task !== "compare" || of !== path || total === 0) return;
        progress.report({ message: plainText(layer), increment: (100 * (done - told)) / total });
        told = done;
      });
      try {
        return await engine.request("ranksFromDifference", { ...text, config, path }, stop.signal);
      } finally {
        works.dispose();
      }
    },
  );
  if (document.version !== version) throw new Fault("changed-while-read", vscode.l10n.t("{0} was changed meanwhile: its ranks were not set.", plainText(basename(uri.path))), vscode.l10n.t("Choose the action again."));
  if (edits.length > 0 && !(await vscode.workspace.applyEdit(workspaceEdit(document, edits)))) {
    throw new Fault("not-written", vscode.l10n.t("{0} could not be edited.", plainText(basename(uri.path))), "");
  }
  // Not awaited: the command has ended, whether or not the message is closed.
  void vscode.window.showInformationMessage(plainText(message));
}
