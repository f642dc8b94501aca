import * as vscode from "vscode";
import type { Progress } from "../shared/report";
import { showFault, tellQuietly } from "./messages";
import type { RunningAnalyses } from "./runningAnalyses";
import { endText } from "./statusText";

/** The report of an analysis that ended at once may be just opening: it is waited for. */
const OPENING_MS = 1500;

/**
 * Tells how an analysis ended where no visible report shows it: quietly when it is done, as an error when the
 * person has to do something. The one who cancelled knows.
 */
export function announceEnds(analyses: RunningAnalyses, reports: { isVisible(path: string): boolean }, log: vscode.LogOutputChannel): void {
  const announce = (progress: Progress): void => {
    if (reports.isVisible(progress.path) || progress.state === "cancelled") return;
    const text = endText(progress, vscode.l10n.t);
    if (progress.fault === null) tellQuietly(text);
    else void showFault(progress.fault, log, text);
  };
  analyses.onEnd((progress) => {
    log.info(`${progress.path}: ${progress.state}, ${progress.done} done, ${progress.failed} failed, ${Math.round(progress.elapsedMs)} ms.`);
    setTimeout(() => announce(progress), OPENING_MS);
  });
}
