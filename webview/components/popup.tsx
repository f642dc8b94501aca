import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useDismiss } from "./hooks";

interface PopupProps {
  /** Name of the button. */
  readonly label: string;
  readonly icon: ComponentChildren;
  /** Role of the panel: a menu of actions, or a group of controls. */
  readonly role: "menu" | "group";
  /** Shown instead of the icon alone. */
  readonly text?: string;
  readonly children: (close: () => void) => ComponentChildren;
}

/** A button and the panel that it opens. Arrows move between the panel's items, Escape returns to the button. */
export function Popup({ label, icon, role, text, children }: PopupProps): JSX.Element {
  const [shown, setShown] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const close = (refocus: boolean): void => {
    setShown(false);
    if (refocus) root.current?.querySelector<HTMLElement>(".popup-button")?.focus();
  };
  useDismiss(root, shown, close);
  useEffect(() => {
    if (shown) itemsOf(panel.current)[0]?.focus();
  }, [shown]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    const items = itemsOf(panel.current);
    const at = items.indexOf(event.target as HTMLElement);
    items[(at + step + items.length) % items.length]?.focus();
    event.preventDefault();
  };
  return (
    <div class="popup" ref={root}>
      <button type="button" class={text === undefined ? "icon-button popup-button" : "text-button popup-button"} title={label} aria-label={label}
        aria-haspopup={role === "menu" ? "menu" : "true"} aria-expanded={shown} onClick={() => setShown(!shown)}>
        {icon}
        {text}
      </button>
      {shown && (
        <div class="popup-panel" role={role} aria-label={label} ref={panel} onKeyDown={onKeyDown}>
          {children(() => close(true))}
        </div>
      )}
    </div>
  );
}

function itemsOf(panel: HTMLElement | null): HTMLElement[] {
  return [...(panel?.querySelectorAll<HTMLElement>("[role=menuitem], vscode-checkbox, vscode-button") ?? [])];
}
