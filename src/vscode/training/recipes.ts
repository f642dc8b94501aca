import * as vscode from "vscode";
import type { EngineClient } from "../../engine/client";
import { RECIPE_IDS, RECIPE_TITLES, type RecipeAddition, type RecipeFile, type RecipeId } from "../../shared/recipe";
import type { CommandId } from "../commandIds";
import { tellQuietly } from "../messages";
import { workspaceEdit } from "./textRanges";

/** Where a training script steps, or hands its training to a Trainer: recipes are offered there. */
const TRAINS = /\.step\(|\bTrainer\(|for\s+epoch\b/;

/** Offers to add ways to train for low rank where a script trains. */
export class RecipeActions implements vscode.CodeActionProvider {
  static readonly metadata: vscode.CodeActionProviderMetadata = { providedCodeActionKinds: [vscode.CodeActionKind.RefactorRewrite] };

  provideCodeActions(document: vscode.TextDocument, { start }: vscode.Range): vscode.CodeAction[] {
    if (!TRAINS.test(document.lineAt(start.line).text)) return [];
    return RECIPE_IDS.map((id) => {
      const title = vscode.l10n.t("Add {0}", RECIPE_TITLES[id]);
      const action = new vscode.CodeAction(title, vscode.CodeActionKind.RefactorRewrite);
      const command: CommandId = "ranklens.addRecipe";
      action.command = { title, command, arguments: [document.uri, id] };
      return action;
    });
  }
}

export function isRecipe(value: unknown): value is RecipeId {
  return RECIPE_IDS.some((id) => id === value);
}

/** @returns null when the person chooses none */
export async function chooseRecipe(): Promise<RecipeId | null> {
  const items = RECIPE_IDS.map((id) => ({ id, label: RECIPE_TITLES[id] }));
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Add Training Recipe") }))?.id ?? null;
}

/** Writes the recipe's module beside the script and the calls into it; one undo in the script takes the calls back. */
export async function addRecipe(document: vscode.TextDocument, id: RecipeId, engine: Pick<EngineClient, "request">): Promise<void> {
  const addition = await engine.request("addRecipe", { text: document.getText(), recipe: id });
  const title = RECIPE_TITLES[id];
  if (addition.kind === "present") return tellQuietly(vscode.l10n.t("The script uses {0} already.", title));
  const place = await writeModule(document, addition.file);
  if (addition.kind === "insert") {
    await vscode.workspace.applyEdit(workspaceEdit(document, addition.edits));
    tellQuietly(vscode.l10n.t("{0} is called by the script; its settings are explained in {1}.", title, place));
  } else {
    await offerSnippet(addition, place);
  }
}

/** @returns the module's name; a file of that name stays as it is, a script without a folder gets it in an editor */
async function writeModule(document: vscode.TextDocument, { name, text }: RecipeFile): Promise<string> {
  if (document.isUntitled || document.uri.scheme === "vscode-notebook-cell") {
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: "python", content: text }), { preserveFocus: true, viewColumn: vscode.ViewColumn.Beside });
    return name;
  }
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(vscode.Uri.joinPath(document.uri, "..", name), { ignoreIfExists: true, contents: new TextEncoder().encode(text) });
  await vscode.workspace.applyEdit(edit);
  return name;
}

async function offerSnippet({ reason, snippet }: Extract<RecipeAddition, { kind: "paste" }>, place: string): Promise<void> {
  const copy = vscode.l10n.t("Copy the Call");
  const answer = await vscode.window.showInformationMessage(vscode.l10n.t("{0} The module {1} is written; the call is to be put in by hand.", reason, place), copy);
  if (answer === copy) await vscode.env.clipboard.writeText(snippet);
}
