import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type * as Ort from "onnxruntime-node";
import { Fault } from "../shared/fault";
import { Comparison, quantile, type Meaning } from "./compare";
import { DEFAULT_OPEN_OPTIONS } from "../models/model";
import { openModel } from "../models/formats";
import { dataInputs, type DataInputs } from "./inputs";
import { nodeRuns } from "./nodeRuns";
import { seededInputs, type SeededInputs } from "./seeded";
import { isFloat, numbersOf, type Feeds, type InputMeta } from "./tensors";
import type { Latency, Shapes, Verification, VerifyRequest } from "./verification";

/** Runs of each model, in turn, of which the first is not counted; of slow models fewer. */
const TIMED_RUNS = 31, FEWEST_RUNS = 6, MOST_MS = 5000;

/** What a model refuses is told as a fault: ONNX Runtime need not write it too. */
const ONLY_FATAL = 4;

/** Runs both models on the same inputs in ONNX Runtime. @throws Fault */
export async function sideBySide({ original, candidate, data }: VerifyRequest): Promise<Verification> {
  const ort = await runtime();
  const [first, second] = [await session(ort, original), await session(ort, candidate)];
  const inputs = inputsOf(first);
  assertSameInputs(inputs, inputsOf(second), original, candidate);
  const { batches, words } = await feedsFor(ort, first, inputs, original, data);
  const comparison = new Comparison();
  for (const feeds of batches) {
    const [expected, found] = [await runOn(first, feeds, original, data), await runOn(second, feeds, candidate, data)];
    for (const [name, tensor] of Object.entries(expected)) {
      const other = found[name];
      if (other === undefined || String(other.dims) !== String(tensor.dims)) throw new Fault("malformed", `${basename(candidate)} has no output ${name} of the original's shape [${tensor.dims.join(", ")}].`, "Compare a model with its own factorization.");
      const [values, others] = [numbersOf(tensor), numbersOf(other)];
      if (values !== null && others !== null) comparison.add(name, tensor.dims, values, others, meaningOf(tensor, feeds));
    }
  }
  const { outputs } = comparison;
  if (outputs.length === 0) throw new Fault("unsupported", `${basename(original)} has no output of numbers, which could be compared.`, "Export it with its scores as an output.");
  const times = await timed([first, second], batches[0]!);
  return {
    inputs: data === null ? `seeded random inputs of the graph's shapes${words}` : `${basename(data)}${words}`, batches: batches.length, outputs,
    latency: { original: latency(times[0]!), candidate: latency(times[1]!) },
    bytes: { original: await bytesOf(original), candidate: await bytesOf(candidate) },
  };
}

/** What has the shape of an input is a state that goes back in, or an image that came in: its largest entry names no class. */
function meaningOf({ type, dims }: Ort.Tensor, feeds: Feeds): Meaning {
  if (!isFloat(type)) return "labels";
  return Object.values(feeds).some((input) => isFloat(input.type) && String(input.dims) === String(dims)) ? "values" : "scores";
}

/** A person's data, or the first seeded inputs that the model runs on. @throws Fault */
export async function feedsFor(ort: typeof Ort, model: Ort.InferenceSession, inputs: readonly InputMeta[], path: string, data: string | null): Promise<DataInputs> {
  return data === null ? runnableInputs(ort, model, inputs, path) : dataInputs(ort, data, inputs);
}

/** @throws Fault malformed */
function assertSameInputs(first: readonly InputMeta[], second: readonly InputMeta[], original: string, candidate: string): void {
  const words = (inputs: readonly InputMeta[]): string => inputs.map(({ name, type }) => `${name} (${type})`).sort().join(", ") || "no input";
  if (words(first) === words(second)) return;
  throw new Fault("malformed", `${basename(candidate)} takes ${words(second)}, where ${basename(original)} takes ${words(first)}.`, "Compare a model with its own factorization.");
}

/** Milliseconds of each model's runs, in turn. */
async function timed(models: readonly Ort.InferenceSession[], feeds: Feeds): Promise<readonly (readonly number[])[]> {
  const times = models.map((): number[] => []);
  const start = performance.now();
  for (let round = 0; round < TIMED_RUNS && (round < FEWEST_RUNS || performance.now() - start < MOST_MS); round++) {
    for (const [index, model] of models.entries()) {
      const before = performance.now();
      await model.run(feeds);
      times[index]!.push(performance.now() - before);
    }
  }
  return times;
}

