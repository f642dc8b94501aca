import { basename } from "node:path";
import { ResponseError, type CancellationToken, type MessageConnection } from "vscode-jsonrpc/node";
import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { EngineMethod, EngineMethods, EngineNotifications } from "../shared/protocol";
import type { OpenOptions } from "../models/model";
import { BaseModels } from "../training/base/baseModels";
import { planFile } from "../training/planner/planFile";
import { addRecipe } from "../training/recipes/addRecipe";
import { completeConfig, readConfig } from "../training/training";
import { analyze } from "./analysis";
import { Analyses } from "./analyses";
import { badgeOf } from "./badge";
import { ResultsCache } from "./cache";
import { ranksFromDifference } from "./differenceRanks";
import { exportReport } from "./export";
import { modelBadge, modelMap } from "./map";
import { ComputePool } from "./pool";
import type { Report } from "./report";
import { Reports } from "./reports";
import { Plans } from "./planning/plans";
import { Writing } from "./planning/writing";
import { rowsPage } from "./table";
import { CANCELLED_ERROR, FAULT_ERROR, NOTIFICATIONS, PING, REQUESTS } from "./wire";

export interface ServerOptions {
  /** Absolute paths of the built programs beside the engine. */
  readonly computeScript: string;
  readonly planningScript: string;
  readonly applyScript: string;
  readonly compareScript: string;
  readonly verifyScript: string;
  readonly cacheFolder: string | null;
  readonly cacheBytes: number;
  /** 0: as many as there are cores. */
  readonly threads: number;
  /** Of the compute processes together; 0: a quarter of the machine's. */
  readonly memoryMegabytes: number;
  readonly open: OpenOptions;
}

type Handlers = { readonly [M in EngineMethod]: (params: EngineMethods[M]["params"], signal: AbortSignal) => Promise<EngineMethods[M]["result"]> };

/**
 * The engine: owns headers, rows and results, and computes nothing itself, so that it always answers.
 * @returns ends all that it started
 */
export function serveEngine(connection: MessageConnection, options: ServerOptions): () => void {
  const log = (level: EngineNotifications["log"]["level"], text: string): void => {
    void connection.sendNotification(NOTIFICATIONS.log, { level, text }).catch(() => undefined);
  };
  const cache = options.cacheFolder === null ? null : new ResultsCache(options.cacheFolder, options.cacheBytes);
  const pool = new ComputePool({ script: options.computeScript, threads: options.threads, background: true }, (text) => log("info", text));
  const reports: Reports = new Reports(options.open, cache, (path) => analyses.progressOf(path) !== null);
  const analyses = new Analyses(
    async (path, signal, onProgress) => {
      const report = await reports.fresh(path);
      onProgress(report.progress("running"));
      return analyze(report, { pool, cache, memoryMegabytes: options.memoryMegabytes, signal, onProgress, log });
    },
    (progress) => void connection.sendNotification(NOTIFICATIONS.progress, progress).catch(() => undefined),
  );

  const factorizing = {
    ...options,
    onWork: (work: EngineNotifications["work"]): void => void connection.sendNotification(NOTIFICATIONS.work, work).catch(() => undefined),
    log: (text: string): void => log("info", text),
  };
  const plans = new Plans(reports, { ...factorizing, script: options.planningScript });
  const writing = new Writing(factorizing);

  const bases = new BaseModels();
  const handlers: Handlers = {
    open: async ({ path }) => {
      const report = await reports.fresh(path);
      return { summary: report.summary, rows: report.rows.length, skipped: report.skipped.length, progress: analyses.progressOf(path) ?? report.progress() };
    },
    analyze: ({ path }, signal) => analyses.request(path, signal),
    rows: async ({ path, ...query }) => rowsPage((await reports.get(path)).rows, query),
    spectrum: async ({ path, id }) => {
      const report = await reports.get(path);
      const row = report.rows[id];
      if (row === undefined) throw noRow(report, id);
      return { row, singularValues: [...report.spectrum(id)] };
    },
    map: async ({ path }) => modelMap((await reports.get(path)).rows),
    skipped: async ({ path, start, end }) => {
      const { skipped } = await reports.get(path);
      return { total: skipped.length, items: skipped.slice(Math.max(0, start), Math.max(0, end)) };
    },
    export: async ({ path, format, spectrum }) => ({ text: exportReport(await reports.get(path), format, spectrum) }),
    badge: async ({ path }) => {
      const report = await reports.peek(path);
      return report === null ? badgeOf(path, options.open, cache) : modelBadge(report.summary, report.rows);
    },
    forget: async ({ path }) => {
      if (path === null ? analyses.isBusy : analyses.progressOf(path) !== null) {
        throw new Fault("usage", `${path === null ? "A model" : basename(path)} is being analyzed: its results cannot be forgotten now.`, "Cancel the analysis first.");
      }
      await reports.forget(path);
      return null;
    },
    planning: ({ path, as, count }, signal) => plans.open(path, as, count === true, signal),
    ready: ({ path, draft }, signal) => plans.ready(path, draft, signal),
    propose: ({ path, draft }, signal) => plans.propose(path, draft, signal),
    curve: ({ path, draft }, signal) => plans.curve(path, draft, signal),
    ladders: ({ path, as, name }, signal) => plans.ladders(path, as, name, signal),
    plan: async ({ path, draft }, signal) => ({ text: await plans.plan(path, draft, signal) }),
    apply: (request, signal) => writing.apply(request, signal),
    verify: (request, signal) => writing.verify(request, signal),
    readConfig: (config) => readConfig(config, bases),
    completeConfig: ({ at, ...config }) => completeConfig(config, at, bases),
    addRecipe: async ({ text, recipe }) => addRecipe(text, recipe),
    planConfig: ({ query, ...config }) => planFile(config, query, bases),
    ranksFromDifference: (request, signal) => ranksFromDifference(request, bases, factorizing, signal),
  };
  register(connection, handlers, log);
  connection.onRequest(PING, () => null);
  return () => {
    pool.stop();
    plans.stop();
  };
}

function register(connection: MessageConnection, handlers: Handlers, log: (level: "error", text: string) => void): void {
  const on = <M extends EngineMethod>(method: M): void => {
    const handler = async (params: EngineMethods[M]["params"], token: CancellationToken): Promise<EngineMethods[M]["result"] | ResponseError<PlainFault>> => {
      const stop = new AbortController();
      const subscription = token.onCancellationRequested(() => stop.abort());
      if (token.isCancellationRequested) stop.abort();
      try {
        return await handlers[method](params, stop.signal);
      } catch (error) {
        if (error instanceof Fault) return new ResponseError(FAULT_ERROR, error.message, error.toPlain());
        if (error instanceof Cancelled) return new ResponseError(CANCELLED_ERROR, error.message);
        log("error", error instanceof Error ? (error.stack ?? error.message) : String(error));
        throw error;
      } finally {
        subscription.dispose();
      }
    };
    connection.onRequest(REQUESTS[method].method, handler);
  };
  for (const method of Object.keys(handlers) as EngineMethod[]) on(method);
}

function noRow(report: Report, id: number): Fault {
  return new Fault("not-found", `${basename(report.path)} has no matrix ${id}: it has ${report.rows.length}.`, "The file changed: open the report again.");
}
