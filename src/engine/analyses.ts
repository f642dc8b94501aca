import { Cancelled, Fault } from "../shared/fault";
import type { Progress } from "../shared/report";

/** Runs one analysis, told when it is its turn. */
export type RunAnalysis = (path: string, signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<Progress>;

interface Job {
  readonly path: string;
  readonly stop: AbortController;
  readonly ended: Promise<Progress>;
  /** How many requests wait for it; without any it is stopped. */
  waiters: number;
  progress: Progress;
}

/**
 * One analysis at a time, in the order they were asked for: two at once would only take each other's memory.
 * Requests for a model that is queued or running join it.
 */
export class Analyses {
  private readonly jobs: Job[] = [];

  constructor(private readonly run: RunAnalysis, private readonly emit: (progress: Progress) => void) {}

  /** @throws Cancelled once `signal` is aborted; the analysis goes on while somebody else waits for it. */
  async request(path: string, signal: AbortSignal): Promise<Progress> {
    if (signal.aborted) throw new Cancelled();
    const job = this.jobs.find((known) => known.path === path && !known.stop.signal.aborted) ?? this.enqueue(path);
    job.waiters++;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        if (--job.waiters === 0) this.abandon(job);
        reject(new Cancelled());
      };
    });
    signal.addEventListener("abort", leave);
    try {
      const end = await Promise.race([job.ended, left]);
      if (end.state === "cancelled") throw new Cancelled();
      return end;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** What was last told about a queued or running analysis. */
  progressOf(path: string): Progress | null {
    return this.jobs.find((job) => job.path === path)?.progress ?? null;
  }

  /** Whether anything is queued or running. */
  get isBusy(): boolean {
    return this.jobs.length > 0;
  }

  private enqueue(path: string): Job {
    const stop = new AbortController();
    const previous = this.jobs.at(-1)?.ended.catch(() => undefined) ?? Promise.resolve();
    const ended = previous.then(() => this.perform(job));
    const job: Job = { path, stop, ended, waiters: 0, progress: queued(path, this.jobs.length) };
    this.jobs.push(job);
    ended.catch(() => undefined);
    if (job.progress.ahead > 0) this.emit(job.progress);
    return job;
  }

  private async perform(job: Job): Promise<Progress> {
    const tell = (progress: Progress): void => {
      job.progress = progress;
      this.emit(progress);
    };
    try {
      if (job.stop.signal.aborted) throw new Cancelled();
      return await this.run(job.path, job.stop.signal, tell);
    } catch (error) {
      if (error instanceof Fault) tell({ ...job.progress, state: "failed", fault: error.toPlain(), ahead: 0 });
      throw error;
    } finally {
      this.remove(job);
    }
  }

  /** Nobody waits for it any more: a running one is stopped, a queued one never starts. */
  private abandon(job: Job): void {
    job.stop.abort();
    if (this.jobs.indexOf(job) <= 0) return;
    this.emit({ ...job.progress, state: "cancelled", ahead: 0 });
    this.remove(job);
  }

  private remove(job: Job): void {
    const index = this.jobs.indexOf(job);
    if (index < 0) return;
    this.jobs.splice(index, 1);
    this.jobs.forEach((other, ahead) => {
      if (other.progress.state !== "queued" || other.progress.ahead === ahead || ahead === 0) return;
      other.progress = { ...other.progress, ahead };
      this.emit(other.progress);
    });
  }
}

function queued(path: string, ahead: number): Progress {
  return { path, state: "queued", done: 0, failed: 0, total: 0, estimated: 0, current: [], elapsedMs: 0, etaMs: null, ahead, fault: null };
}
