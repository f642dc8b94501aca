import { useEffect, useRef, useState } from "preact/hooks";
import type { Spectrum, TableLine } from "../../../src/shared/protocol";
import type { Host } from "../host";
import type { ReportState } from "../useReport";

/**
 * The spectrum of the selected line, asked for again while its matrix is not measured. null: none is
 * selected, it is on the way, or the line stands for several matrices.
 */
export function useSpectrum(host: Host, report: ReportState, line: TableLine | null): Spectrum | null {
  const [spectrum, setSpectrum] = useState<Spectrum | null>(null);
  const id = line === null || line.mean ? null : line.row.id;
  const settled = spectrum?.row.id === id && (spectrum?.row.state === "done" || spectrum?.row.state === "failed");
  useEffect(() => setSpectrum(null), [host, id, report.generation]);
  const wanted = useRef(id);
  wanted.current = id;
  useEffect(() => {
    if (id === null || settled) return;
    host.request("spectrum", { id }).then(
      (answer) => {
        if (answer.row.id === wanted.current) setSpectrum(answer);
      },
      // The line itself says what failed; a model that cannot be read any more is told by the page.
      () => undefined,
    );
  }, [host, id, settled, report.revision, report.generation]);
  return spectrum?.row.id === id ? spectrum : null;
}
