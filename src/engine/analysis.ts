import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { LayerRow, Progress } from "../shared/report";
import type { ResultsCache } from "./cache";
import { ComputeCrash } from "./computeProcess";
import type { ComputeMessage, Depth } from "./computeProtocol";
import { memoryBudget } from "./memory";
import type { ComputePool } from "./pool";
import { ProgressMeter } from "./progressMeter";
import type { Report } from "./report";
import type { RowOutcome } from "./results";
import { titleOf } from "./title";
import { costOf, excessOf, taskOf, tasksOf, type LayerTask } from "./schedule";

/** A row (or the reading of a layer) that ended its process this often is given up. */
const CRASHES_PER_ROW = 2;
/** With so many crashes it is not the layers: the analysis ends. */
const CRASHES_PER_ANALYSIS = 12;
/** Processes that end before they can work, in a row. */
const FAILED_STARTS = 3;

export interface AnalysisOptions {
  readonly pool: ComputePool;
  readonly cache: ResultsCache | null;
  /** Rows to compute; all when left out. */
  readonly selected?: (id: number) => boolean;
  /** Ends with first figures of the large matrices, without their spectra. */
  readonly estimateOnly?: boolean;
  /** Bound of what compute processes take together; 0: a quarter of the machine's memory. */
  readonly memoryMegabytes: number;
  /** Stops at once, in the middle of a matrix too. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly log: (level: "info" | "warn", text: string) => void;
  /** Hears sentences that a person should know before the analysis is done; they are warnings of the log where it is left out. */
  readonly tell?: (sentence: string) => void;
}

/**
 * Computes the rows of a report that are missing. A row that cannot be measured is marked as failed and the
 * rest goes on; what was computed stays after a cancel.
 * @returns where it ended: `done`, `cancelled`, or `failed` when the machine does not let it compute
 */
export async function analyze(report: Report, options: AnalysisOptions): Promise<Progress> {
  return new Analysis(report, options).run();
}

class Analysis {
  private readonly selected: (id: number) => boolean;
  /** The next one last. */
  private readonly waiting: LayerTask[];
  private readonly meter: ProgressMeter;
  private readonly costOfSpectra: number;
  private readonly budget: number;
  private readonly writes: Promise<void>[] = [];
  /** By row id; by minus one minus the layer's index for crashes while it was read. */
  private readonly crashes = new Map<number, number>();
  private readonly layersInWork = new Set<number>();
  private bytesInUse = 0;
  private inFlight = 0;
  private totalCrashes = 0;
  private failedStarts = 0;
  private fault: PlainFault | null = null;
  private cacheWorks = true;
  private wake: () => void = () => undefined;

  constructor(private readonly report: Report, private readonly options: AnalysisOptions) {
    this.selected = options.selected ?? (() => true);
    this.budget = memoryBudget(options.memoryMegabytes);
    report.retryPassing();
    this.waiting = tasksOf(report, this.selected, options.estimateOnly ?? false).reverse();
    const cost = this.waiting.reduce((sum, task) => sum + task.cost, 0);
    this.costOfSpectra = this.waiting.reduce((sum, task) => sum + (task.depth === "full" ? task.cost : 0), 0);
    this.meter = new ProgressMeter(report, this.selected, cost, options.onProgress);
  }

