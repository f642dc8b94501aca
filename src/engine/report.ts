import { stat } from "node:fs/promises";
import type { FaultCode, PlainFault } from "../shared/fault";
import type { LayerRow, ModelSummary, Progress, SkippedTensor, Timing } from "../shared/report";
import { fingerprint } from "../models/fingerprint";
import { openModel } from "../models/formats";
import type { Layer, OpenOptions } from "../models/model";
import type { ResultsCache } from "./cache";
import type { Journal } from "./journal";
import { modelBadge } from "./map";
import type { RowOutcome, RowResult } from "./results";
import { readingOf, type Reading } from "./rowReading";
import { rowsOf, type RowPlace } from "./rows";

/** Faults that lie in the file's content: measuring again would find them again. The others are tried anew. */
const LASTING: ReadonlySet<FaultCode> = new Set<FaultCode>(["not-finite", "malformed", "unsupported", "truncated", "empty", "too-large"]);

/** A model's headers and what is known of its rows. Holds no file open. */
export class Report {
  private readonly results = new Map<number, RowResult>();
  /** Wall time of all runs over this content, milliseconds. */
  private runMs = 0;

  private constructor(
    readonly path: string,
    readonly options: OpenOptions,
    readonly summary: ModelSummary,
    readonly layers: readonly Layer[],
    /** By layer: how its matrices are read. */
    readonly readings: readonly Reading[],
    readonly skipped: readonly SkippedTensor[],
    readonly rows: LayerRow[],
    readonly places: readonly RowPlace[],
    readonly fingerprint: string,
    private readonly stamp: string,
    private readonly files: readonly string[],
    private readonly journal: Journal | null,
  ) {}

  /**
   * Reads headers, and the results that the cache has.
   * @throws Fault
   */
  static async open(path: string, options: OpenOptions, cache: ResultsCache | null): Promise<Report> {
    const model = await openModel(path, options);
    try {
      const { summary, layers, skipped, files } = model;
      const readings = layers.map((layer) => readingOf(model, layer));
      const stamp = await stampOf(files);
      const print = await fingerprint(files);
      const { rows, places } = rowsOf(model);
      // Without its cache folder (read-only, full) the engine still works.
      const journal = (await cache?.journal(print, options).catch(() => null)) ?? null;
      const report = new Report(path, options, summary, layers, readings, skipped, [...rows], places, print, stamp, files, journal);
      await report.load();
      return report;
    } finally {
      await model.close();
    }
  }

  /** False when a file of the model has changed or gone since it was opened. */
  async isFresh(): Promise<boolean> {
    return (await stampOf(this.files)) === this.stamp;
  }

  /** Largest first; empty while not computed. */
  spectrum(id: number): Float64Array {
    return this.results.get(id)?.singularValues ?? new Float64Array();
  }

  /** Forgets failures that may not happen again, so that an analysis asked for anew tries those rows. */
  retryPassing(): void {
    this.rows.forEach((row, id) => {
      if (row.fault !== null && !LASTING.has(row.fault.code)) this.rows[id] = { ...row, state: "pending", fault: null };
    });
  }

  setState(id: number, state: "pending" | "computing"): void {
    const row = this.rows[id];
    if (row !== undefined && (row.state === "pending" || row.state === "computing")) this.rows[id] = { ...row, state };
  }

  /** Takes an outcome, and writes it to the cache. @throws when it could not be written; it is known all the same */
  async settle(id: number, outcome: RowOutcome): Promise<void> {
    this.apply(id, outcome);
    const row = this.rows[id];
    if (row === undefined || this.journal === null) return;
    if ("result" in outcome) await this.journal.appendResult(row, outcome.result);
    else if ("fault" in outcome) await this.journal.appendFault(row, outcome.fault);
    else await this.journal.appendFirst(row, outcome.first);
  }

  /** Notes the end of a run in the cache, and keeps the cache within its bound. */
  async endRun(ms: number, cache: ResultsCache | null): Promise<void> {
    this.runMs += ms;
    if (this.journal === null) return;
    const { done, failed, total } = this.counts();
    await this.journal.appendRun({ ms, complete: done + failed === total, meanUtilization: modelBadge(this.summary, this.rows).meanUtilization });
    await cache?.trim(this.journal);
  }

  /** Forgets all results, here and in the cache. */
  async forget(cache: ResultsCache | null): Promise<void> {
    this.results.clear();
    this.runMs = 0;
    this.rows.forEach((row, id) => { this.rows[id] = { ...row, state: "pending", first: null, measures: null, fault: null }; });
    if (this.journal !== null) await cache?.forget(this.journal);
  }

  /** Rows done, failed, estimated and in all, of those that are asked for. */
  counts(selected: (id: number) => boolean = () => true): Pick<Progress, "done" | "failed" | "estimated" | "total"> {
    const counts = { done: 0, failed: 0, total: 0, estimated: 0 };
    for (const { id, state, first } of this.rows) {
      if (!selected(id)) continue;
      counts.total++;
      if (state === "done" || state === "failed") counts[state]++;
      else if (first !== null) counts.estimated++;
    }
    return counts;
  }

  /** Where the model stands while nothing runs. */
  progress(state: Progress["state"] | null = null, fault: PlainFault | null = null): Progress {
    const counts = this.counts();
    const settled = counts.done + counts.failed === counts.total;
    return { path: this.path, state: state ?? (settled ? "done" : "idle"), ...counts, current: [], elapsedMs: this.runMs, etaMs: null, ahead: 0, fault };
  }

  /** Of the rows selected; the wall time is that of all runs. */
  timing(selected: (id: number) => boolean = () => true): Timing {
    let [readMs, computeMs] = [0, 0];
    for (const [id, result] of this.results) {
      if (!selected(id)) continue;
      readMs += result.readMs;
      computeMs += result.computeMs;
    }
    return { totalMs: this.runMs, readMs, computeMs };
  }

  private async load(): Promise<void> {
    const content = await this.journal?.load(this.rows).catch(() => null);
    if (content === null || content === undefined) return;
    this.runMs = content.runMs;
    for (const [id, outcome] of content.outcomes) this.apply(id, outcome);
  }

  private apply(id: number, outcome: RowOutcome): void {
    const row = this.rows[id];
    if (row === undefined) return;
    if ("result" in outcome) {
      this.results.set(id, outcome.result);
      this.rows[id] = { ...row, state: "done", first: null, measures: outcome.result.measures, fault: null };
    } else if ("fault" in outcome) {
      this.rows[id] = { ...row, state: "failed", first: null, measures: null, fault: outcome.fault };
    } else {
      this.rows[id] = { ...row, state: "pending", first: outcome.first };
    }
  }
}

async function stampOf(files: readonly string[]): Promise<string> {
  const stats = await Promise.all(files.map((file) => stat(file).catch(() => null)));
  return JSON.stringify(stats.map((entry) => (entry === null ? null : [entry.size, entry.mtimeMs, entry.ino])));
}
