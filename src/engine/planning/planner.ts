import { fork, type ChildProcess } from "node:child_process";
import { Cancelled, Fault } from "../../shared/fault";
import type { PlanningMessage, PlanningMethod, PlanningMethods } from "./planningProtocol";

interface Pending {
  readonly method: PlanningMethod;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface PlannerListeners {
  readonly onLayer: (key: string, name: string, done: number) => void;
  readonly log: (text: string) => void;
}

/** The model of a request is not there any more, perhaps with its process: it is prepared again. */
export class NotPrepared extends Error {}

/** The planning process, started by the first request and again after it ended. */
export class Planner {
  private child: ChildProcess | null = null;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;

  /** @param script absolute path of the built `dist/planning.js` */
  constructor(private readonly script: string, private readonly listeners: PlannerListeners) {}

  /**
   * @param signal ends the process: preparing may be in the middle of a matrix
   * @throws Fault, Cancelled, NotPrepared
   */
  request<M extends PlanningMethod>(method: M, params: PlanningMethods[M]["params"], signal: AbortSignal): Promise<PlanningMethods[M]["result"]> {
    if (signal.aborted) return Promise.reject(new Cancelled());
    const child = (this.child ??= this.start());
    const id = this.nextId++;
    return new Promise<PlanningMethods[M]["result"]>((resolve, reject) => {
      const abort = (): void => {
        reject(new Cancelled());
        if (method === "prepare") this.stop();
      };
      signal.addEventListener("abort", abort);
      const settled = <V>(settle: (value: V) => void) => (value: V): void => {
        signal.removeEventListener("abort", abort);
        settle(value);
      };
      this.pending.set(id, { method, resolve: settled((result) => resolve(result as PlanningMethods[M]["result"])), reject: settled(reject) });
      child.send({ id, method, params }, (error) => {
        if (error === null) return;
        if (this.child === child) this.child = null;
        this.lose(id, error.message);
      });
    });
  }

  stop(): void {
    this.child?.kill("SIGKILL");
  }

  private start(): ChildProcess {
    const child = fork(this.script, [], { serialization: "advanced", execArgv: [], env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" }, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    this.listeners.log(`Planning process ${child.pid ?? "?"} started.`);
    child.on("message", (message: PlanningMessage) => this.receive(message));
    const end = (reason: string): void => {
      if (this.child !== child) return;
      this.child = null;
      for (const id of [...this.pending.keys()]) this.lose(id, reason);
    };
    child.once("error", (error) => end(error.message));
    child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
    return child;
  }

  private receive(message: PlanningMessage): void {
    switch (message.type) {
      case "result": return this.take(message.id)?.resolve(message.result);
      case "fault": return this.take(message.id)?.reject(Fault.fromPlain(message.fault));
      case "unprepared": return this.take(message.id)?.reject(new NotPrepared());
      case "layer": return this.listeners.onLayer(message.key, message.name, message.done);
      case "notice": return this.listeners.log(message.text);
    }
  }

  private lose(id: number, reason: string): void {
    const pending = this.take(id);
    pending?.reject(pending.method === "prepare" ? new Fault("crashed", `The planning process ended (${reason}).`, "Try again; close other programs if memory is short.") : new NotPrepared("The planning process ended."));
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }
}
