import type { OpenOptions } from "../models/model";
import type { ResultsCache } from "./cache";
import { Report } from "./report";

/** Models kept in memory with their spectra; one that was dropped is read again from headers and cache. */
const KEPT = 8;

/** Models by path, opened when they are first asked for and again when their files change. */
export class Reports {
  /** In order of use, the latest last. Promises, so that two requests at once open a model once. */
  private readonly opened = new Map<string, Promise<Report>>();

  /** @param isBusy whether a model is being analyzed: then it stays */
  constructor(
    private readonly options: OpenOptions,
    private readonly cache: ResultsCache | null,
    private readonly isBusy: (path: string) => boolean,
  ) {}

  /** The model as it is on the disk now. @throws Fault */
  async fresh(path: string): Promise<Report> {
    return (await this.peek(path)) ?? this.get(path);
  }

  /** The model if it is in memory and as it is on the disk now. */
  async peek(path: string): Promise<Report | null> {
    const known = this.opened.get(path);
    if (known === undefined) return null;
    const report = await known.catch(() => null);
    if (report !== null && (await report.isFresh())) return report;
    if (this.opened.get(path) === known) this.opened.delete(path);
    return null;
  }

  /** The model as it was when it was opened, so that the pages of one table agree. @throws Fault */
  get(path: string): Promise<Report> {
    const report = this.opened.get(path) ?? Report.open(path, this.options, this.cache);
    this.opened.delete(path);
    this.opened.set(path, report);
    report.catch(() => {
      if (this.opened.get(path) === report) this.opened.delete(path);
    });
    this.dropOldest();
    return report;
  }

  /** Forgets the results of one model, or of all that this cache ever saw. @throws Fault */
  async forget(path: string | null): Promise<void> {
    const paths = path === null ? [...this.opened.keys()] : [path];
    for (const each of paths) await (await this.get(each)).forget(this.cache);
    if (path === null) await this.cache?.forgetAll();
  }

  /** Without a cache a dropped model would lose its results: then all are kept. */
  private dropOldest(): void {
    if (this.cache === null) return;
    for (const path of this.opened.keys()) {
      if (this.opened.size <= KEPT) return;
      if (!this.isBusy(path)) this.opened.delete(path);
    }
  }
}
