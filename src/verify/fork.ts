import { fork } from "node:child_process";
import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { LayerOutputs, LayersRequest } from "./layerOutputs";
import type { Verification, VerifyRequest } from "./verification";

type Answer<R> = { readonly result: R } | { readonly fault: PlainFault };

/**
 * Verifies in a process of its own.
 * @param script absolute path of the built `dist/verify.js`
 * @throws Fault, Cancelled
 */
export function verifyApart(script: string, request: VerifyRequest, signal: AbortSignal): Promise<Verification> {
  return askApart(script, request, signal);
}

/** Compares layer by layer, in a process of its own. @throws Fault, Cancelled */
export function compareLayersApart(script: string, request: LayersRequest, signal: AbortSignal): Promise<LayerOutputs> {
  return askApart(script, request, signal);
}

async function askApart<R>(script: string, request: VerifyRequest | LayersRequest, signal: AbortSignal): Promise<R> {
  const child = fork(script, [], { serialization: "advanced", execArgv: [], env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" }, stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const kill = (): void => { child.kill("SIGKILL"); };
  signal.addEventListener("abort", kill);
  try {
    return await new Promise((resolve, reject) => {
      child.once("message", (answer: Answer<R>) => {
        if ("result" in answer) resolve(answer.result);
        else reject(Fault.fromPlain(answer.fault));
      });
      child.once("error", (error) => reject(new Fault("crashed", `Verification could not be started: ${error.message}.`)));
      child.once("exit", (code, by) => reject(signal.aborted ? new Cancelled() : new Fault("crashed", `The verifying process ended (${by ?? `exit code ${code}`}).`, "One of the models may be too large for the memory that is left.")));
      child.send(request);
    });
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
}
