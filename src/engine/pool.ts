import { availableParallelism } from "node:os";
import { Cancelled } from "../shared/fault";
import { ComputeCrash, ComputeProcess } from "./computeProcess";
import type { ComputeMessage, MeasureRequest } from "./computeProtocol";

/** Waits before a process is forked again after crashes in a row: 50 ms, 100 ms … 2 s. */
const BACKOFF_FIRST_MS = 50;
const BACKOFF_LAST_MS = 2000;
/** Idle processes are ended after this, and give back their memory. */
const IDLE_MS = 15_000;

export interface PoolOptions {
  /** Absolute path of the built `dist/compute.js`. */
  readonly script: string;
  /** Processes at once; 0: as many as there are cores. */
  readonly threads: number;
  /** Yield to the programs a person works with. */
  readonly background: boolean;
}

/**
 * Compute processes: forked when there is work, one layer at a time each. A process for each, because a native
 * crash must cost one layer and a cancel must take effect in the middle of a matrix.
 */
export class ComputePool {
  readonly size: number;
  private readonly idle: ComputeProcess[] = [];
  private readonly told = new Set<string>();
  private readonly busy = new Set<ComputeProcess>();
  private crashesInARow = 0;
  /** Counts `stop` calls, so that work waiting to start knows that it was stopped. */
  private stops = 0;
  private idleTimer: NodeJS.Timeout | undefined;

  /** @param tell hears, each once, sentences for a person: why computing is slower here than elsewhere */
  constructor(private readonly options: PoolOptions, private readonly log: (text: string) => void, private readonly tell: (sentence: string) => void = log) {
    this.size = options.threads > 0 ? options.threads : availableParallelism();
  }

  /**
   * Runs one request; the caller keeps at most `size` of them in flight.
   * @throws ComputeCrash when the process died, Cancelled after `stop`
   */
  async run(request: MeasureRequest, onMessage: (message: ComputeMessage) => void): Promise<void> {
    clearTimeout(this.idleTimer);
    const worker = await this.take();
    try {
      await worker.measure(request, (message) => {
        if (message.type === "notice") this.tellOnce(message.text);
        else onMessage(message);
      });
      this.crashesInARow = 0;
      if (this.busy.has(worker)) this.idle.push(worker);
    } catch (error) {
      if (error instanceof ComputeCrash) {
        this.crashesInARow++;
        this.log(`Compute process ${worker.pid ?? "?"} ended by ${error.reason}.${error.output === "" ? "" : `\n${error.output.trimEnd()}`}`);
      }
      throw error;
    } finally {
      this.busy.delete(worker);
      if (this.busy.size === 0) this.stopLater();
    }
  }

  /** Several requests that `stop` rejected come here one after the other: one timer, or a forgotten one would end later work. */
  private stopLater(): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => this.stop(), IDLE_MS).unref();
  }

  /** Ends all processes at once; what they were doing is rejected as Cancelled. The pool can be used again. */
  stop(): void {
    clearTimeout(this.idleTimer);
    this.stops++;
    for (const worker of [...this.busy, ...this.idle.splice(0)]) worker.kill();
  }

  /** A process, counted as busy at once so that `stop` always finds it. */
  private async take(): Promise<ComputeProcess> {
    const ready = this.idle.pop();
    if (ready !== undefined) {
      this.busy.add(ready);
      return ready;
    }
    if (this.crashesInARow > 0) {
      const { stops } = this;
      const wait = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** (this.crashesInARow - 1));
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (stops !== this.stops) throw new Cancelled();
    }
    const worker = new ComputeProcess(this.options.script, this.options.background, (ended) => this.drop(ended));
    this.busy.add(worker);
    this.log(`Compute process ${worker.pid ?? "?"} started.`);
    return worker;
  }

  /** Every process says it; a person needs to read it once. */
  private tellOnce(text: string): void {
    if (this.told.has(text)) return;
    this.told.add(text);
    this.tell(text);
  }

  private drop(ended: ComputeProcess): void {
    this.busy.delete(ended);
    const index = this.idle.indexOf(ended);
    if (index >= 0) this.idle.splice(index, 1);
  }
}
