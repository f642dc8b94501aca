import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import type { RowsQuery } from "../../../src/shared/protocol";
import { useEvent } from "../../components/hooks";
import type { Host } from "../host";
import type { UiState } from "../uiState";
import type { ReportState } from "../useReport";
import { LinePages } from "./linePages";

/** The lines of the table by the page's sort, filter and folding; renders when lines come. */
export function useLines(host: Host, report: ReportState, ui: UiState, onFault: (error: unknown) => void): LinePages {
  const [, render] = useReducer((count: number) => count + 1, 0);
  const fault = useEvent(onFault);
  const query = useMemo(() => ({ sort: ui.sort, filter: ui.filter, open: ui.open }), [ui.sort, ui.filter, ui.open]);
  // Another model starts with no lines.
  const pages = useMemo(
    () => new LinePages(query, (rows: RowsQuery) => host.request("rows", rows), () => render(undefined), fault),
    [host, report.generation],
  );
  useEffect(() => pages.ask(query), [pages, query]);
  const seen = useRef(report.revision);
  useEffect(() => {
    if (seen.current === report.revision) return;
    seen.current = report.revision;
    pages.refresh();
  }, [pages, report.revision]);
  return pages;
}
