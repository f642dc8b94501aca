import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { useSize } from "../../components/hooks";
import { useTheme } from "../../components/theme";
import { magnitudeText } from "../../../src/shared/figures";
import type { Spectrum } from "../../../src/shared/protocol";
import { groupedText } from "../figures";
import { TEXT } from "../strings";
import type { UiState } from "../uiState";
import { cumulativeEnergy } from "./marks";
import { spectrumData, spectrumOptions } from "./spectrumOptions";

/** CSS pixels: low enough that the ranks are in view below it. */
const HEIGHT = 230;

interface SpectrumPlotProps {
  readonly spectrum: Spectrum;
  readonly scale: UiState["scale"];
}

/** σ against index, with the cumulative energy. The arrow keys move along the values, as the pointer does. */
export function SpectrumPlot({ spectrum, scale }: SpectrumPlotProps): JSX.Element {
  const theme = useTheme();
  const [measure, { width }] = useSize<HTMLDivElement>();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const { singularValues } = spectrum;
  const energy = useMemo(() => cumulativeEnergy(singularValues), [singularValues]);
  const last = singularValues.length - 1;

  useEffect(() => {
    if (place.current === null || width === 0) return;
    const drawing = { spectrum, scale, width, height: HEIGHT, zoom: 1, onCursor: setIndex };
    plot.current = new uPlot(spectrumOptions(drawing), spectrumData(spectrum, scale), place.current);
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [spectrum, scale, width, theme]);
  useEffect(() => setIndex(null), [spectrum.row.id]);

  /** Keys can come faster than the page draws. */
  const latest = useRef(index);
  latest.current = index;
  const moveTo = (wanted: number): void => {
    const next = Math.max(0, Math.min(last, wanted));
    latest.current = next;
    setIndex(next);
    plot.current?.setCursor({ left: plot.current.valToPos(next + 1, "x"), top: 1 }, false);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = latest.current ?? -1;
    const page = Math.max(1, Math.round(singularValues.length / 10));
    const target = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, PageUp: at + page, PageDown: at - page, Home: 0, End: last }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    moveTo(target);
  };
  const shown = index === null || index > last ? null : index;
  const text = shown === null ? TEXT.readoutIdle : readout(shown, singularValues, energy);
  return (
    <div class="plot">
      <div class="plot-place" ref={measure} role="slider" tabIndex={0} aria-label={TEXT.spectrumKeys} aria-valuemin={1} aria-valuemax={last + 1}
        aria-valuenow={(shown ?? 0) + 1} aria-valuetext={readout(shown ?? 0, singularValues, energy)} onKeyDown={onKeyDown}>
        <div ref={place} style={{ height: `${HEIGHT}px` }} />
      </div>
      <p class="readout">{text}</p>
    </div>
  );
}

function readout(index: number, singularValues: readonly number[], energy: readonly number[]): string {
  return TEXT.readout(groupedText(index + 1), groupedText(singularValues.length), magnitudeText(singularValues[index] ?? 0), `${(100 * (energy[index] ?? 0)).toFixed(1)} %`);
}
