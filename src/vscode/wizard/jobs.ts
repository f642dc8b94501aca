import { Cancelled, Fault, type PlainFault } from "../../shared/fault";
import { LATENCY, type Draft, type ModelEstimate } from "../../shared/planning";
import type { CheckWish, Job } from "../../shared/wizardPage";
import type { EngineClient } from "../../engine/client";
import type { Translate } from "../translate";
import type { KeptRun, RunHistory } from "./runHistory";
import { namesBeside, writtenFiles } from "./writtenFiles";

/** How a job ended: `run` is what it wrote or checked; both null: it was cancelled. */
export interface JobEnd {
  readonly job: Job;
  readonly fault: PlainFault | null;
  readonly run: string | null;
}

/** A model to be written: by a draft, or by the plan of a run before. */
export type Writing = { readonly path: string; readonly output: string } & ({ readonly draft: Draft } | { readonly again: KeptRun });

/** Writes and checks models, one at a time for the window: the page that asked may be gone before it ends. */
export class Jobs {
  private job: Job | null = null;
  private stop = new AbortController();
  private readonly progressListeners = new Set<(job: Job) => void>();
  private readonly endListeners = new Set<(end: JobEnd) => void>();

  /** @param newId of a run */
  constructor(
    private readonly engine: Pick<EngineClient, "request" | "onWork">,
    private readonly history: RunHistory,
    private readonly newId: () => string,
    private readonly t: Translate,
  ) {
    engine.onWork(({ path, task, layer, done, total }) => {
      if (task === "apply" && this.job?.kind !== "verify" && this.job?.path === path) this.tell({ ...this.job, kind: "apply", layer, done, total });
    });
  }

  get current(): Job | null {
    return this.job;
  }

  onProgress(listener: (job: Job) => void): void {
    this.progressListeners.add(listener);
  }

  onEnd(listener: (end: JobEnd) => void): void {
    this.endListeners.add(listener);
  }

  /** Starts to write, and to check then. @throws Fault when something is being written or checked */
  write(writing: Writing, check: CheckWish | null): void {
    this.begin({ kind: "plan", path: writing.path, output: writing.output, layer: "", done: 0, total: 0 }, async (signal) => {
      const run = await this.written(writing, signal);
      await this.history.add(run);
      if (check !== null) await this.checked(run, check, signal).catch((error: unknown) => this.noteCheckFault(run, error));
      return run.id;
    });
  }

  /** Starts to check what a run wrote. @throws Fault when something is being written or checked */
  verify(run: KeptRun, check: CheckWish): void {
    this.begin(verifying(run), async (signal) => {
      await this.checked(run, check, signal);
      return run.id;
    });
  }

  cancel(): void {
    this.stop.abort();
  }

  private begin(job: Job, work: (signal: AbortSignal) => Promise<string>): void {
    const { t } = this;
    if (this.job !== null) throw new Fault("usage", t("A model is being written or checked."), t("Wait until that has ended, or cancel it."));
    this.stop = new AbortController();
    this.tell(job);
    work(this.stop.signal).then(
      (run) => this.end(null, run),
      (error: unknown) => this.end(error instanceof Cancelled ? null : this.faultOf(error), null),
    );
  }

  private async written(writing: Writing, signal: AbortSignal): Promise<KeptRun> {
    const { path, output } = writing;
    const own = "draft" in writing ? await this.planned(path, writing.draft, signal) : writing.again;
    const { plan, draft, as, error, factorized, latencyShare } = own;
    const before = await namesBeside(output);
    const applied = await this.engine.request("apply", { path, plan, output, as }, signal);
    return {
      id: this.newId(), time: new Date().toISOString(), path, output, plan, draft, as, error, factorized, latencyShare, applied, check: null, checkFault: null, undone: false,
      files: await writtenFiles(applied.written, output, before),
    };
  }

  private async planned(path: string, draft: Draft, signal: AbortSignal): Promise<Pick<KeptRun, "plan" | "draft" | "as" | "latencyShare"> & Pick<ModelEstimate, "error" | "factorized">> {
    const { t } = this;
    const { after, latency } = await this.engine.request("propose", { path, draft }, signal);
    if (after.factorized === 0) throw new Fault("usage", t("No layer would be factorized: the model would be written as it is."), t("Choose a smaller budget, or include more layers."));
    const { text } = await this.engine.request("plan", { path, draft }, signal);
    return { plan: text, draft, as: draft.as, error: after.error, factorized: after.factorized, latencyShare: latency === null ? null : shareOf(draft, latency.before) };
  }

  private async checked(run: KeptRun, { data }: CheckWish, signal: AbortSignal): Promise<void> {
    this.tell(verifying(run));
    const check = await this.engine.request("verify", { path: run.path, candidate: run.output, data }, signal);
    await this.history.change(run.id, { check, checkFault: null });
  }

  /** The model is there all the same. A cancel of the check ends it without one. */
  private async noteCheckFault(run: KeptRun, error: unknown): Promise<void> {
    if (error instanceof Cancelled) return;
    await this.history.change(run.id, { checkFault: this.faultOf(error) });
  }

  private end(fault: PlainFault | null, run: string | null): void {
    const { job } = this;
    this.job = null;
    if (job !== null) for (const listener of this.endListeners) listener({ job, fault, run });
  }

  private tell(job: Job): void {
    this.job = job;
    for (const listener of this.progressListeners) listener(job);
  }

  private faultOf(error: unknown): PlainFault {
    const { t } = this;
    return (error instanceof Fault ? error : new Fault("crashed", t("The model could not be written: {0}.", String(error)), t("See the log."))).toPlain();
  }
}

function verifying({ path, output }: KeptRun): Job {
  return { kind: "verify", path, output, layer: "", done: 0, total: 0 };
}

function shareOf({ wish }: Draft, totalMs: number): number | null {
  return wish.kind === "budget" && wish.unit === LATENCY ? wish.amount / totalMs : null;
}
