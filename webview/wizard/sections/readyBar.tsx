import type { JSX } from "preact";
import { Button } from "../../components/toolkit";
import { groupedText } from "../figures";
import type { Lack } from "../state/needs";
import type { Pending } from "../state/useReady";
import { TEXT } from "../strings";

/** What a choice waits for, how far that is, and a way to stop it. */
export function ReadyBar({ pending: { lack, work }, onCancel }: { readonly pending: Pending; readonly onCancel: () => void }): JSX.Element {
  const known = work !== null && work.total > 0;
  const task = work?.task === "ladders" || work?.task === "latency" ? work.task : lack;
  return (
    <div class="job ready-bar" role="status">
      <p>{known ? TEXT.making[task](groupedText(work.done), groupedText(work.total)) : TEXT.beginning[task]}</p>
      {known && work.layer !== "" && <p class="quiet" title={work.layer}><bdi>{work.layer}</bdi></p>}
      <div class={`progress ${known ? "" : "waiting"}`} role="progressbar" aria-label={TEXT.readyProgress}
        {...(known ? { "aria-valuemin": 0, "aria-valuemax": work.total, "aria-valuenow": work.done } : {})}>
        <div style={{ width: known ? `${(100 * work.done) / work.total}%` : "35%" }} />
      </div>
      <Button secondary onClick={onCancel}>{TEXT.cancel}</Button>
    </div>
  );
}

/** What a remembered form needs is made when a person says so. */
export function LackNotice({ lack, onMake }: { readonly lack: Exclude<Lack, "counts">; readonly onMake: () => void }): JSX.Element {
  return (
    <div class="notice">
      <p>{TEXT.lacking[lack]}</p>
      <Button secondary onClick={onMake}>{TEXT.make[lack]}</Button>
    </div>
  );
}
