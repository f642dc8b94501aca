import type { JSX } from "preact";
import { Icon } from "../../components/icons";
import { Dropdown } from "../../components/toolkit";
import { magnitudeText } from "../../../src/shared/figures";
import type { Spectrum } from "../../../src/shared/protocol";
import { groupedText } from "../figures";
import { TEXT } from "../strings";
import type { UiState } from "../uiState";
import { marksOf, noiseEdge } from "./marks";
import { SpectrumPlot } from "./spectrumPlot";

const SCALES = [{ value: "logarithmic", text: TEXT.logarithmic }, { value: "linear", text: TEXT.linear }] as const;

interface SpectrumSectionProps {
  readonly spectrum: Spectrum | null;
  readonly scale: UiState["scale"];
  readonly onScale: (scale: UiState["scale"]) => void;
  readonly onCopy: (text: string) => void;
}

/** The spectrum of a row, what its lines mean, and its values for the clipboard. */
export function SpectrumSection({ spectrum, scale, onScale, onCopy }: SpectrumSectionProps): JSX.Element {
  const values = spectrum?.singularValues ?? [];
  const [first, last] = [values[0] ?? 0, values.at(-1) ?? 0];
  return (
    <section class="spectrum" aria-labelledby="spectrum-title">
      <div class="detail-head">
        <h3 id="spectrum-title">{TEXT.spectrum}</h3>
        {first > 0 && (
          <div class="detail-actions">
            <Dropdown label={TEXT.scale} options={SCALES} value={scale} onChange={onScale} />
            <button type="button" class="icon-button" title={TEXT.copySpectrum} aria-label={TEXT.copySpectrum} onClick={() => onCopy(values.join("\n"))}><Icon name="copy" /></button>
          </div>
        )}
      </div>
      {spectrum === null || values.length === 0 ? <p class="quiet">{TEXT.noSpectrum}</p>
        : first === 0 ? <p class="quiet">{TEXT.zeroMatrix}</p>
          : (
            <>
              <SpectrumPlot spectrum={spectrum} scale={scale} />
              <Legend spectrum={spectrum} />
              <p class="quiet">{values.length === 1 ? TEXT.single(magnitudeText(first)) : TEXT.summary(groupedText(values.length), magnitudeText(first), magnitudeText(last))}</p>
            </>
          )}
    </section>
  );
}

function Legend({ spectrum: { row } }: { readonly spectrum: Spectrum }): JSX.Element {
  const edge = noiseEdge(row);
  return (
    <ul class="legend">
      <li class="line sigma">{TEXT.singularValues}</li>
      <li class="line energy">{TEXT.cumulativeEnergy}</li>
      {marksOf(row).map(({ key, label, figure }) => (
        <li key={key} class={`line ${key.startsWith("energyRank") ? "energy-rank" : key}`}>{label} <b>{figure}</b></li>
      ))}
      {edge !== null && <li class="line edge" title={TEXT.noiseEdgeTitle}>{TEXT.noiseEdge} <b>σ = {magnitudeText(edge)}</b></li>}
    </ul>
  );
}
