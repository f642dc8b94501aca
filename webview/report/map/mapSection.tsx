import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Section } from "../../components/section";
import { useTheme } from "../../components/theme";
import type { MapCell, ModelMap } from "../../../src/shared/protocol";
import type { Host } from "../host";
import { TEXT } from "../strings";
import type { ReportState } from "../useReport";
import { MapPicture } from "./mapPicture";
import { scaleGradient } from "./scale";

interface MapSectionProps {
  readonly host: Host;
  readonly report: ReportState;
  readonly open: boolean;
  /** Id of the selected row. */
  readonly selected: number | null;
  readonly onToggle: (open: boolean) => void;
  readonly onSelect: (cell: MapCell) => void;
}

/** The model as a picture, with its scale. */
export function MapSection({ host, report, open, selected, onToggle, onSelect }: MapSectionProps): JSX.Element | null {
  const [map, setMap] = useState<ModelMap | null>(null);
  useEffect(() => {
    // A map that does not come leaves the one of before; the table says why requests fail.
    if (open) host.request("map", null).then(setMap, () => undefined);
  }, [host, open, report.revision, report.generation]);
  if (report.opened?.rows === 0) return null;
  return (
    <Section id="map" title={TEXT.map} open={open} onToggle={onToggle} aside={open && <ScaleLegend someFailed={map !== null && [...map.cells, ...map.strip].some(({ state }) => state === "failed")} />}>
      {map !== null && <MapPicture map={map} selected={selected} onSelect={onSelect} />}
    </Section>
  );
}

function ScaleLegend({ someFailed }: { readonly someFailed: boolean }): JSX.Element {
  const { kind } = useTheme();
  return (
    <div class="scale-legend">
      <span>{TEXT.utilization}</span>
      <span>0 %</span>
      <span class="scale" aria-hidden="true" style={{ backgroundImage: scaleGradient(kind) }} />
      <span>100 %</span>
      <span class="scale-missing" aria-hidden="true" />
      <span>{TEXT.notMeasured}</span>
      {someFailed && <span class="scale-failed" aria-hidden="true" />}
      {someFailed && <span>{TEXT.failedCell}</span>}
    </div>
  );
}
