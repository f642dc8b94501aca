import { fork, type ChildProcess } from "node:child_process";
import { Fault } from "../shared/fault";
import { momentBytes } from "../calibrate/moment";
import type { LayerWork } from "../factorize/apply";
import type { Factor } from "../factorize/scheme";
import { SCHEMES } from "../factorize/schemes";
import { product } from "../factorize/target";
import type { OpenOptions } from "../models/model";
import type { ApplyMessage } from "./apply";
import { received, type FactorMessage, type FactorRequest } from "./factorMaking";
import { memoryBudget } from "./memory";

/** The argument that makes an apply process one that computes factors for another. */
export const FACTORS_ARGUMENT = "factors";

/** Bytes for each weight: as read, in float64 twice (as it is, and turned or unfolded), and its factors. */
const BYTES_OF_WEIGHT = 4 + 3 * 8;
/** Square float64 matrices of the shorter side that its eigenvectors take at a time. */
const SQUARES = 6;
/** The second moment, its factor, and what is on the way to it. */
const MOMENT_COPIES = 3;

export interface FactorJob {
  readonly path: string;
  readonly options: OpenOptions;
  /** Processes at once. */
  readonly threads: number;
}

/**
 * Processes that compute the factors of a plan's layers side by side, one thread each: many matrices at once go faster than
 * one matrix on many threads. They end with the process that started them, however that ends.
 */
export class FactorWorkers {
  private readonly idle: ChildProcess[] = [];
  private readonly all = new Set<ChildProcess>();
  private readonly told = new Set<string>();
  private readonly budget = memoryBudget(0);
  private work: readonly LayerWork[] = [];
  private totalCost = 0;
  private done = 0;

  /**
   * Starts the processes, which takes them a while: whatever is still to be looked at may be looked at meanwhile.
   * @param script what a process runs, with `FACTORS_ARGUMENT`
   * @param layers how many there will be at most
   */
  constructor(private readonly script: string, private readonly job: FactorJob, layers: number, private readonly tell: (message: ApplyMessage) => void) {
    for (let count = Math.min(job.threads, layers); count > 0; count--) this.idle.push(this.start());
  }

  /** All that will be asked for. */
  expect(work: readonly LayerWork[]): void {
    this.work = work;
    this.totalCost = work.reduce((sum, each) => sum + costOf(each), 0);
  }

  /**
   * The factors of some layers, costliest first so that no long one is left for the end.
   * @returns in the order of the names
   * @throws Fault of the first that fails
   */
  async make(names: readonly string[]): Promise<ReadonlyMap<string, readonly Factor[]>> {
    const waiting = this.work.filter(({ name }) => names.includes(name)).sort((a, b) => costOf(a) - costOf(b));
    const made = new Map<string, readonly Factor[]>();
    let bytes = 0, running = 0;
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        if (waiting.length === 0 && running === 0) resolve();
        while (waiting.length > 0 && running < this.job.threads) {
          const index = running === 0 ? waiting.length - 1 : waiting.findLastIndex((work) => bytes + bytesOf(work) <= this.budget);
          if (index < 0) return;
          const [work] = waiting.splice(index, 1);
          if (work === undefined) return;
          running++;
          bytes += bytesOf(work);
          this.tell({ type: "progress", name: work.name, done: this.done, total: this.work.length });
          this.factorsOf(work).then((factors) => {
            made.set(work.name, factors);
            this.done++;
            running--;
            bytes -= bytesOf(work);
            next();
          }, reject);
        }
      };
      next();
    });
    return new Map(names.map((name) => [name, made.get(name) ?? []]));
  }

  /** Ends all processes at once. */
  stop(): void {
    for (const child of this.all) child.kill("SIGKILL");
  }

  /** A layer that takes longer than all others together gets every core. */
  private threadsFor(work: LayerWork): number {
    return 2 * costOf(work) > this.totalCost ? this.job.threads : 1;
  }

  private factorsOf(work: LayerWork): Promise<Factor[]> {
    const child = this.idle.pop() ?? this.start();
    const request: FactorRequest = { path: this.job.path, options: this.job.options, work, threads: this.threadsFor(work) };
    return new Promise((resolve, reject) => {
      const ended = (code: number | null, by: string | null): void => reject(new Fault("crashed", `The process that factorizes ${work.name} ended (${by ?? `exit code ${code}`}); nothing was written.`, "Close other programs if memory is short, then try again."));
      child.once("close", ended);
      const failed = (error: Error): void => reject(new Fault("crashed", `A process for the factorization could not be started: ${error.message}.`, "Close other programs, then try again."));
      child.once("error", failed);
      const listen = (message: FactorMessage): void => {
        if (message.type === "notice") return this.tellOnce(message.text);
        child.removeListener("message", listen);
        child.removeListener("close", ended);
        child.removeListener("error", failed);
        this.idle.push(child);
        if (message.type === "factors") resolve(received(message.factors));
        else reject(Fault.fromPlain(message.fault));
      };
      child.on("message", listen);
      child.send(request, () => undefined);
    });
  }

  private start(): ChildProcess {
    const child = fork(this.script, [FACTORS_ARGUMENT], { serialization: "advanced", execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
    this.all.add(child);
    // One that ends before it is asked for anything is not asked: the next one, started then, says why.
    const forget = (): void => {
      const at = this.idle.indexOf(child);
      if (at >= 0) this.idle.splice(at, 1);
    };
    child.once("close", forget);
    child.once("error", forget);
    return child;
  }

  /** Every process says it; a person needs to read it once. */
  private tellOnce(text: string): void {
    if (this.told.has(text)) return;
    this.told.add(text);
    this.tell({ type: "notice", text });
  }
}

/** Relative time: what the Gram matrices of the unfoldings take. */
function costOf({ target, scheme }: LayerWork): number {
  return product(target.shape) * Math.max(...SCHEMES[scheme].fullRanks(target));
}

/** Memory that the factors of a layer take to compute. */
function bytesOf({ target, scheme, moments }: LayerWork): number {
  const inputs = moments === undefined ? undefined : SCHEMES[scheme].inputs?.(target);
  return BYTES_OF_WEIGHT * product(target.shape) + SQUARES * 8 * Math.max(...SCHEMES[scheme].fullRanks(target)) ** 2 + (inputs === undefined ? 0 : MOMENT_COPIES * momentBytes(inputs.length, inputs.groups));
}
