import { homedir } from "node:os";
import { join } from "node:path";
import { Fault } from "../shared/fault";
import { analyze } from "../engine/analysis";
import { DEFAULT_CACHE_MEGABYTES, ResultsCache } from "../engine/cache";
import { ComputePool } from "../engine/pool";
import type { Report } from "../engine/report";
import { defaultCacheFolder } from "./cacheFolder";
import { ProgressBar } from "./progressBar";

const BYTES_PER_MEGABYTE = 1024 * 1024;

/** The terminal's results; null without a place for them, or where they are not wanted. */
export function resultsCache(wanted: boolean): ResultsCache | null {
  const folder = wanted ? defaultCacheFolder(process.platform, process.env, homedir()) : null;
  return folder === null ? null : new ResultsCache(folder, DEFAULT_CACHE_MEGABYTES * BYTES_PER_MEGABYTE);
}

/**
 * Computes what is not cached of some rows, in compute processes.
 * @returns false when it was interrupted. @throws Fault
 */
export async function measureRows(report: Report, selected: (id: number) => boolean, cache: ResultsCache | null, threads: number, signal: AbortSignal): Promise<boolean> {
  const bar = new ProgressBar(process.stderr);
  const tell = (sentence: string): void => bar.say(sentence);
  const pool = new ComputePool({ script: join(__dirname, "compute.js"), threads, background: false }, () => undefined, tell);
  try {
    const end = await analyze(report, { pool, cache, selected, memoryMegabytes: 0, signal, onProgress: (progress) => bar.show(progress), log: () => undefined, tell });
    if (end.fault !== null) throw Fault.fromPlain(end.fault);
    return end.state !== "cancelled";
  } finally {
    bar.clear();
    pool.stop();
  }
}