  async run(): Promise<Progress> {
    const { pool, signal, cache, onProgress } = this.options;
    const rows = new Set(this.waiting.flatMap((task) => task.rows)).size;
    const stop = (): void => { pool.stop(); this.wake(); };
    signal.addEventListener("abort", stop);
    try {
      if (rows > 0) {
        this.options.log("info", `${this.report.path}: computing ${rows} of ${this.report.rows.length} matrices.`);
        this.tellExcess();
        await this.drain();
        await Promise.all(this.writes);
        await attempt(() => this.report.endRun(this.meter.elapsedMs(), cache), (error) => this.cacheFailed(error));
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.meter.stop();
    }
    const counts = this.report.counts(this.selected);
    const left = counts.total - counts.done - counts.failed - (this.options.estimateOnly === true ? counts.estimated : 0);
    const state = left === 0 ? "done" : signal.aborted ? "cancelled" : "failed";
    if (state === "failed") this.fault ??= new Fault("crashed", `${left} matrices gave no result.`, "Analyze again; if it stays, report it with the log.").toPlain();
    const standing = this.report.progress(state, this.fault);
    const end: Progress = { ...standing, ...counts, elapsedMs: rows > 0 ? this.meter.elapsedMs() : standing.elapsedMs };
    onProgress(end);
    return end;
  }

  private tellExcess(): void {
    const { log, tell = (sentence) => log("warn", sentence) } = this.options;
    const excess = excessOf(this.report, this.waiting, this.budget);
    if (excess !== null) tell(excess);
  }

  private async drain(): Promise<void> {
    for (;;) {
      if (this.options.signal.aborted || this.fault !== null) this.waiting.length = 0;
      while (this.inFlight < this.options.pool.size) {
        const task = this.next();
        if (task === undefined) break;
        void this.perform(task);
      }
      if (this.inFlight === 0) return;
      await new Promise<void>((resolve) => { this.wake = resolve; });
    }
  }

  /** The first layer of the order that fits beside those in flight, and is not one of them. */
  private next(): LayerTask | undefined {
    const last = this.waiting.length - 1;
    const index = this.inFlight === 0 ? last : this.waiting.findLastIndex((task) => !this.layersInWork.has(task.layer) && this.bytesInUse + task.bytes <= this.budget);
    return index < 0 ? undefined : this.waiting.splice(index, 1)[0];
  }

  private async perform(task: LayerTask): Promise<void> {
    this.inFlight++;
    this.layersInWork.add(task.layer);
    this.bytesInUse += task.bytes;
    let current: number | null = null;
    const { path, options, fingerprint, places } = this.report;
    // A row may have failed in the sweep since the task was made.
    const rows = task.rows.filter((id) => isOpen(this.report.rows[id], task.depth));
    const views = rows.map((id) => places[id]?.view ?? 0);
    const idOf = (view: number): number => rows[views.indexOf(view)] ?? -1;
    const onMessage = (message: ComputeMessage): void => {
      if (message.type === "started") {
        current = idOf(message.view);
        this.report.setState(current, "computing");
        this.meter.started(current);
      } else if (message.type === "estimated" || message.type === "measured" || message.type === "failed") {
        current = null;
        this.settle(idOf(message.view), outcomeOf(message), task.depth);
      }
    };
    try {
      if (rows.length > 0) await this.options.pool.run({ path, options, fingerprint, layer: task.layer, views, depth: task.depth, threads: this.threadsFor(task) }, onMessage);
      this.failedStarts = 0;
    } catch (error) {
      if (current !== null) {
        this.report.setState(current, "pending");
        this.meter.interrupted(current);
      }
      if (error instanceof ComputeCrash) this.crashed(task, current, error);
      else if (!(error instanceof Cancelled)) this.end(new Fault("crashed", `The analysis stopped: ${String(error)}.`, "See the log."));
    } finally {
      this.inFlight--;
      this.layersInWork.delete(task.layer);
      this.bytesInUse -= task.bytes;
      this.wake();
    }
  }

  /** A layer that takes longer than all others together gets every core; two at once on one core each are faster otherwise. */
  private threadsFor(task: LayerTask): number {
    return task.rows.length === 1 && 2 * task.cost > this.costOfSpectra ? this.options.pool.size : 1;
  }

  /** Blames the matrix in work, or the layer being read; gives it up the second time; plans the rest again. */
  private crashed(task: LayerTask, current: number | null, crash: ComputeCrash): void {
    this.totalCrashes++;
    if (!crash.wasReady) this.failedStarts++;
    if (this.totalCrashes >= CRASHES_PER_ANALYSIS || this.failedStarts >= FAILED_STARTS) {
      const what = crash.wasReady ? `ended ${this.totalCrashes} times` : "could not be started";
      this.end(new Fault("crashed", `The computing processes ${what} (last by ${crash.reason}); what was computed is kept.`, "See the log; with little memory, analyze with fewer threads."));
      return;
    }
    let left = task.rows.filter((id) => isOpen(this.report.rows[id], task.depth));
    if (crash.wasReady) {
      const blamed = current ?? -1 - task.layer;
      const count = (this.crashes.get(blamed) ?? 0) + 1;
      this.crashes.set(blamed, count);
      if (count >= CRASHES_PER_ROW) {
        const lost = current === null ? left : [current];
        for (const id of lost) this.settle(id, { fault: this.crashFault(id, crash) }, task.depth);
        left = left.filter((id) => !lost.includes(id));
      }
    }
    // Alone, so that the memory of other layers cannot be the cause a second time: it counts as all of the budget.
    const again = taskOf(this.report, task.layer, left, task.depth);
    if (left.length > 0) this.waiting.push({ ...again, bytes: Math.max(again.bytes, this.budget) });
  }

  /** What still runs is stopped too. */
  private end(fault: Fault): void {
    this.fault = fault.toPlain();
    this.options.pool.stop();
  }

  private crashFault(id: number, crash: ComputeCrash): PlainFault {
    const row = this.report.rows[id];
    const title = row === undefined ? `matrix ${id}` : titleOf(row);
    return new Fault("crashed", `${title} ended its computing process twice (${crash.reason}); the other layers went on.`, "See the log; close other programs if memory is short, then analyze again.").toPlain();
  }

  private settle(id: number, outcome: RowOutcome, depth: Depth): void {
    if ("fault" in outcome) this.options.log("warn", outcome.fault.message);
    this.writes.push(attempt(() => this.report.settle(id, outcome), (error) => this.cacheFailed(error)));
    this.meter.settled(id, costOf(this.report, id, depth));
  }

  private cacheFailed(error: unknown): void {
    if (this.cacheWorks) this.options.log("warn", `Results could not be cached: ${String(error)}`);
    this.cacheWorks = false;
  }
}

function outcomeOf(message: Extract<ComputeMessage, { type: "estimated" | "measured" | "failed" }>): RowOutcome {
  switch (message.type) {
    case "estimated": return { first: message.first };
    case "measured": return { result: message.result };
    case "failed": return { fault: message.fault };
  }
}

/** Whether a task of this depth still has something to do for the row. */
function isOpen(row: LayerRow | undefined, depth: Depth): boolean {
  return row?.state === "pending" && (depth === "full" || row.first === null);
}

async function attempt(action: () => Promise<void>, onError: (error: unknown) => void): Promise<void> {
  try {
    await action();
  } catch (error) {
    onError(error);
  }
}
