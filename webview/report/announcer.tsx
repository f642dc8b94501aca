import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Progress } from "../../src/shared/report";
import { groupedText } from "./figures";
import { TEXT } from "./strings";

/** A running analysis is announced when another of this many equal shares is done. */
const SHARES = 4;

/** For screen readers: milestones, not every layer. */
export function Announcer({ progress, news }: { readonly progress: Progress; readonly news: string }): JSX.Element {
  const [said, setSaid] = useState("");
  const before = useRef(progress);
  useEffect(() => {
    const milestone = milestoneOf(before.current, progress);
    before.current = progress;
    if (milestone !== null) setSaid(milestone);
  }, [progress]);
  useEffect(() => {
    if (news !== "") setSaid(news);
  }, [news]);
  return <div class="visually-hidden" role="status">{said}</div>;
}

/** What is worth saying when an analysis went from one state to the next; null: nothing. */
export function milestoneOf(before: Progress, now: Progress): string | null {
  const { done, failed, total, state } = now;
  if (state !== before.state) {
    if (state === "running") return TEXT.announceStarted;
    if (state === "done") return TEXT.announceDone(groupedText(done), failed);
    return state === "cancelled" ? TEXT.announceCancelled : null;
  }
  if (state !== "running" || total === 0) return null;
  const share = (progress: Progress): number => Math.floor((SHARES * (progress.done + progress.failed)) / total);
  return share(now) === share(before) ? null : TEXT.announceShare((100 * share(now)) / SHARES, groupedText(done + failed), groupedText(total));
}
