import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type * as Ort from "onnxruntime-node";
import { Fault } from "../shared/fault";
import { Comparison, quantile } from "./compare";
import { dataInputs, seededInputs, type Feeds, type InputMeta } from "./inputs";
import type { Latency, Shapes, ShapesRequest, Verification, VerifyRequest } from "./verification";

/** Timed runs of each model, in turn, after one that is not timed. */
const TIMED_RUNS = 11;

/** Runs both models on the same inputs in ONNX Runtime. @throws Fault */
export async function sideBySide({ original, candidate, data }: VerifyRequest): Promise<Verification> {
  const ort = await runtime();
  const [first, second] = [await session(ort, original), await session(ort, candidate)];
  const inputs = inputsOf(first);
  const batches = data === null ? seededInputs(ort, inputs) : await dataInputs(ort, data, inputs);
  const comparison = new Comparison();
  for (const feeds of batches) {
    const [expected, found] = [await run(first, feeds, original, data), await run(second, feeds, candidate, data)];
    for (const [name, tensor] of Object.entries(expected)) {
      const other = found[name];
      if (other === undefined || String(other.dims) !== String(tensor.dims)) throw new Fault("malformed", `${basename(candidate)} has no output ${name} of the original's shape [${tensor.dims.join(", ")}].`, "Compare a model with its own factorization.");
      if (tensor.type.startsWith("float")) comparison.add(name, tensor.dims, tensor.data as Float32Array, other.data as Float32Array);
    }
  }
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < TIMED_RUNS; round++) {
    for (const [index, model] of [first, second].entries()) {
      const start = performance.now();
      await model.run(batches[0]!);
      times[index]!.push(performance.now() - start);
    }
  }
  return {
    inputs: data === null ? "seeded random inputs of the graph's shapes" : basename(data), batches: batches.length, outputs: comparison.outputs,
    latency: { original: latency(times[0]), candidate: latency(times[1]) },
    bytes: { original: (await stat(original)).size, candidate: (await stat(candidate)).size },
  };
}

/** Lengths of open axes that are tried: what takes words takes few, what takes pictures or sound may need more. */
const OPEN_LENGTHS = [16, 256, 1024];

/** @throws Fault when it does not run on random inputs of any length that is tried */
export async function shapesOf({ shapesOf: path }: ShapesRequest): Promise<Shapes> {
  const ort = await runtime();
  const model = await session(ort, path);
  let last: unknown = null;
  for (const length of OPEN_LENGTHS) {
    const feeds = seededInputs(ort, inputsOf(model), length)[0] ?? {};
    try {
      return { inputs: shapes(feeds), outputs: shapes(await run(model, feeds, path, null)) };
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function shapes(tensors: Record<string, Ort.Tensor>): Map<string, readonly number[]> {
  return new Map(Object.entries(tensors).flatMap(([name, { dims }]) => (dims === undefined ? [] : [[name, dims]])));
}

function inputsOf(model: Ort.InferenceSession): InputMeta[] {
  return model.inputMetadata.flatMap((meta): InputMeta[] => (meta.isTensor ? [{ name: meta.name, type: meta.type, shape: meta.shape }] : []));
}

/** Native code: only where it is asked for, and told when there is none for this machine. */
async function runtime(): Promise<typeof Ort> {
  // It would keep a device id in the user's cache folder and report to its makers, see linalg/fast/onnxRuntime.ts.
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
  try {
    return await import("onnxruntime-node");
  } catch (error) {
    throw new Fault("unsupported", `ONNX Runtime cannot be loaded on this machine: ${error instanceof Error ? error.message.split("\n")[0]! : String(error)}.`, "Verify on another one; everything else works without it.");
  }
}

async function session(ort: typeof Ort, path: string): Promise<Ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(path);
  } catch (error) {
    throw new Fault("unsupported", `ONNX Runtime does not load ${basename(path)}: ${firstLine(error)}.`);
  }
}

async function run(model: Ort.InferenceSession, feeds: Feeds, path: string, data: string | null): Promise<Ort.InferenceSession.OnnxValueMapType & Record<string, Ort.Tensor>> {
  try {
    return await model.run(feeds);
  } catch (error) {
    throw new Fault("unsupported", `${basename(path)} does not run on ${data === null ? "random inputs" : basename(data)}: ${firstLine(error)}.`, data === null ? "Give inputs of your own with --data." : "Check the data.");
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.slice(0, 300);
}

function latency(times: readonly number[]): Latency {
  const [, ...timed] = times;
  return { medianMs: round(quantile(timed, 0.5)), p90Ms: round(quantile(timed, 0.9)) };
}

function round(ms: number): number {
  return Number(ms.toFixed(3));
}