/** With the data files of a model that has such; of one that RankLens does not read, its own alone. */
async function bytesOf(path: string): Promise<number> {
  try {
    const { summary, close } = await openModel(path, DEFAULT_OPEN_OPTIONS);
    await close();
    return summary.bytes;
  } catch {
    return (await stat(path)).size;
  }
}

/**
 * The shapes of a model's inputs and outputs on the first seeded inputs that it runs on.
 * @param nodes of its graph or of subgraphs, whose runs are asked for; beside the model a file is written then
 * @throws Fault unsupported where there are none
 */
export async function shapesOf(path: string, nodes: readonly string[]): Promise<Shapes> {
  const ort = await runtime();
  const model = await session(ort, path);
  const [feeds = {}] = (await runnableInputs(ort, model, inputsOf(model), path)).batches;
  const outputs = shapes(await runOn(model, feeds, path, null));
  return { inputs: shapes(feeds), outputs, runs: nodes.length === 0 ? new Map() : await profiledRuns(ort, path, feeds, nodes) };
}

/** What a branch or a loop computes inside is no output of the model, but ONNX Runtime's profile tells of it. */
async function profiledRuns(ort: typeof Ort, path: string, feeds: Feeds, nodes: readonly string[]): Promise<Shapes["runs"]> {
  const prefix = `${basename(path)}.profile`;
  // As it is: optimizations join nodes and name them anew.
  const model = await session(ort, path, { graphOptimizationLevel: "disabled", enableProfiling: true, profileFilePrefix: join(dirname(path), prefix) });
  await runOn(model, feeds, path, null);
  model.endProfiling();
  await model.release();
  return nodeRuns(dirname(path), prefix, nodes);
}

function shapes(tensors: Record<string, Ort.Tensor>): Map<string, readonly number[]> {
  return new Map(Object.entries(tensors).flatMap(([name, { dims }]) => (dims === undefined ? [] : [[name, dims]])));
}

export function inputsOf(model: Ort.InferenceSession): InputMeta[] {
  return model.inputMetadata.flatMap((meta): InputMeta[] => (meta.isTensor ? [{ name: meta.name, type: meta.type, shape: meta.shape }] : []));
}

/** The first seeded inputs that the model runs on. @throws Fault unsupported where there are none, with what it said of the first */
export async function runnableInputs(ort: typeof Ort, model: Ort.InferenceSession, inputs: readonly InputMeta[], path: string): Promise<SeededInputs> {
  let refusal: unknown = null;
  for (const seeded of seededInputs(ort, inputs)) {
    try {
      await runOn(model, seeded.batches[0]!, path, null);
      return seeded;
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal;
}

/** Native code: only where it is asked for, and told when there is none for this machine. */
export async function runtime(): Promise<typeof Ort> {
  // It would keep a device id in the user's cache folder and report to its makers, see linalg/fast/onnxRuntime.ts.
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
  try {
    return await import("onnxruntime-node");
  } catch (error) {
    throw new Fault("unsupported", `ONNX Runtime cannot be loaded on this machine: ${error instanceof Error ? error.message.split("\n")[0]! : String(error)}.`, "Verify on another one; everything else works without it.");
  }
}

export async function session(ort: typeof Ort, path: string, options: Ort.InferenceSession.SessionOptions = {}): Promise<Ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(path, { logSeverityLevel: ONLY_FATAL, ...options });
  } catch (error) {
    throw new Fault("unsupported", `ONNX Runtime does not load ${basename(path)}: ${firstLine(error)}.`);
  }
}

/** @param values that are asked for; all outputs where it is left out @throws Fault unsupported */
export async function runOn(model: Ort.InferenceSession, feeds: Feeds, path: string, data: string | null, values?: readonly string[]): Promise<Ort.InferenceSession.OnnxValueMapType & Record<string, Ort.Tensor>> {
  try {
    return await (values === undefined ? model.run(feeds) : model.run(feeds, values));
  } catch (error) {
    throw new Fault("unsupported", `${basename(path)} does not run on ${data === null ? "random inputs" : basename(data)}: ${firstLine(error)}.`, data === null ? "Compare it on inputs of your own; for multiply-adds and latency it has to run on random ones." : "Check the data.");
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.slice(0, 300).replace(/[.\s]+$/, "");
}

function latency(times: readonly number[]): Latency {
  const [, ...timed] = times;
  return { medianMs: round(quantile(timed, 0.5)), p90Ms: round(quantile(timed, 0.9)) };
}

function round(ms: number): number {
  return Number(ms.toFixed(3));
}
