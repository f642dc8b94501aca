import * as vscode from "vscode";
import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import { plainText } from "./plainText";

/** A quiet message stays this long. */
const STATUS_MESSAGE_MS = 8000;

/** For what a person may like to know and need not answer. @param text safe for labels */
export function tellQuietly(text: string): void {
  vscode.window.setStatusBarMessage(`$(graph-line) ${text}`, STATUS_MESSAGE_MS);
}

/**
 * For what a person must know: what is wrong and what to do, with a way to the log.
 * @param headline what could not be done, safe for labels; left out where the fault says it
 */
export async function showFault(fault: PlainFault, log: vscode.LogOutputChannel, headline = ""): Promise<void> {
  const text = [headline, plainText(fault.message), plainText(fault.next)].filter((part) => part !== "").join(" ");
  const showLog = vscode.l10n.t("Show Log");
  if ((await vscode.window.showErrorMessage(text, showLog)) === showLog) log.show();
}

/** Runs a command's action: faults are told, a cancel ends quietly, everything else is a defect and logged as such. */
export async function told(action: () => Promise<void> | void, log: vscode.LogOutputChannel): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Cancelled) return;
    if (!(error instanceof Fault)) log.error(error instanceof Error ? error : String(error));
    const fault = error instanceof Fault ? error : new Fault("crashed", vscode.l10n.t("RankLens could not do that: {0}.", String(error)), vscode.l10n.t("See the log."));
    // Not awaited: the command has ended, whether or not the message is closed.
    void showFault(fault.toPlain(), log);
  }
}
