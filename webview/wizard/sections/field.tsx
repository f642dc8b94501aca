import type { ComponentChildren, JSX } from "preact";

interface FieldProps {
  readonly name: string;
  /** What the choice does. */
  readonly note?: string | undefined;
  readonly children: ComponentChildren;
}

/** A control with its name, which also names it to a screen reader by its own label. */
export function Field({ name, note, children }: FieldProps): JSX.Element {
  return (
    <div class="field">
      <span class="field-name" aria-hidden="true">{name}</span>
      <div class="field-control">{children}</div>
      {note !== undefined && note !== "" && <p class="field-note quiet">{note}</p>}
    </div>
  );
}
