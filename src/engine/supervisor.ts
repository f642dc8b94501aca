import { CancellationTokenSource, ConnectionError, ErrorCodes, ResponseError } from "vscode-jsonrpc/node";
import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { EngineMethod, EngineMethods, EngineNotifications } from "../shared/protocol";
import type { Work } from "../shared/planning";
import type { Progress } from "../shared/report";
import type { EngineClient, EngineOptions, Subscription } from "./client";
import { EngineProcess } from "./engineProcess";
import { CANCELLED_ERROR, FAULT_ERROR } from "./wire";

/** More deaths than this within the window, and the engine is not started again until the window has passed. */
const DEATHS_ALLOWED = 3;
const DEATHS_WINDOW_MS = 60_000;
/** Waits before a restart: 100 ms, 200 ms, 400 ms. */
const BACKOFF_MS = 100;
/** A read during which the engine died this often is not asked again: it may be what kills it. */
const ATTEMPTS_PER_READ = 2;
/** While requests are pending, the engine must answer a ping; it never computes, so silence means that it hangs. */
const PING_EVERY_MS = 5000;
const PING_TIMEOUT_MS = 20_000;

const LOST_ERRORS = new Set<number>([ErrorCodes.MessageWriteError, ErrorCodes.PendingResponseRejected, ErrorCodes.ConnectionInactive]);

interface Pending {
  readonly method: EngineMethod;
  /** Sends it to an engine, the first one or a successor. */
  readonly send: (engine: EngineProcess) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
}

/** Keeps an engine process behind `EngineClient`: starts it, watches it, restarts it, ends it. */
export class Supervisor implements EngineClient {
  private engine: EngineProcess | null = null;
  private readonly pending = new Set<Pending>();
  private readonly progressListeners = new Set<(progress: Progress) => void>();
  private readonly workListeners = new Set<(work: Work) => void>();
  private readonly logListeners = new Set<(entry: EngineNotifications["log"]) => void>();
  private deaths: number[] = [];
  private restart: NodeJS.Timeout | null = null;
  private watch: NodeJS.Timeout | null = null;
  private disposed: Promise<void> | null = null;

  constructor(private readonly options: EngineOptions) {}

  /** Process id of the running engine, for logs and tests. */
  get pid(): number | undefined {
    return this.engine?.pid;
  }

  request<M extends EngineMethod>(method: M, params: EngineMethods[M]["params"], signal?: AbortSignal): Promise<EngineMethods[M]["result"]> {
    return new Promise((resolve, reject) => {
      if (this.disposed !== null || signal?.aborted === true) return reject(new Cancelled());
      const cancel = new CancellationTokenSource();
      const settle = (action: () => void): void => {
        if (!this.pending.delete(pending)) return;
        signal?.removeEventListener("abort", abort);
        if (this.pending.size === 0) this.stopWatching();
        action();
      };
      const abort = (): void => {
        settle(() => reject(new Cancelled()));
        cancel.cancel();
      };
      const pending: Pending = {
        method,
        attempts: 0,
        reject: (error) => settle(() => reject(error)),
        send: (engine) => {
          pending.attempts++;
          engine.request(method, params, cancel.token).then(
            (result) => settle(() => resolve(result)),
            (error: unknown) => { if (!isLost(error)) settle(() => reject(fromWire(error))); },
          );
        },
      };
      signal?.addEventListener("abort", abort);
      this.pending.add(pending);
      this.dispatch(pending);
    });
  }

  onProgress(listener: (progress: Progress) => void): Subscription {
    this.progressListeners.add(listener);
    return { dispose: () => void this.progressListeners.delete(listener) };
  }

  onWork(listener: (work: Work) => void): Subscription {
    this.workListeners.add(listener);
    return { dispose: () => void this.workListeners.delete(listener) };
  }

  onLog(listener: (entry: EngineNotifications["log"]) => void): Subscription {
    this.logListeners.add(listener);
    return { dispose: () => void this.logListeners.delete(listener) };
  }

  dispose(): Promise<void> {
    this.disposed ??= (async () => {
      if (this.restart !== null) clearTimeout(this.restart);
      this.stopWatching();
      for (const pending of [...this.pending]) pending.reject(new Cancelled());
      await this.engine?.end();
    })();
    return this.disposed;
  }

  private dispatch(pending: Pending): void {
    if (this.restart !== null) return;
    if (this.engine === null && this.isBroken()) return pending.reject(this.goneFault());
    this.engine ??= this.start();
    pending.send(this.engine);
    this.watch ??= setInterval(() => this.checkAlive(), PING_EVERY_MS).unref();
  }

  private start(): EngineProcess {
    const engine: EngineProcess = new EngineProcess(this.options, {
      progress: (progress) => this.progressListeners.forEach((listener) => listener(progress)),
      work: (work) => this.workListeners.forEach((listener) => listener(work)),
      log: (entry) => this.logListeners.forEach((listener) => listener(entry)),
      exit: (reason) => this.died(engine, reason),
    });
    this.log("info", `Engine process ${engine.pid ?? "?"} started.`);
    return engine;
  }

  private died(engine: EngineProcess, reason: string): void {
    if (this.engine !== engine) return;
    this.engine = null;
    if (this.disposed !== null) return;
    this.deaths.push(Date.now());
    this.log("error", `Engine process ${engine.pid ?? "?"} ended by ${reason}.`);
    const broken = this.isBroken();
    for (const pending of [...this.pending]) {
      if (broken || (pending.method !== "analyze" && pending.attempts >= ATTEMPTS_PER_READ)) pending.reject(this.goneFault());
    }
    if (this.pending.size === 0) return;
    this.restart = setTimeout(() => {
      this.restart = null;
      for (const pending of [...this.pending]) this.dispatch(pending);
    }, BACKOFF_MS * 2 ** (this.deaths.length - 1));
  }

  private isBroken(): boolean {
    this.deaths = this.deaths.filter((at) => at > Date.now() - DEATHS_WINDOW_MS);
    return this.deaths.length > DEATHS_ALLOWED;
  }

  private checkAlive(): void {
    const { engine } = this;
    if (engine === null) return;
    const timeout = setTimeout(() => {
      this.log("error", `The engine did not answer for ${PING_TIMEOUT_MS / 1000} s and is ended.`);
      engine.kill();
    }, PING_TIMEOUT_MS).unref();
    engine.ping().catch(() => undefined).finally(() => clearTimeout(timeout));
  }

  private stopWatching(): void {
    if (this.watch !== null) clearInterval(this.watch);
    this.watch = null;
  }

  private goneFault(): Fault {
    const times = this.deaths.length === 1 ? "once" : `${this.deaths.length} times`;
    return new Fault("engine-gone", `RankLens's background process ended ${times} within a minute and gave no answer.`, "See the log, and try again in a minute.");
  }

  private log(level: EngineNotifications["log"]["level"], text: string): void {
    this.logListeners.forEach((listener) => listener({ level, text }));
  }
}

/** The process died before it answered: its successor is asked, see `died`. */
function isLost(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ResponseError && LOST_ERRORS.has(error.code);
}

function fromWire(error: unknown): Error {
  if (error instanceof ResponseError) {
    if (error.code === FAULT_ERROR) return Fault.fromPlain(error.data as PlainFault);
    if (error.code === CANCELLED_ERROR) return new Cancelled();
  }
  return error instanceof Error ? error : new Error(String(error));
}
