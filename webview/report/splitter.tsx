import type { JSX } from "preact";
import { TEXT } from "./strings";

/** Bounds of the details' width in percent of the page, and what an arrow key adds. */
const [LEAST, MOST, STEP] = [20, 70, 2];

/** The line between table and details: dragged, or moved by the arrow keys. */
export function Splitter({ share, onShare }: { readonly share: number; readonly onShare: (share: number) => void }): JSX.Element {
  const set = (wanted: number): void => onShare(Math.min(MOST, Math.max(LEAST, wanted)));
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    set(share + step);
  };
  const onPointerMove = (event: PointerEvent): void => {
    const handle = event.currentTarget as HTMLElement;
    const box = handle.parentElement?.getBoundingClientRect();
    if (!handle.hasPointerCapture(event.pointerId) || box === undefined) return;
    set((100 * (box.right - event.clientX)) / box.width);
  };
  return (
    <div class="splitter" role="separator" aria-orientation="vertical" aria-label={TEXT.splitter} tabIndex={0}
      aria-valuemin={LEAST} aria-valuemax={MOST} aria-valuenow={Math.round(share)} onKeyDown={onKeyDown} onPointerMove={onPointerMove}
      onPointerDown={(event) => (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)} />
  );
}
