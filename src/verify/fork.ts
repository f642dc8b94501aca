import { fork } from "node:child_process";
import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { CalibrationProgress, CalibrationRequest, CalibrationResult, SensitivityRequest, SensitivityResult } from "./calibration";
import type { Latencies, LatencyRequest, MemoryRequest, Shapes, Verification, VerifyRequest, WeightVerification } from "./verification";

type Answer<T> = { readonly result: T } | { readonly fault: PlainFault } | { readonly done: number; readonly total?: number; readonly layer?: string };

/**
 * Runs two ONNX models side by side in a process of its own, and each alone in another for its memory.
 * @param script absolute path of the built `dist/verify.js`
 * @throws Fault, Cancelled
 */
export async function verifyApart(script: string, request: VerifyRequest, signal: AbortSignal): Promise<Verification> {
  const found = await apart<Verification>(script, { of: "outputs", request }, signal);
  const { original, candidate, data } = request;
  try {
    const memory = (path: string): Promise<number> => apart(script, { of: "memory", request: { path, data } }, signal);
    return { ...found, peakMemory: { original: await memory(original), candidate: await memory(candidate) } };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return found;
  }
}

/** Compares the layers of a model without a graph with those of what was written of it. @throws Fault, Cancelled */
export async function compareWeightsApart(script: string, request: VerifyRequest, signal: AbortSignal): Promise<WeightVerification> {
  return apart(script, { of: "weights", request }, signal);
}

/** The shapes of a model's inputs and outputs on seeded inputs. @throws Fault, Cancelled */
export function shapesApart(script: string, path: string, nodes: readonly string[], signal: AbortSignal): Promise<Shapes> {
  return apart(script, { of: "shapes", path, nodes }, signal);
}

/** How long a model and its layers take. @param tell hears of measured trials @throws Fault, Cancelled */
export function latenciesApart(script: string, request: LatencyRequest, signal: AbortSignal, tell: (done: number) => void): Promise<Latencies> {
  return apart(script, { of: "latencies", request }, signal, tell);
}

/** Second moments of layers' inputs on data, in files, and the spectra of their outputs. @throws Fault, Cancelled */
export function momentsApart(script: string, request: CalibrationRequest, signal: AbortSignal, tell: CalibrationProgress): Promise<CalibrationResult> {
  return apart(script, { of: "moments", request }, signal, tell);
}

/** How a model's outputs change where one layer alone is factorized. @throws Fault, Cancelled */
export function sensitivitiesApart(script: string, request: SensitivityRequest, signal: AbortSignal, tell: CalibrationProgress): Promise<SensitivityResult> {
  return apart(script, { of: "sensitivities", request }, signal, tell);
}

/** What is asked of the process. */
export type VerifyMessage = { readonly of: "sensitivities"; readonly request: SensitivityRequest } | { readonly of: "moments"; readonly request: CalibrationRequest } | { readonly of: "latencies"; readonly request: LatencyRequest } | { readonly of: "outputs" | "weights"; readonly request: VerifyRequest } | { readonly of: "memory"; readonly request: MemoryRequest } | { readonly of: "shapes"; readonly path: string; readonly nodes: readonly string[] };

async function apart<T>(script: string, message: VerifyMessage, signal: AbortSignal, tell: CalibrationProgress = () => undefined): Promise<T> {
  const child = fork(script, [], { serialization: "advanced", execArgv: [], env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" }, stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const kill = (): void => { child.kill("SIGKILL"); };
  signal.addEventListener("abort", kill);
  try {
    return await new Promise((resolve, reject) => {
      child.on("message", (answer: Answer<T>) => {
        if ("done" in answer) tell(answer.done, answer.total ?? 0, answer.layer ?? "");
        else if ("result" in answer) resolve(answer.result);
        else reject(Fault.fromPlain(answer.fault));
      });
      child.once("error", (error) => reject(new Fault("crashed", `Verification could not be started: ${error.message}.`)));
      child.once("exit", (code, by) => reject(signal.aborted ? new Cancelled() : new Fault("crashed", `The verifying process ended (${by ?? `exit code ${code}`}).`, "One of the models may be too large for the memory that is left.")));
      child.send(message);
    });
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
  }
}
