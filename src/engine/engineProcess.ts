import { fork, type ChildProcess } from "node:child_process";
import { createMessageConnection, IPCMessageReader, IPCMessageWriter, type CancellationToken, type MessageConnection } from "vscode-jsonrpc/node";
import type { EngineMethod, EngineMethods, EngineNotifications } from "../shared/protocol";
import type { Progress } from "../shared/report";
import type { EngineOptions } from "./client";
import { engineArguments } from "./engineArguments";
import { NOTIFICATIONS, PING, REQUESTS, SHUTDOWN } from "./wire";

/** A request to end is answered by ending; after this comes SIGTERM … */
const SHUTDOWN_MS = 1000;
/** … and after this SIGKILL. */
const TERMINATE_MS = 1000;

export interface EngineListeners {
  progress(progress: Progress): void;
  work(work: EngineNotifications["work"]): void;
  log(entry: EngineNotifications["log"]): void;
  /** Once, when the process is gone. */
  exit(reason: string): void;
}

/** One engine process, from fork to exit. */
export class EngineProcess {
  private readonly child: ChildProcess;
  private readonly connection: MessageConnection;
  private readonly exited: Promise<void>;

  constructor(options: EngineOptions, listeners: EngineListeners) {
    this.child = fork(options.engineScript, engineArguments(options), {
      // An editor's own Node is Electron; its debugger and its options are not for us.
      execArgv: [],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => listeners.log({ level: "warn", text: text.trimEnd() }));
    }
    this.connection = createMessageConnection(new IPCMessageReader(this.child), new IPCMessageWriter(this.child));
    this.connection.onNotification(NOTIFICATIONS.progress, listeners.progress);
    this.connection.onNotification(NOTIFICATIONS.work, listeners.work);
    this.connection.onNotification(NOTIFICATIONS.log, listeners.log);
    this.connection.onError(([error]) => listeners.log({ level: "warn", text: `Connection to the engine: ${error.message}` }));
    this.connection.listen();
    this.exited = new Promise((resolve) => {
      let gone = false;
      const end = (reason: string): void => {
        if (gone) return;
        gone = true;
        this.connection.dispose();
        listeners.exit(reason);
        resolve();
      };
      // An engine that cannot be heard is of no use.
      this.child.once("disconnect", () => this.child.kill("SIGKILL"));
      this.child.once("error", (error) => end(error.message));
      this.child.once("exit", (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  request<M extends EngineMethod>(method: M, params: EngineMethods[M]["params"], token: CancellationToken): Promise<EngineMethods[M]["result"]> {
    return this.connection.sendRequest<EngineMethods[M]["result"]>(REQUESTS[method].method, params, token);
  }

  async ping(): Promise<void> {
    await this.connection.sendRequest(PING);
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }

  /** Asked first, then SIGTERM, then SIGKILL; resolves when the process is gone. */
  async end(): Promise<void> {
    void this.connection.sendNotification(SHUTDOWN).catch(() => undefined);
    const terminate = setTimeout(() => this.child.kill("SIGTERM"), SHUTDOWN_MS);
    const kill = setTimeout(() => this.child.kill("SIGKILL"), SHUTDOWN_MS + TERMINATE_MS);
    await this.exited;
    clearTimeout(terminate);
    clearTimeout(kill);
  }
}
