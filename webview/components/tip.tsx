import type { ComponentChildren, JSX } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useDismiss } from "./hooks";

/** Between a term and its explanation, and between the explanation and the edge of the page. CSS pixels. */
const GAP = 4;

/** A term that explains itself under the pointer and when it has the focus. Escape hides the explanation. */
export function Tip({ term, children }: { readonly term: ComponentChildren; readonly children: ComponentChildren }): JSX.Element {
  const id = useId();
  const [shown, setShown] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  const bubble = useRef<HTMLDivElement>(null);
  useDismiss(root, shown, () => setShown(false));
  useLayoutEffect(() => {
    if (!shown || root.current === null || bubble.current === null) return;
    const at = root.current.getBoundingClientRect();
    const { offsetWidth, offsetHeight, style } = bubble.current;
    const below = at.bottom + GAP + offsetHeight <= innerHeight;
    style.left = `${Math.max(GAP, Math.min(at.left, innerWidth - offsetWidth - GAP))}px`;
    style.top = `${below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - offsetHeight)}px`;
  }, [shown]);
  return (
    <span class="tip" ref={root} onPointerEnter={() => setShown(true)} onPointerLeave={() => setShown(false)}>
      <button type="button" class="term" aria-describedby={shown ? id : undefined} onFocus={() => setShown(true)} onBlur={() => setShown(false)}>
        {term}
      </button>
      {shown && <div class="bubble" role="tooltip" id={id} ref={bubble}>{children}</div>}
    </span>
  );
}
