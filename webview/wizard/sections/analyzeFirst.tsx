import type { JSX } from "preact";
import { durationText } from "../../../src/shared/figures";
import type { Planning } from "../../../src/shared/planning";
import type { Progress } from "../../../src/shared/report";
import { Button } from "../../components/toolkit";
import { groupedText } from "../figures";
import { TEXT } from "../strings";

interface AnalyzeFirstProps {
  readonly planning: Extract<Planning, { state: "unanalyzed" }>;
  readonly progress: Progress | null;
  readonly onAnalyze: () => void;
  readonly onCancel: () => void;
}

/** Spectra decide the ranks: without them the analysis comes first. */
export function AnalyzeFirst({ planning: { missing, total }, progress, onAnalyze, onCancel }: AnalyzeFirstProps): JSX.Element {
  const busy = progress?.state === "running" || progress?.state === "queued";
  const settled = progress === null ? 0 : progress.done + progress.failed;
  return (
    <div class="analyze-first">
      <p>{busy ? (progress.state === "queued" ? TEXT.queued : TEXT.measuring(groupedText(settled), groupedText(progress.total))) : TEXT.unanalyzed(groupedText(missing), groupedText(total))}
        {busy && progress.etaMs !== null && <span class="quiet"> · {TEXT.left(durationText(progress.etaMs))}</span>}</p>
      {busy && (
        <div class={`progress ${progress.state === "queued" ? "waiting" : ""}`} role="progressbar" aria-label={TEXT.progress} aria-valuemin={0} aria-valuemax={progress.total} aria-valuenow={settled}>
          <div style={{ width: progress.total === 0 ? "0" : `${(100 * settled) / progress.total}%` }} />
        </div>
      )}
      {busy ? <Button secondary onClick={onCancel}>{TEXT.cancel}</Button> : <Button onClick={onAnalyze}>{missing < total ? TEXT.resume : TEXT.analyze}</Button>}
    </div>
  );
}
