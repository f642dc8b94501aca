import type { JSX } from "preact";
import { useState } from "preact/hooks";

interface FigureInputProps {
  readonly label: string;
  /** null: not known yet. */
  readonly figure: number | null;
  readonly least: number;
  readonly most?: number;
  /** Left out: any. */
  readonly step?: number;
  readonly onFigure: (figure: number) => void;
}

/** A figure that a person types: what is typed stays while the page changes around it, until it is taken with Enter or on leaving. */
export function FigureInput({ label, figure, least, most, step, onFigure }: FigureInputProps): JSX.Element {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <input class="text-input figure-input" type="number" aria-label={label} min={least} {...(most === undefined ? {} : { max: most })} step={step ?? "any"} disabled={figure === null} value={typed ?? figure ?? ""}
      onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      onBlur={() => setTyped(null)}
      onChange={({ currentTarget }) => {
        const taken = currentTarget.valueAsNumber;
        setTyped(null);
        if (Number.isFinite(taken)) onFigure(taken);
      }} />
  );
}
