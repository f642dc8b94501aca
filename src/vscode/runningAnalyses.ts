import type { EngineClient, Subscription } from "../engine/client";
import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { Progress } from "../shared/report";

interface Job {
  readonly stop: AbortController;
  progress: Progress;
}

/**
 * The analyses of this window, by model: an analysis belongs to the window, not to the editor that started it.
 * Several editors of one model share one; it goes on when they are closed.
 */
export class RunningAnalyses {
  /** In the order in which they were started, which is the order in which they run. */
  private readonly jobs = new Map<string, Job>();
  private readonly progressListeners = new Set<(progress: Progress) => void>();
  private readonly endListeners = new Set<(progress: Progress) => void>();

  constructor(private readonly engine: Pick<EngineClient, "request" | "onProgress">) {
    engine.onProgress((progress) => this.accept(progress));
  }

  /** Starts it, or joins the one that is queued or runs. */
  start(path: string): void {
    if (this.jobs.has(path)) return;
    const stop = new AbortController();
    const job: Job = { stop, progress: { ...NOT_STARTED, path } };
    this.jobs.set(path, job);
    this.tell(job.progress);
    this.engine.request("analyze", { path }, stop.signal).then(
      (end) => this.end(job, end),
      (error: unknown) => this.end(job, error instanceof Cancelled ? this.cancelled(job) : { ...job.progress, state: "failed", current: [], etaMs: null, fault: faultOf(error) }),
    );
  }

  /** Stops it; what was computed stays. Nothing happens without one. */
  cancel(path: string): void {
    const job = this.jobs.get(path);
    if (job === undefined) return;
    this.end(job, this.cancelled(job));
    job.stop.abort();
  }

  /** Those that are queued or run, the running one first. */
  get all(): readonly Progress[] {
    return [...this.jobs.values()].map(({ progress }) => progress);
  }

  progressOf(path: string): Progress | null {
    return this.jobs.get(path)?.progress ?? null;
  }

  /** Every state of every analysis, its last one included. */
  onProgress(listener: (progress: Progress) => void): Subscription {
    this.progressListeners.add(listener);
    return { dispose: () => void this.progressListeners.delete(listener) };
  }

  /** Once for each analysis, with the state in which it ended. */
  onEnd(listener: (progress: Progress) => void): Subscription {
    this.endListeners.add(listener);
    return { dispose: () => void this.endListeners.delete(listener) };
  }

  private accept(progress: Progress): void {
    const job = this.jobs.get(progress.path);
    const goesOn = progress.state === "queued" || progress.state === "running";
    if (job === undefined) {
      // After a cancel: the engine's last words about the counts are welcome, those it said before are not.
      if (!goesOn) this.tell(progress);
    } else if (progress.state !== "cancelled") {
      // "cancelled" would be of the analysis that was cancelled before this one was started.
      job.progress = progress;
      // The end of this one is told when its request ends, so that it is told once.
      if (goesOn) this.tell(progress);
    }
  }

  private end(job: Job, progress: Progress): void {
    if (this.jobs.get(progress.path) !== job) return;
    this.jobs.delete(progress.path);
    this.tell(progress);
    for (const listener of this.endListeners) listener(progress);
  }

  private cancelled(job: Job): Progress {
    return { ...job.progress, state: "cancelled", current: [], etaMs: null, ahead: 0 };
  }

  private tell(progress: Progress): void {
    for (const listener of this.progressListeners) listener(progress);
  }
}

const NOT_STARTED: Omit<Progress, "path"> = { state: "queued", done: 0, failed: 0, total: 0, estimated: 0, current: [], elapsedMs: 0, etaMs: null, ahead: 0, fault: null };

function faultOf(error: unknown): PlainFault {
  const fault = error instanceof Fault ? error : new Fault("crashed", `The analysis stopped: ${String(error)}.`, "See the log.");
  return fault.toPlain();
}
