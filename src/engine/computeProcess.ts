import { fork, type ChildProcess } from "node:child_process";
import { constants, setPriority } from "node:os";
import { Cancelled } from "../shared/fault";
import type { ComputeMessage, MeasureRequest } from "./computeProtocol";

/** What a dying process last wrote to stderr, kept for the log. */
const STDERR_CHARACTERS = 2000;

/** A compute process ended by itself (a native crash, the system's memory killer). */
export class ComputeCrash extends Error {
  override readonly name = "ComputeCrash";
  constructor(
    /** "signal SIGSEGV", "exit code 134". */
    readonly reason: string,
    /** False when it ended before it could take any work. */
    readonly wasReady: boolean,
    /** The end of what it wrote to stderr. */
    readonly output: string,
  ) {
    super(`compute process: ${reason}`);
  }
}

interface Running {
  readonly onMessage: (message: ComputeMessage) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One forked `compute.js`. Takes one request at a time. */
export class ComputeProcess {
  private readonly child: ChildProcess;
  private running: Running | null = null;
  private ready = false;
  private output = "";
  private ended: Error | null = null;

  /** @param onEnd called once, when the process can take no more requests */
  constructor(script: string, background: boolean, onEnd: (process: ComputeProcess) => void) {
    this.child = fork(script, [], {
      serialization: "advanced",
      execArgv: [],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const end = (error: Error): void => {
      if (this.ended !== null) return;
      this.ended = error;
      onEnd(this);
      this.running?.reject(error);
      this.running = null;
    };
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.output = (this.output + text).slice(-STDERR_CHARACTERS);
    });
    this.child.on("message", (message: ComputeMessage) => this.receive(message));
    this.child.on("error", (error) => end(new ComputeCrash(error.message, this.ready, this.output)));
    // "close" comes after "exit", when stderr has been read to its end.
    this.child.on("close", (code, signal) => {
      end(new ComputeCrash(signal === null ? `exit code ${code}` : `signal ${signal}`, this.ready, this.output));
    });
    this.kill = () => {
      end(new Cancelled());
      this.child.kill("SIGKILL");
      // One that hangs in the kernel (a dead network drive) must not keep its parent from ending.
      this.child.unref();
      this.child.channel?.unref();
    };
    if (background && this.child.pid !== undefined) lowerPriority(this.child.pid);
  }

  /** Ends the process at once, in the middle of a matrix too; its request is rejected as Cancelled. */
  readonly kill: () => void;

  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * Resolves when the request is finished; its results come by `onMessage`.
   * @throws ComputeCrash, Cancelled
   */
  measure(request: MeasureRequest, onMessage: (message: ComputeMessage) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.ended !== null) return reject(this.ended);
      this.running = { onMessage, resolve, reject };
      // A failed send means that the process is ending: "close" tells how.
      this.child.send(request, () => undefined);
    });
  }

  private receive(message: ComputeMessage): void {
    if (message.type === "ready") {
      this.ready = true;
    } else if (message.type === "finished") {
      const { running } = this;
      this.running = null;
      running?.resolve();
    } else {
      this.running?.onMessage(message);
    }
  }
}

/** Editing comes before measuring. Where the system refuses, the default priority does too. */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    return;
  }
}
