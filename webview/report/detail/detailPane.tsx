import type { JSX } from "preact";
import { Icon } from "../../components/icons";
import { Button } from "../../components/toolkit";
import { countText } from "../../../src/shared/figures";
import type { TableLine } from "../../../src/shared/protocol";
import type { LayerRow } from "../../../src/shared/report";
import { FaultNotice } from "../../components/faultNotice";
import { partText, sizeText, timeText } from "../figures";
import type { Host } from "../host";
import { TEXT } from "../strings";
import { whyMissing } from "../table/tableRow";
import type { UiState } from "../uiState";
import type { ReportState } from "../useReport";
import { MeasureList } from "./measureList";
import { SpectrumSection } from "./spectrumSection";
import { useSpectrum } from "./useSpectrum";

interface DetailPaneProps {
  readonly host: Host;
  readonly report: ReportState;
  readonly line: TableLine | null;
  readonly scale: UiState["scale"];
  readonly onScale: (scale: UiState["scale"]) => void;
  readonly onCopy: (text: string) => void;
  readonly onShowParts: (name: string) => void;
  readonly onFactorize: (layer: string) => void;
  readonly onShowLog: () => void;
}

/** Everything about the selected line. */
export function DetailPane({ host, report, line, scale, onScale, onCopy, onShowParts, onFactorize, onShowLog }: DetailPaneProps): JSX.Element {
  const spectrum = useSpectrum(host, report, line);
  if (line === null) return <aside class="detail" aria-label={TEXT.details}><p class="empty">{TEXT.nothingSelected}</p></aside>;
  // The answer about the spectrum may be newer than the table's line; a stand-in for parts has no spectrum.
  const row = line.mean ? line.row : (spectrum?.row ?? line.row);
  const { measures, first } = row;
  return (
    <aside class="detail" aria-label={TEXT.details}>
      <Heading row={row} line={line} />
      {row.state === "failed" && row.fault !== null && <FaultNotice fault={row.fault} onShowLog={onShowLog} />}
      {(row.state === "pending" || row.state === "computing") && <p class="quiet">{whyMissing(row)}</p>}
      {line.mean
        ? (
          <div class="mean">
            <p class="quiet">{TEXT.meanSpectrum(line.children)}</p>
            {!line.expanded && <Button secondary onClick={() => onShowParts(row.name)}>{TEXT.showParts}</Button>}
          </div>
        )
        : row.state !== "failed" && <SpectrumSection spectrum={spectrum} scale={scale} onScale={onScale} onCopy={onCopy} />}
      {(measures !== null || first !== null) && (
        <section aria-labelledby="measures-title">
          <div class="detail-head">
            <h3 id="measures-title">{TEXT.measures}</h3>
            <button type="button" class="icon-button" title={TEXT.copyMeasures} aria-label={TEXT.copyMeasures} onClick={() => onCopy(asJson(row))}><Icon name="copy" /></button>
          </div>
          <MeasureList row={row} />
          {measures !== null && <p class="quiet">{TEXT.measuredIn(timeText(measures.ms))}</p>}
        </section>
      )}
      <Button secondary onClick={() => onFactorize(row.name)}>{TEXT.factorizeLayer}</Button>
      <Notes row={row} />
    </aside>
  );
}

function Heading({ row, line: { depth } }: { readonly row: LayerRow; readonly line: TableLine }): JSX.Element {
  const part = depth === 1 || row.part !== null ? [partText(row)] : [];
  const facts = [row.kind, ...part, `${sizeText(row.shape)} ${row.dtype}`, `${TEXT.matrix} ${sizeText(row.matrix)}`, `${countText(row.parameters)} ${TEXT.parameters.toLowerCase()}`];
  return (
    <div class="detail-title">
      <h2><bdi>{row.name}</bdi></h2>
      <p class="quiet">{facts.map((fact, index) => <span key={index}>{index > 0 && " · "}<bdi>{fact}</bdi></span>)}</p>
    </div>
  );
}

function Notes({ row }: { readonly row: LayerRow }): JSX.Element | null {
  const notes = [...row.notes, ...(row.input === null ? [] : [TEXT.inputSide[row.input]])];
  if (notes.length === 0) return null;
  return (
    <section aria-labelledby="notes-title">
      <h3 id="notes-title">{TEXT.notes}</h3>
      <ul class="row-notes">{notes.map((note) => <li key={note}><bdi>{note}</bdi></li>)}</ul>
    </section>
  );
}

function asJson({ name, part, unfolding, matrix, measures, first }: LayerRow): string {
  return JSON.stringify({ name, part, unfolding, matrix, ...(measures ?? { ...first, exact: false }) }, null, 2);
}
