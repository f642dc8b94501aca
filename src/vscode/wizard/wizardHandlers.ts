import { basename } from "node:path";
import type { EngineClient } from "../../engine/client";
import { Fault } from "../../shared/fault";
import type { WizardMethods, WizardStart } from "../../shared/wizardPage";
import type { Handlers } from "../pageConnection";
import type { Translate } from "../translate";
import type { Jobs } from "./jobs";
import type { Readying } from "./readying";
import type { KeptRun, RunHistory } from "./runHistory";
import { deleteWritten } from "./writtenFiles";

/** What the wizard may have done by the editor. */
export interface WizardServices {
  readonly engine: Pick<EngineClient, "request">;
  readonly analyses: { start(path: string): void; cancel(path: string): void };
  readonly jobs: Jobs;
  readonly readying: Readying;
  readonly history: RunHistory;
  /** The model that the wizard is on; a page that comes back says which it had. */
  start(path: string | null): WizardStart;
  chooseModel(): Promise<string | null>;
  chooseOutput(suggested: string): Promise<string | null>;
  chooseData(): Promise<string | null>;
  /** Whether a file that is there may be replaced; true where there is none. */
  mayReplace(output: string): Promise<boolean>;
  mayDelete(names: readonly string[]): Promise<boolean>;
  /** Asks for a place and writes there; null when the person thought better of it. @throws Fault */
  savePlan(suggested: string, text: string): Promise<string | null>;
  openReport(path: string): Promise<void>;
  reveal(path: string): Promise<void>;
  copy(text: string): Promise<void>;
  showLog(): void;
  readonly t: Translate;
}

export type WizardHandlers = Handlers<WizardMethods>;

/** Answers the wizard's page. */
export function wizardHandlers(services: WizardServices): WizardHandlers {
  const { engine, analyses, jobs, readying, history, t } = services;
  const runOf = (id: string): KeptRun => {
    const run = history.find(id);
    if (run === null) throw new Fault("not-found", t("That run is not in the history any more."), "");
    return run;
  };
  const done = <A extends readonly unknown[]>(action: (...args: A) => Promise<void> | void) => async (...args: A): Promise<null> => {
    await action(...args);
    return null;
  };
  return {
    start: async ({ path }) => services.start(path),
    chooseModel: async () => ({ path: await services.chooseModel() }),
    open: ({ path }, signal) => engine.request("open", { path }, signal),
    analyze: done(({ path }) => analyses.start(path)),
    cancelAnalysis: done(({ path }) => analyses.cancel(path)),
    planning: (params, signal) => engine.request("planning", params, signal),
    ready: ({ path, draft }) => readying.ready(path, draft),
    cancelReady: done(() => readying.cancel()),
    propose: (params, signal) => engine.request("propose", params, signal),
    curve: (params, signal) => engine.request("curve", params, signal),
    ladders: (params, signal) => engine.request("ladders", params, signal),
    chooseOutput: async ({ suggested }) => ({ path: await services.chooseOutput(suggested) }),
    chooseData: async () => ({ path: await services.chooseData() }),
    apply: done(async ({ path, draft, output, check }) => {
      if (await services.mayReplace(output)) jobs.write({ path, output, draft }, check);
    }),
    applyAgain: done(async ({ id }) => {
      const again = runOf(id);
      if (await services.mayReplace(again.output)) jobs.write({ path: again.path, output: again.output, again }, null);
    }),
    verify: done(({ id, data }) => jobs.verify(runOf(id), { data })),
    cancel: done(() => jobs.cancel()),
    exportPlan: async (params, signal) => {
      if ("id" in params) {
        const { output, plan } = runOf(params.id);
        return { saved: await services.savePlan(`${output}.plan.json`, plan) };
      }
      const { text } = await engine.request("plan", params, signal);
      return { saved: await services.savePlan(`${params.path}.plan.json`, text) };
    },
    openReport: done(({ path }) => services.openReport(path)),
    reveal: done(({ path }) => services.reveal(path)),
    copy: done(({ text }) => services.copy(text)),
    undo: done(async ({ id }) => {
      const { files } = runOf(id);
      if (!(await services.mayDelete(files.map(({ path }) => basename(path))))) return;
      await deleteWritten(files, t);
      await history.change(id, { undone: true });
    }),
    forgetRun: done(({ id }) => history.forget(id)),
    showLog: done(() => services.showLog()),
  };
}
