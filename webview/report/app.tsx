import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ProgressRing } from "../components/toolkit";
import type { PlainFault } from "../../src/shared/fault";
import type { TableLine } from "../../src/shared/protocol";
import { Announcer } from "./announcer";
import { DetailPane } from "./detail/detailPane";
import { FaultNotice } from "../components/faultNotice";
import { Header } from "./header";
import type { PageApi } from "../components/pageHost";
import type { Host } from "./host";
import { MapSection } from "./map/mapSection";
import { RunBar } from "./runBar";
import { SkippedSection } from "./skippedSection";
import { Splitter } from "./splitter";
import { TEXT } from "./strings";
import { LayerTable } from "./table/layerTable";
import { useUiState } from "./uiState";
import { asFault } from "../components/pageHost";
import { useReport } from "./useReport";

export function App({ api, host }: { readonly api: PageApi; readonly host: Host }): JSX.Element {
  const report = useReport(host);
  const [ui, setUi] = useUiState(api);
  const [line, setLine] = useState<TableLine | null>(null);
  const [fault, setFault] = useState<PlainFault | null>(null);
  const [news, setNews] = useState("");
  /** A layer that the map chose: the table goes there. */
  const [goTo, setGoTo] = useState<{ readonly id: number } | null>(null);

  // Another model: the table finds the remembered line again, or none.
  useEffect(() => setLine(null), [report.generation]);
  const attempt = async (action: () => Promise<string | null>): Promise<void> => {
    try {
      setFault(null);
      setNews((await action()) ?? "");
    } catch (error) {
      setFault(asFault(error));
    }
  };
  const ask = (method: "analyze" | "cancel" | "showLog") => () => void attempt(() => host.request(method, null));
  const copy = (text: string): void => void attempt(async () => {
    await host.request("copy", { text });
    return TEXT.copied;
  });

  const factorize = (only: readonly string[] | null): void => void attempt(async () => {
    await host.request("factorize", { only });
    return null;
  });

  const { opened, progress } = report;
  if (opened === null || progress === null) {
    return (
      <main class="loading" aria-busy={report.fault === null}>
        <h1 class="visually-hidden">{TEXT.report}</h1>
        {report.fault === null
          ? <><ProgressRing label={TEXT.loading} /><p>{TEXT.loading}</p></>
          : <FaultNotice fault={report.fault} onRetry={report.reopen} onShowLog={ask("showLog")} />}
      </main>
    );
  }
  const shownFault = fault ?? report.fault ?? (progress.state === "failed" ? progress.fault : null);
  return (
    <main class="page" aria-label={TEXT.report}>
      <div class="top">
        <Header summary={opened.summary} host={host} line={line} attempt={(action) => void attempt(action)} onFactorize={() => factorize(null)} />
        <RunBar progress={progress} news={news} onAnalyze={ask("analyze")} onCancel={ask("cancel")} onShowLog={ask("showLog")} />
        {shownFault !== null && (
          <FaultNotice fault={shownFault} onShowLog={ask("showLog")}
            {...(report.fault !== null ? { onRetry: report.reopen } : {})} {...(fault !== null ? { onDismiss: () => setFault(null) } : {})} />
        )}
      </div>
      <MapSection host={host} report={report} open={ui.mapOpen} selected={ui.selected?.id ?? null} onToggle={(mapOpen) => setUi({ mapOpen })}
        onSelect={(cell) => {
          setUi({ selected: { id: cell.id, depth: 0, name: cell.name } });
          setGoTo({ id: cell.id });
        }} />
      <div class="work" style={{ "--detail-share": `${ui.detailShare}%` }}>
        <LayerTable host={host} report={report} ui={ui} setUi={setUi} goTo={goTo} onLine={setLine} onCopy={copy} />
        <Splitter share={ui.detailShare} onShare={(detailShare) => setUi({ detailShare })} />
        <DetailPane host={host} report={report} line={line} scale={ui.scale} onScale={(scale) => setUi({ scale })} onCopy={copy}
          onShowParts={(name) => setUi({ open: [...new Set([...ui.open, name])] })} onFactorize={(name) => factorize([name])} onShowLog={ask("showLog")} />
      </div>
      <SkippedSection host={host} report={report} open={ui.skippedOpen} onToggle={(skippedOpen) => setUi({ skippedOpen })} />
      <Announcer progress={progress} news={news} />
    </main>
  );
}
