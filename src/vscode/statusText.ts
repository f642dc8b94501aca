import { basename } from "node:path";
import { durationText, percentText } from "../shared/figures";
import type { Progress } from "../shared/report";
import { plainText, shortened } from "./plainText";
import type { Translate } from "./translate";

/** The status bar is everybody's: a longer name of a model is shortened. */
const LONGEST_NAME = 32;

/** Rows with an outcome, over all; 0 before it is known how many there are. */
export function fractionDone({ done, failed, total }: Progress): number {
  return total === 0 ? 0 : (done + failed) / total;
}

/** "43 %", "43 % · 1 min 20 s left", "waiting". */
export function progressText(progress: Progress, t: Translate): string {
  if (progress.state === "queued" && progress.ahead > 0) return t("waiting");
  // Never 100 % before it is done.
  const percent = percentText(Math.min(fractionDone(progress), 0.99));
  return progress.etaMs === null ? percent : t("{0} · {1} left", percent, durationText(progress.etaMs));
}

/** What the status bar shows of the analyses that are queued or run, the running one first; null without any. */
export function statusText(analyses: readonly Progress[], t: Translate): string | null {
  const [first, ...others] = analyses;
  if (first === undefined) return null;
  const name = plainText(shortened(basename(first.path), LONGEST_NAME));
  const text = `$(loading~spin) ${name} ${progressText(first, t)}`;
  return others.length === 0 ? text : t("{0} (+{1})", text, others.length);
}

/** The same for a screen reader: no icon, no shortening. */
export function statusLabel(analyses: readonly Progress[], t: Translate): string {
  return analyses.map((progress) => t("RankLens: analyzing {0}, {1}", printableName(progress.path), progressText(progress, t))).join("; ");
}

/** What is told when an analysis ended: one sentence. */
export function endText(progress: Progress, t: Translate): string {
  const name = plainText(basename(progress.path));
  if (progress.state === "failed") return t("The ranks of {0} could not be analyzed.", name);
  if (progress.failed > 0) return t("Ranks of {0} are ready; {1} of {2} matrices could not be measured.", name, progress.failed, progress.total);
  return t("Ranks of {0} are ready.", name);
}

function printableName(path: string): string {
  return plainText(basename(path));
}
