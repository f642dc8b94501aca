import { fork } from "node:child_process";
import { Cancelled, Fault } from "../shared/fault";
import type { Comparison } from "../compare/comparison";
import type { CompareMessage, CompareRequest } from "./compare";

/**
 * Compares two models in a process of its own; cancelling kills it at once.
 * @param script absolute path of the built `dist/compare.js`
 * @throws Fault, Cancelled
 */
export async function compareApart(script: string, request: CompareRequest, signal: AbortSignal, onMessage: (message: CompareMessage) => void): Promise<Comparison> {
  if (signal.aborted) throw new Cancelled();
  const child = fork(script, [], { serialization: "advanced", execArgv: [], env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" }, stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const kill = (): void => { child.kill("SIGKILL"); };
  signal.addEventListener("abort", kill);
  try {
    return await new Promise<Comparison>((resolve, reject) => {
      child.on("message", (message: CompareMessage) => {
        if (message.type === "compared") resolve(message.comparison);
        else if (message.type === "fault") reject(Fault.fromPlain(message.fault));
        else onMessage(message);
      });
      child.once("error", (error) => reject(new Fault("crashed", `The comparison could not be started: ${error.message}.`)));
      child.once("close", (code, by) => reject(signal.aborted ? new Cancelled() : new Fault("crashed", `The comparing process ended (${by ?? `exit code ${code}`}).`, "Close other programs if memory is short, then try again.")));
      child.send(request, () => undefined);
    });
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
}
