import { fork, type ChildProcess } from "node:child_process";
import { Cancelled, Fault } from "../../shared/fault";
import type { PlanningMessage, PlanningMethod, PlanningMethods } from "./planningProtocol";

interface Pending {
  readonly child: ChildProcess;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface PlannerListeners {
  readonly onLayer: (key: string, name: string, done: number) => void;
  readonly onMaking: (message: Extract<PlanningMessage, { type: "making" }>) => void;
  readonly onMade: (message: Extract<PlanningMessage, { type: "made" }>) => void;
  readonly log: (text: string) => void;
}

/** The model of a request is not there any more, perhaps with its process: it is prepared again. */
export class NotPrepared extends Error {}

/** The process ended before it answered. */
class Lost extends Error {
  /** @param wasKilled another request, which was cancelled, ended it */
  constructor(reason: string, readonly wasKilled: boolean) {
    super(reason);
  }
}

/** Requests that may be in the middle of a matrix: a cancel of one ends the process. They need nothing that it has. */
const WORK: readonly PlanningMethod[] = ["prepare", "makeLadders"];

/** A planning process, started by the first request and again after it ended. */
export class Planner {
  private child: ChildProcess | null = null;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private isStopped = false;

  /**
   * @param name for the log: "Planning process"
   * @param script absolute path of the built `dist/planning.js`
   */
  constructor(private readonly name: string, private readonly script: string, private readonly listeners: PlannerListeners) {}

  /** @throws Fault, Cancelled, NotPrepared */
  async request<M extends PlanningMethod>(method: M, params: PlanningMethods[M]["params"], signal: AbortSignal): Promise<PlanningMethods[M]["result"]> {
    // One that was there already may have been on its way out, so that another one is asked; one that was started for this died of it.
    let attempts = this.child === null ? 1 : 2;
    for (;;) {
      try {
        return await this.ask(method, params, signal);
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        const what = `The ${this.name.toLowerCase()} ended (${error.message}).`;
        if (!WORK.includes(method)) throw new NotPrepared(what);
        if (!error.wasKilled && --attempts === 0) throw new Fault("crashed", what, "Try again; close other programs if memory is short.");
      }
    }
  }

  /** For good: what is asked from now on is cancelled. */
  stop(): void {
    this.isStopped = true;
    this.child?.kill("SIGKILL");
  }

  private ask<M extends PlanningMethod>(method: M, params: PlanningMethods[M]["params"], signal: AbortSignal): Promise<PlanningMethods[M]["result"]> {
    if (signal.aborted || this.isStopped) return Promise.reject(new Cancelled());
    const child = (this.child ??= this.start());
    const id = this.nextId++;
    return new Promise<PlanningMethods[M]["result"]>((resolve, reject) => {
      const abort = (): void => {
        reject(new Cancelled());
        if (WORK.includes(method)) child.kill("SIGKILL");
      };
      signal.addEventListener("abort", abort);
      const settled = <V>(settle: (value: V) => void) => (value: V): void => {
        signal.removeEventListener("abort", abort);
        settle(value);
      };
      this.pending.set(id, { child, resolve: settled((result) => resolve(result as PlanningMethods[M]["result"])), reject: settled(reject) });
      child.send({ id, method, params }, (error) => {
        if (error !== null) this.ended(child, error.message);
      });
    });
  }

  private start(): ChildProcess {
    const child = fork(this.script, [], { serialization: "advanced", execArgv: [], env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" }, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    this.listeners.log(`${this.name} ${child.pid ?? "?"} started.`);
    child.on("message", (message: PlanningMessage) => this.receive(message));
    child.once("error", (error) => this.ended(child, error.message));
    child.once("exit", (code, signal) => this.ended(child, signal ?? `exit code ${code}`));
    return child;
  }

  private receive(message: PlanningMessage): void {
    switch (message.type) {
      case "result": return this.take(message.id)?.resolve(message.result);
      case "fault": return this.take(message.id)?.reject(Fault.fromPlain(message.fault));
      case "unprepared": return this.take(message.id)?.reject(new NotPrepared());
      case "layer": return this.listeners.onLayer(message.key, message.name, message.done);
      case "making": return this.listeners.onMaking(message);
      case "made": return this.listeners.onMade(message);
      case "notice": return this.listeners.log(message.text);
    }
  }

  private ended(child: ChildProcess, reason: string): void {
    if (this.child === child) this.child = null;
    for (const [id, pending] of [...this.pending]) if (pending.child === child) this.take(id)?.reject(new Lost(reason, child.killed));
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }
}
