// Neither the desktop's `code` nor VS Code in a browser can be told on its command line to run a command.
import * as vscode from "vscode";

export async function activate({ workspaceState }) {
  const { RANKLENS_START_MODEL: model, RANKLENS_START_ID: start } = process.env;
  // Once for each start: a report that was closed stays closed when the window is reloaded.
  if (!model || workspaceState.get("start") === start) return;
  await workspaceState.update("start", start);
  await vscode.commands.executeCommand("ranklens.analyzeRanks", vscode.Uri.file(model));
}
