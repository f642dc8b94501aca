import type { ComponentChildren, JSX } from "preact";
import { Icon } from "./icons";

interface SectionProps {
  readonly id: string;
  readonly title: string;
  /** Beside the title, shown when folded too. */
  readonly aside?: ComponentChildren;
  readonly open: boolean;
  readonly onToggle: (open: boolean) => void;
  readonly children: ComponentChildren;
}

/** A part of the page that folds away, as the views of a side bar do. */
export function Section({ id, title, aside, open, onToggle, children }: SectionProps): JSX.Element {
  return (
    <section class={`section ${id}-section`} aria-labelledby={`${id}-title`}>
      <div class="section-head">
        <h2>
          <button type="button" class="section-toggle" id={`${id}-title`} aria-expanded={open} aria-controls={`${id}-body`} onClick={() => onToggle(!open)}>
            <Icon name="chevron" class={open ? "turned" : ""} />
            {title}
          </button>
        </h2>
        <div class="section-aside">{aside}</div>
      </div>
      <div id={`${id}-body`} class="section-body" hidden={!open}>{open && children}</div>
    </section>
  );
}
