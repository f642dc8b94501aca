import { homedir } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";
import { stat } from "node:fs/promises";
import writeFileAtomic from "write-file-atomic";
import { Fault } from "../shared/fault";
import type { ExportFormat } from "../shared/protocol";
import type { Progress } from "../shared/report";
import { analyze } from "../engine/analysis";
import { DEFAULT_CACHE_MEGABYTES, ResultsCache } from "../engine/cache";
import { exportReport, type ReportData } from "../engine/export";
import { ComputePool } from "../engine/pool";
import { Report } from "../engine/report";
import { defaultCacheFolder } from "./cacheFolder";
import { EXIT } from "./exitCodes";
import { ProgressBar } from "./progressBar";
import { selectLayers } from "./selectLayers";
import { layerTable } from "./layerTable";

/** Options of `ranklens analyze`, as commander parses them. */
export interface AnalyzeFlags {
  readonly json?: true;
  readonly markdown?: true;
  readonly csv?: true;
  readonly out?: string;
  readonly layers: readonly string[];
  readonly spectrum: boolean;
  readonly estimate: boolean;
  readonly parts: boolean;
  readonly threads?: number;
  readonly memory?: number;
  readonly cache: boolean;
  readonly smallest: number;
  readonly allowExternalData: boolean;
}

const BYTES_PER_MEGABYTE = 1024 * 1024;
const FORMAT_OF_ENDING: Readonly<Record<string, ExportFormat>> = { ".json": "json", ".csv": "csv", ".md": "markdown" };

/** @returns the exit code. @throws Fault */
export async function analyzeCommand(model: string, flags: AnalyzeFlags): Promise<number> {
  const format = formatOf(flags);
  if (flags.spectrum && format !== "json") throw new Fault("usage", "--spectrum needs --json: the other formats have no place for singular values.");
  if (flags.out !== undefined) await assertWritable(flags.out);
  const stop = new AbortController();
  const interrupted = new Promise<"interrupted">((answer) => stop.signal.addEventListener("abort", () => answer("interrupted")));
  const interrupt = (): void => stop.abort();
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    const options = { smallestTensor: flags.smallest, allowExternalDataOutside: flags.allowExternalData };
    const cache = cacheFor(flags);
    const report = await Promise.race([Report.open(resolve(model), options, cache), interrupted]);
    if (report === "interrupted") return interruptedExit(null, cache !== null);
    const selected = selectLayers(report.rows, flags.layers);
    const known = (): number => report.counts().done + report.counts().estimated + report.counts().failed;
    const before = known();
    const end = await measure(report, selected, cache, flags, stop.signal);
    if (end.state === "cancelled") return interruptedExit(end, cache !== null);
    if (end.fault !== null) throw Fault.fromPlain(end.fault);
    await write(report, selected, format, flags, known() > before);
    return tellFailures(end, report, selected);
  } finally {
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
  }
}

async function measure(report: Report, selected: (id: number) => boolean, cache: ResultsCache | null, { threads = 0, memory = 0, estimate }: AnalyzeFlags, signal: AbortSignal): Promise<Progress> {
  const bar = new ProgressBar(process.stderr);
  const tell = (sentence: string): void => bar.say(sentence);
  const pool = new ComputePool({ script: join(__dirname, "compute.js"), threads, background: false }, () => undefined, tell);
  try {
    return await analyze(report, { pool, cache, selected, estimateOnly: estimate, memoryMegabytes: memory, signal, onProgress: (progress) => bar.show(progress), log: () => undefined, tell });
  } finally {
    bar.clear();
    pool.stop();
  }
}

async function write(report: Report, selected: (id: number) => boolean, format: ExportFormat | null, flags: AnalyzeFlags, computed: boolean): Promise<void> {
  const data: ReportData = {
    summary: report.summary,
    rows: report.rows.filter(({ id }) => selected(id)),
    skipped: report.skipped,
    timing: () => report.timing(selected),
    spectrum: (id) => report.spectrum(id),
  };
  const left = report.rows.length - data.rows.length;
  const text = format === null
    ? layerTable(data, { columns: tableColumns(flags), color: usesColor(flags), parts: flags.parts, computed })
    : exportReport(data, format, flags.spectrum);
  if (left > 0) process.stderr.write(`${left} of ${report.rows.length} matrices were left out by --layers.\n`);
  if (flags.out === undefined) {
    await new Promise<void>((done) => process.stdout.write(text, () => done()));
    return;
  }
  await writeFileAtomic(resolve(flags.out), text).catch((error: unknown) => {
    throw new Fault("unreadable", `${flags.out ?? ""} could not be written: ${error instanceof Error ? error.message : String(error)}.`, "Choose another place.");
  });
}

function formatOf({ json, markdown, csv, out }: AnalyzeFlags): ExportFormat | null {
  if (json) return "json";
  if (markdown) return "markdown";
  if (csv) return "csv";
  return out === undefined ? null : (FORMAT_OF_ENDING[extname(out).toLowerCase()] ?? null);
}

/** Said before anything is computed, not after an hour. */
async function assertWritable(out: string): Promise<void> {
  const [file, folder] = await Promise.all([resolve(out), dirname(resolve(out))].map((path) => stat(path).catch(() => null)));
  if (folder?.isDirectory() !== true) throw new Fault("not-found", `The folder of ${out} does not exist.`, "Create it, or choose another place.");
  if (file?.isDirectory() === true) throw new Fault("is-a-folder", `${out} is a folder.`, "Name a file in it.");
}

function cacheFor({ cache }: AnalyzeFlags): ResultsCache | null {
  const folder = cache ? defaultCacheFolder(process.platform, process.env, homedir()) : null;
  return folder === null ? null : new ResultsCache(folder, DEFAULT_CACHE_MEGABYTES * BYTES_PER_MEGABYTE);
}

function interruptedExit(end: Progress | null, kept: boolean): number {
  const done = end === null ? "before anything was computed" : `${end.done} of ${end.total} matrices were measured${kept ? " and are kept: run it again to go on" : " and are lost (--no-cache)"}`;
  process.stderr.write(`ranklens: interrupted, ${done}.\n`);
  return EXIT.interrupted;
}

/** Failed matrices are in the report with their reasons; a model of which nothing could be measured is at fault, and one that changed. */
function tellFailures({ done, failed, estimated }: Progress, { rows, summary }: Report, selected: (id: number) => boolean): number {
  if (failed === 0) return EXIT.done;
  if (rows.some(({ id, fault }) => selected(id) && fault?.code === "changed-while-read")) {
    throw new Fault("changed-while-read", `${basename(summary.path)} changed while it was analyzed: ${failed} of ${done + failed + estimated} matrices could not be measured.`, "Wait until it is written completely, then analyze it again.");
  }
  process.stderr.write(`ranklens: ${failed} of ${done + failed + estimated} matrices could not be measured; the report says why.\n`);
  return done + estimated === 0 ? EXIT.fault : EXIT.done;
}

function tableColumns({ out }: AnalyzeFlags): number {
  return out === undefined && process.stdout.isTTY ? process.stdout.columns : Infinity;
}

/** https://no-color.org */
function usesColor({ out }: AnalyzeFlags): boolean {
  return out === undefined && process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}
