import type { Progress } from "../shared/report";
import type { Report } from "./report";
import { titleOf } from "./title";

/** At most ten reports a second. */
const INTERVAL_MS = 100;
/** A sign of life while a large layer takes its time. */
const HEARTBEAT_MS = 1000;
/** The first rows measure caches and disks: no forecast before this. */
const FORECAST_AFTER_MS = 500;

/** Tells where a running analysis stands: throttled, with a forecast by the cost of what is left. */
export class ProgressMeter {
  private readonly start = performance.now();
  private readonly current = new Set<number>();
  private costDone = 0;
  /** When the first matrix was begun: starting processes and reading headers tell nothing of the rest. */
  private begin = 0;
  /** Forecast of the moment it ends; null until there is something to judge by. */
  private endAt: number | null = null;
  private lastAt = -Infinity;
  private pending: NodeJS.Timeout | null = null;
  private readonly heartbeat = setInterval(() => this.changed(), HEARTBEAT_MS).unref();

  constructor(
    private readonly report: Report,
    private readonly selected: (id: number) => boolean,
    private readonly costTotal: number,
    private readonly emit: (progress: Progress) => void,
  ) {}

  started(id: number): void {
    if (this.begin === 0) this.begin = performance.now();
    this.current.add(id);
    this.changed();
  }

  /** A row stopped being computed without an outcome. */
  interrupted(id: number): void {
    this.current.delete(id);
    this.changed();
  }

  settled(id: number, cost: number): void {
    this.current.delete(id);
    this.costDone += cost;
    const elapsed = performance.now() - this.begin;
    if (elapsed > FORECAST_AFTER_MS && this.costDone > 0) this.endAt = this.begin + (elapsed * this.costTotal) / this.costDone;
    this.changed();
  }

  elapsedMs(): number {
    return performance.now() - this.start;
  }

  /** No more reports; the end is told by the caller. */
  stop(): void {
    clearInterval(this.heartbeat);
    if (this.pending !== null) clearTimeout(this.pending);
  }

  private changed(): void {
    if (this.pending !== null) return;
    const wait = this.lastAt + INTERVAL_MS - performance.now();
    this.pending = setTimeout(() => this.tell(), Math.max(0, wait));
  }

  private tell(): void {
    this.pending = null;
    this.lastAt = performance.now();
    this.emit({
      path: this.report.path,
      state: "running",
      ...this.report.counts(this.selected),
      ahead: 0,
      fault: null,
      current: [...this.current].flatMap((id) => { const row = this.report.rows[id]; return row === undefined ? [] : [titleOf(row)]; }),
      elapsedMs: this.elapsedMs(),
      etaMs: this.endAt === null ? null : Math.max(0, this.endAt - performance.now()),
    });
  }
}
