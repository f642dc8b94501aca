import { basename, dirname, extname } from "node:path";
import * as vscode from "vscode";
import { Fault } from "../../shared/fault";
import { plainText } from "../plainText";

/** Where the factorized model goes. @returns null when the person chooses none */
export async function chooseOutput(suggested: string): Promise<string | null> {
  const ending = extname(suggested).slice(1);
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(suggested), title: vscode.l10n.t("Factorized Model"), saveLabel: vscode.l10n.t("Choose"),
    ...(ending === "" ? {} : { filters: { [vscode.l10n.t("Model files")]: [ending] } }),
  });
  return target?.fsPath ?? null;
}

/** A file of inputs to compare the models on. @returns null when the person chooses none */
export async function chooseData(model: string | null): Promise<string | null> {
  const [uri] = (await vscode.window.showOpenDialog({
    title: vscode.l10n.t("Inputs to Check With"), openLabel: vscode.l10n.t("Choose"), filters: { [vscode.l10n.t("Inputs (NumPy arrays, ONNX test data)")]: ["npz", "npy", "pb"] },
    ...(model === null ? {} : { defaultUri: vscode.Uri.file(dirname(model)) }),
  })) ?? [];
  return uri?.fsPath ?? null;
}

/** @returns true where nothing is there */
export async function mayReplace(output: string): Promise<boolean> {
  const there = await vscode.workspace.fs.stat(vscode.Uri.file(output)).then(() => true, () => false);
  if (!there) return true;
  const replace = vscode.l10n.t("Replace");
  const detail = vscode.l10n.t("The file that is there now is lost once the new one is complete.");
  return (await vscode.window.showWarningMessage(vscode.l10n.t("{0} exists already. Replace it?", plainText(basename(output))), { modal: true, detail }, replace)) === replace;
}

export async function mayDelete(names: readonly string[]): Promise<boolean> {
  const remove = vscode.l10n.t("Delete");
  const detail = vscode.l10n.t("These files are deleted from the disk: {0}. The original model stays.", names.map(plainText).join(", "));
  return (await vscode.window.showWarningMessage(vscode.l10n.t("Delete what was written?"), { modal: true, detail }, remove)) === remove;
}

/** @returns null when the person chooses no place. @throws Fault no-permission */
export async function savePlan(suggested: string, text: string): Promise<string | null> {
  const target = await vscode.window.showSaveDialog({ defaultUri: vscode.Uri.file(suggested), title: vscode.l10n.t("Export Plan"), saveLabel: vscode.l10n.t("Export"), filters: { JSON: ["json"] } });
  if (target === undefined) return null;
  try {
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  } catch (error) {
    throw new Fault("no-permission", vscode.l10n.t("The plan could not be written to {0}: {1}.", target.fsPath, error instanceof Error ? error.message : String(error)), vscode.l10n.t("Choose another folder."));
  }
  return target.fsPath;
}
