import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PlainFault } from "../../src/shared/fault";
import { FaultNotice } from "../components/faultNotice";
import { asFault, type PageApi } from "../components/pageHost";
import { Section } from "../components/section";
import { Button, ProgressRing } from "../components/toolkit";
import type { WizardHost } from "./host";
import { ModelForm } from "./modelForm";
import { HistorySection } from "./sections/historySection";
import { useMemory } from "./state/memory";
import { formFrom } from "./state/form";
import { useWindow } from "./state/useWindow";
import { fileName } from "./figures";
import { TEXT } from "./strings";

/** The compression wizard: one form of the window's model, and what was written before. */
export function App({ api, host }: { readonly api: PageApi; readonly host: WizardHost }): JSX.Element {
  const control = useMemory(api);
  const { memory, update, changeForm } = control;
  const window = useWindow(host, memory.path);
  const [fault, setFault] = useState<PlainFault | null>(null);
  const [news, setNews] = useState("");
  const path = window.target?.path ?? null;
  useEffect(() => {
    if (window.started) update({ path });
    setFault(null);
  }, [window.started, path]);

  /** Tells what went wrong, or what was done. */
  const attempt = (action: () => Promise<string | null>): void => {
    setFault(null);
    setNews("");
    action().then((said) => setNews(said ?? ""), (error: unknown) => setFault(asFault(error)));
  };
  const ask = (action: () => Promise<unknown>): void => attempt(() => action().then(() => null));
  const showLog = (): void => ask(() => host.request("showLog", null));
  const saved = async (answer: Promise<{ saved: string | null }>): Promise<string | null> => {
    const { saved: file } = await answer;
    return file === null ? null : TEXT.saved(fileName(file));
  };
  if (!window.started) return <main class="loading"><h1 class="visually-hidden">{TEXT.wizard}</h1><ProgressRing label={TEXT.loading} /></main>;
  const shown = fault ?? window.jobFault;
  return (
    <main class="wizard" aria-label={TEXT.wizard}>
      <h1 class="visually-hidden">{TEXT.wizard}</h1>
      {shown !== null && <FaultNotice fault={shown} onShowLog={showLog} onDismiss={() => (fault === null ? window.dismissJobFault() : setFault(null))} />}
      {window.target === null
        ? <div class="start"><p class="quiet">{TEXT.noModel}</p><Button onClick={() => ask(() => host.request("chooseModel", null))}>{TEXT.chooseModel}</Button></div>
        : <ModelForm key={window.target.path} host={host} control={control} target={window.target} window={window} ask={ask} attempt={attempt} saved={saved} showLog={showLog} />}
      <Section id="history" title={TEXT.history} aside={window.history.length > 0 ? String(window.history.length) : undefined} open={!memory.folded.includes("history")}
        onToggle={(open) => update({ folded: open ? memory.folded.filter((id) => id !== "history") : [...memory.folded, "history"] })}>
        <HistorySection history={window.history} path={path} busy={window.job !== null}
          onAgain={({ id }) => ask(() => host.request("applyAgain", { id }))}
          onSettings={({ path: own, draft }) => { if (draft !== null) changeForm(own, formFrom({ ...control.formOf(own), ...draft })); }}
          onExportPlan={({ id }) => attempt(() => saved(host.request("exportPlan", { id })))}
          onOpenReport={(file) => ask(() => host.request("openReport", { path: file }))}
          onForget={({ id }) => ask(() => host.request("forgetRun", { id }))} />
      </Section>
      <div class="news" role="status">{news}</div>
    </main>
  );
}
