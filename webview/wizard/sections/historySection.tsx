import type { JSX } from "preact";
import { countText } from "../../../src/shared/figures";
import type { DraftWish } from "../../../src/shared/planning";
import type { Run } from "../../../src/shared/wizardPage";
import { errorText, fileName, shareText } from "../figures";
import { TEXT } from "../strings";

interface HistorySectionProps {
  readonly history: readonly Run[];
  /** The model of the form: settings of others do not fit it. */
  readonly path: string | null;
  readonly busy: boolean;
  readonly onAgain: (run: Run) => void;
  readonly onSettings: (run: Run) => void;
  readonly onExportPlan: (run: Run) => void;
  readonly onOpenReport: (path: string) => void;
  readonly onForget: (run: Run) => void;
}

/** Models that were written before, with the settings of each. */
export function HistorySection({ history, path, busy, onAgain, onSettings, onExportPlan, onOpenReport, onForget }: HistorySectionProps): JSX.Element {
  if (history.length === 0) return <p class="quiet">{TEXT.noHistory}</p>;
  return (
    <ul class="history">
      {history.map((run) => (
        <li key={run.id}>
          <p class="history-title"><bdi title={run.output}>{fileName(run.output)}</bdi> <time class="quiet" dateTime={run.time}>{new Date(run.time).toLocaleString([], { dateStyle: "short", timeStyle: "short" })}</time></p>
          <p class="quiet">{settingsText(run)}</p>
          <div class="links">
            {!run.undone && <button type="button" class="link-button" onClick={() => onOpenReport(run.output)}>{TEXT.openReport}</button>}
            <button type="button" class="link-button" disabled={busy} onClick={() => onAgain(run)}>{TEXT.again}</button>
            {run.draft !== null && run.path === path && <button type="button" class="link-button" title={TEXT.settingsTitle} onClick={() => onSettings(run)}>{TEXT.settings}</button>}
            <button type="button" class="link-button" onClick={() => onExportPlan(run)}>{TEXT.exportPlan}</button>
            <button type="button" class="link-button" title={TEXT.forget} onClick={() => onForget(run)}>{TEXT.remove}</button>
          </div>
        </li>
      ))}
    </ul>
  );
}

function settingsText({ path, draft, as, error, applied: { before, after }, undone }: Run): string {
  const share = shareText(after.parameters / before.parameters);
  const facts = [fileName(path), ...(draft === null ? [] : [draft.scheme, wishText(draft.wish)]), as, `${countText(after.parameters)} (${share})`, `${TEXT.error} ${errorText(error)}`];
  return [...facts, ...(undone ? [TEXT.undoneShort] : [])].join(" · ");
}

function wishText(wish: DraftWish): string {
  return wish.kind === "rule" ? TEXT.ranksRule(wish.rule) : wish.allocation;
}
