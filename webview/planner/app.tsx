import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PlainFault } from "../../src/shared/fault";
import { countText } from "../../src/shared/figures";
import type { PlanQuery } from "../../src/shared/plannerPage";
import { FaultNotice } from "../components/faultNotice";
import { Icon } from "../components/icons";
import { asFault, type PageApi } from "../components/pageHost";
import { ProgressRing } from "../components/toolkit";
import { Controls } from "./controls";
import { sorted, tabSeparated } from "./figures";
import type { PlannerHost } from "./host";
import { memoryFrom, type Memory } from "./memory";
import { MethodTable } from "./methodTable";
import { TEXT } from "./strings";
import { usePlan } from "./usePlan";

/** The planner: what every method costs on the base model of one config. */
export function App({ api, host }: { readonly api: PageApi; readonly host: PlannerHost }): JSX.Element {
  const [memory, setMemory] = useState<Memory>(() => memoryFrom(api.getState()));
  const [copyFault, setCopyFault] = useState<PlainFault | null>(null);
  const [news, setNews] = useState("");
  const remember = (changes: Partial<Memory>): void => {
    const next = { ...memory, ...changes };
    setMemory(next);
    api.setState(next);
  };
  const { plan, fault, retry } = usePlan(host, memory.query, (place) => { if (place !== memory.place) remember({ place }); });
  const onQuery = (changes: Partial<PlanQuery>): void => remember({ query: { ...memory.query, ...changes } });
  const showLog = (): void => void host.request("showLog", null);
  if (plan === null) {
    return (
      <main class="loading" aria-busy={fault === null}>
        <h1 class="visually-hidden">{TEXT.title}</h1>
        {fault === null ? <><ProgressRing label={TEXT.loading} /><p>{TEXT.loading}</p></> : <FaultNotice fault={fault} onRetry={retry} onShowLog={showLog} />}
      </main>
    );
  }
  const copy = (): void => {
    host.request("copy", { text: tabSeparated(sorted(plan.rows, memory.sort)) }).then(() => setNews(TEXT.copied), (error: unknown) => setCopyFault(asFault(error)));
  };
  const { base } = plan;
  const shownFault = fault ?? copyFault;
  return (
    <main class="page" aria-label={TEXT.title}>
      <header class="header">
        <div>
          <h1>{TEXT.headline}</h1>
          <p class="quiet"><bdi>{plan.fileName}</bdi> ({plan.ecosystem}) · <bdi>{TEXT.on(base.name, countText(base.parameters))}</bdi></p>
          {base.remark !== "" && <p class="quiet">{TEXT.approximately(base.remark)}</p>}
        </div>
        <button type="button" class="icon-button" title={TEXT.copyTable} aria-label={TEXT.copyTable} onClick={copy}><Icon name="copy" /></button>
      </header>
      {shownFault !== null && <FaultNotice fault={shownFault} onShowLog={showLog} {...(fault !== null ? { onRetry: retry } : { onDismiss: () => setCopyFault(null) })} />}
      <Controls plan={plan} query={memory.query} onQuery={onQuery} />
      <MethodTable rows={plan.rows} own={plan.own} sort={memory.sort} onSort={(sort) => remember({ sort })} />
      <footer class="quiet">
        <p>{TEXT.symbols}</p>
        <p>{TEXT.learnsLess}</p>
      </footer>
      <p class="visually-hidden" role="status">{news !== "" ? news : TEXT.updated(plan.rows.length)}</p>
    </main>
  );
}
