import type { ComponentChildren, JSX } from "preact";
import { Button } from "../components/toolkit";
import { durationText } from "../../src/shared/figures";
import type { Progress } from "../../src/shared/report";
import { groupedText } from "./figures";
import { TEXT } from "./strings";

interface RunBarProps {
  readonly progress: Progress;
  /** What the last action did ("Saved to …"). */
  readonly news: string;
  readonly onAnalyze: () => void;
  readonly onCancel: () => void;
  readonly onShowLog: () => void;
}

/** Where the analysis stands, and the one button that fits. */
export function RunBar({ progress, news, onAnalyze, onCancel, onShowLog }: RunBarProps): JSX.Element {
  const { state, done, failed, estimated, total } = progress;
  const busy = state === "running" || state === "queued";
  const settled = done + failed;
  return (
    <div class="run-bar">
      {busy && <Button secondary onClick={onCancel}>{TEXT.cancel}</Button>}
      {!busy && settled < total && <Button onClick={onAnalyze}>{settled + estimated > 0 ? TEXT.resume : TEXT.analyze}</Button>}
      <p class="run-text">{sentence(progress)}</p>
      {failed > 0 && <span class="failed-count">{TEXT.failed(groupedText(failed))}</span>}
      <span class="news">{news}</span>
      <button type="button" class="link-button" onClick={onShowLog}>{TEXT.showLog}</button>
      {busy && (
        <div class={`progress ${state === "queued" ? "waiting" : ""}`} role="progressbar" aria-label={TEXT.progress}
          aria-valuemin={0} aria-valuemax={total} aria-valuenow={settled}>
          <div style={{ width: total === 0 ? "0" : `${(100 * settled) / total}%` }} />
        </div>
      )}
    </div>
  );
}

function sentence(progress: Progress): ComponentChildren {
  const { state, done, failed, total, ahead } = progress;
  const [measured, all] = [groupedText(done), groupedText(total)];
  switch (state) {
    case "queued": return TEXT.queued(ahead);
    case "running": return <RunningText progress={progress} />;
    case "failed": return TEXT.stopped;
    case "cancelled": return TEXT.cancelled(measured, all);
    case "idle":
    case "done":
      if (total === 0) return TEXT.nothingToMeasure;
      if (done + failed < total) return done + failed === 0 ? TEXT.idle : TEXT.partial(measured, all);
      return failed === 0 ? TEXT.done(all) : TEXT.doneWithFailures(measured, all);
  }
}

function RunningText({ progress: { current, done, failed, estimated, total, etaMs } }: { readonly progress: Progress }): JSX.Element {
  const [first, ...others] = current;
  return (
    <>
      <span class="run-count">{done + failed === 0 && estimated > 0 ? TEXT.estimated(groupedText(estimated), groupedText(total)) : TEXT.counts(groupedText(done + failed), groupedText(total))}</span>
      {first === undefined ? TEXT.starting : <span class="run-layer" title={current.join("\n")}>{TEXT.running} <bdi>{first}</bdi></span>}
      {others.length > 0 && <span class="run-more">{TEXT.more(others.length)}</span>}
      {etaMs !== null && <span class="run-eta">{TEXT.left(durationText(etaMs))}</span>}
    </>
  );
}
