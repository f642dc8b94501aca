import { fork } from "node:child_process";
import { dirname } from "node:path";
import { Cancelled, Fault } from "../shared/fault";
import { removeLeftBy } from "../factorize/leftovers";
import type { ApplyMessage, ApplyRequest } from "./apply";

/**
 * Applies a plan in a process of its own. Cancelling kills it at once, in the middle of a matrix or of a file, and what it had
 * half-written is removed.
 * @param script absolute path of the built `dist/apply.js`
 * @returns the files that were written. @throws Fault, Cancelled
 */
export async function applyApart(script: string, request: ApplyRequest, signal: AbortSignal, onMessage: (message: ApplyMessage) => void): Promise<readonly string[]> {
  if (signal.aborted) throw new Cancelled();
  const child = fork(script, [], { serialization: "advanced", execArgv: [], env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" }, stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const kill = (): void => { child.kill("SIGKILL"); };
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  signal.addEventListener("abort", kill);
  try {
    return await new Promise<readonly string[]>((resolve, reject) => {
      child.on("message", (message: ApplyMessage) => {
        if (message.type === "written") resolve(message.paths);
        else if (message.type === "fault") reject(Fault.fromPlain(message.fault));
        else onMessage(message);
      });
      child.once("error", (error) => reject(new Fault("crashed", `The factorization could not be started: ${error.message}.`)));
      child.once("close", (code, by) => reject(signal.aborted ? new Cancelled() : new Fault("crashed", `The factorizing process ended (${by ?? `exit code ${code}`}); nothing was written.`, "Close other programs if memory is short, then try again.")));
      child.send(request, () => undefined);
    });
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
    await gone;
    // What goes into a folder that is yet to be made is written beside it.
    const folder = dirname(request.output);
    for (const each of [folder, dirname(folder)]) await removeLeftBy(each, child.pid);
  }
}
