import type { JSX } from "preact";
import { bytesText, countText, millisecondsText, SAME_SPEED } from "../../../src/shared/figures";
import type { ModelCheck } from "../../../src/shared/planning";
import type { Run } from "../../../src/shared/wizardPage";
import { Button } from "../../components/toolkit";
import { errorText, fileName, shareText } from "../figures";
import { TEXT } from "../strings";

export interface RunActions {
  readonly onOpenReport: (path: string) => void;
  readonly onReveal: (path: string) => void;
  readonly onCopyPath: (path: string) => void;
  readonly onVerify: (run: Run) => void;
  readonly onUndo: (run: Run) => void;
}

/** A model that was written: before and after, as measured, and what to do next. */
export function RunCard({ run, busy, ...actions }: { readonly run: Run; readonly busy: boolean } & RunActions): JSX.Element {
  const { applied: { before, after }, check, checkFault, undone } = run;
  return (
    <div class={`run-card ${undone ? "undone" : ""}`}>
      <h3 title={run.output}><bdi>{fileName(run.output)}</bdi></h3>
      <table class="before-after">
        <thead><tr><td /><th scope="col">{TEXT.before}</th><th scope="col">{TEXT.after}</th><td /></tr></thead>
        <tbody>
          <tr><th scope="row">{TEXT.parameters}</th><td>{countText(before.parameters)}</td><td><b>{countText(after.parameters)}</b></td><td class="quiet">{shareText(after.parameters / before.parameters)}</td></tr>
          <tr><th scope="row">{TEXT.size}</th><td>{bytesText(before.bytes)}</td><td><b>{bytesText(after.bytes)}</b></td><td class="quiet">{shareText(after.bytes / before.bytes)}</td></tr>
          {check?.kind === "run" && <LatencyRow check={check} />}
          {check?.kind === "run" && check.peakMemory !== undefined && <tr><th scope="row" title={TEXT.peakMemoryHint}>{TEXT.peakMemory}</th><td>{bytesText(check.peakMemory.original)}</td><td><b>{bytesText(check.peakMemory.candidate)}</b></td><td class="quiet">{shareText(check.peakMemory.candidate / check.peakMemory.original)}</td></tr>}
        </tbody>
      </table>
      {check?.kind === "run" && run.latencyShare !== null && <LatencyBudget share={run.latencyShare} check={check} />}
      {undone ? <p class="quiet">{TEXT.undone}</p> : (
        <>
          {check !== null ? <CheckFigures check={check} /> : checkFault !== null
            ? <p class="notice" role="alert"><bdi>{checkFault.message}</bdi> <bdi>{checkFault.next}</bdi></p>
            : <p class="quiet">{TEXT.notChecked}</p>}
          <div class="actions">
            <Button onClick={() => actions.onOpenReport(run.output)}>{TEXT.openReport}</Button>
            <Button secondary disabled={busy} onClick={() => actions.onVerify(run)}>{check === null ? TEXT.checkNow : TEXT.checkAgain}</Button>
            <Button secondary onClick={() => actions.onReveal(run.output)}>{TEXT.reveal}</Button>
            <Button secondary onClick={() => actions.onCopyPath(run.output)}>{TEXT.copyPath}</Button>
            <Button secondary disabled={busy} onClick={() => actions.onUndo(run)}>{TEXT.undo}</Button>
          </div>
        </>
      )}
    </div>
  );
}

/** Never called faster unless it was measured faster. */
function LatencyRow({ check: { latency: { original, candidate } } }: { readonly check: Extract<ModelCheck, { kind: "run" }> }): JSX.Element {
  const factor = original.medianMs / candidate.medianMs;
  return (
    <tr>
      <th scope="row">{TEXT.latency}</th>
      <td title={TEXT.p90(millisecondsText(original.p90Ms))}>{millisecondsText(original.medianMs)}</td>
      <td title={TEXT.p90(millisecondsText(candidate.p90Ms))}><b>{millisecondsText(candidate.medianMs)}</b></td>
      <td class="quiet">{factor < SAME_SPEED && factor > 1 / SAME_SPEED ? TEXT.sameSpeed : factor >= 1 ? TEXT.faster(factor.toFixed(2)) : TEXT.slower((1 / factor).toFixed(2))}</td>
    </tr>
  );
}

/** Layers that were measured alone do not tell all of it: whether a budget is kept, the written model does. */
function LatencyBudget({ share, check: { latency: { original, candidate } } }: { readonly share: number; readonly check: Extract<ModelCheck, { kind: "run" }> }): JSX.Element {
  const met = candidate.medianMs <= share * original.medianMs;
  const words = (met ? TEXT.budgetMet : TEXT.budgetMissed)(shareText(share), shareText(candidate.medianMs / original.medianMs));
  return <p class={met ? "quiet" : "notice"}>{words}</p>;
}

function CheckFigures({ check }: { readonly check: ModelCheck }): JSX.Element {
  if (check.kind === "layers") {
    return (
      <div class="check-figures">
        <p class="quiet">{TEXT.layerOutputs}: {check.inputs}</p>
        <dl class="figures">{[...check.layers].sort((a, b) => b.relativeError - a.relativeError).slice(0, MOST_LAYERS).map(({ name, relativeError }) => (
          <div key={name}><dt class="tensor" title={name}><bdi>{name}</bdi></dt><dd><b>{errorText(relativeError)}</b></dd></div>
        ))}</dl>
        {check.layers.length > MOST_LAYERS && <p class="quiet">{TEXT.furtherLayers(check.layers.length - MOST_LAYERS)}</p>}
      </div>
    );
  }
  return (
    <div class="check-figures">
      <p class="quiet">{TEXT.comparedOn(check.batches, check.inputs)}</p>
      {check.outputs.map(({ name, relativeError, cosine, largestDifference, topOneAgreement, notFinite = 0 }) => (
        <dl class="figures" key={name} aria-label={name}>
          <div><dt class="tensor own"><bdi>{name}</bdi></dt><dd /></div>
          <div><dt>{TEXT.relativeError}</dt><dd><b>{errorText(relativeError)}</b></dd></div>
          <div><dt>{TEXT.cosine}</dt><dd>{cosine.toFixed(4)}</dd></div>
          <div><dt>{TEXT.largest}</dt><dd>{errorText(largestDifference)}</dd></div>
          {topOneAgreement !== null && <div><dt>{TEXT.sameTop}</dt><dd>{shareText(topOneAgreement)}</dd></div>}
          {notFinite > 0 && <div class="notice"><dt title={TEXT.notFiniteHint}>{TEXT.notFinite}</dt><dd><b>{countText(notFinite)}</b></dd></div>}
        </dl>
      ))}
    </div>
  );
}

/** The worst layers; the plan has all of them. */
const MOST_LAYERS = 8;
