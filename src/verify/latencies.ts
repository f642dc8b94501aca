import type * as Ort from "onnxruntime-node";
import type { MicroModel, MicroTensor } from "../factorize/micro";
import { encodeMicro, idleModel } from "../factorize/onnx/micro";
import { bytesOfType, encodeValues } from "../factorize/store";
import { DATA_TYPES, FLOAT32, INT64 } from "../models/onnx/schema";
import { quantile } from "./compare";
import { seededGaussians } from "./seeded";
import { inputsOf, runnableInputs, runtime, session } from "./sideBySide";
import type { Feeds } from "./tensors";
import { ROUNDS, type Latencies, type LatencyRequest } from "./verification";

/** Timed runs of a model, after one that is not timed; of slow ones fewer, as hundreds are measured. */
const TIMED_RUNS = 15, FEWEST_RUNS = 3, MOST_MS = 100;
/** The share of runs that are left out on either side of what is told as their noise. */
const NOISE = 0.1;
/** Values repeat after this many: times do not depend on them. */
const PERIOD = 4096;
const ONLY_FATAL = 4;
/** Of the model that does nothing, which every operator set has. */
const IDLE_OPSET = 13;

/**
 * Medians of a whole model on seeded inputs, and of models of its layers, all with ONNX Runtime's own number of threads.
 * @param tell hears of measurements that are done, `ROUNDS` of each trial
 * @throws Fault
 */
export async function latencies({ path, trials }: LatencyRequest, tell: (done: number) => void): Promise<Latencies> {
  const ort = await runtime();
  const model = await session(ort, path);
  const [feeds = {}] = (await runnableInputs(ort, model, inputsOf(model), path)).batches;
  const runs: number[] = [];
  let ms = Infinity;
  const quietest = trials.map((): number | null => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    const own = await timed(model, feeds, Infinity);
    ms = Math.min(ms, quantile(own, 0.5));
    runs.push(...own);
    const idle = await alone(ort, idleModel(FLOAT32, IDLE_OPSET)) ?? 0;
    for (const [index, models] of trials.entries()) {
      const before = quietest[index] ?? null;
      const now = before === null ? null : await together(ort, models, idle);
      quietest[index] = before === null || now === null ? null : Math.min(before, now);
      tell(round * trials.length + index + 1);
    }
  }
  return { whole: { ms, low: quantile(runs, NOISE), high: quantile(runs, 1 - NOISE), runs: runs.length }, trials: quietest };
}

/** @param idle what a run of nothing takes, in milliseconds */
async function together(ort: typeof Ort, models: readonly MicroModel[], idle: number): Promise<number | null> {
  let sum = 0;
  for (const model of models) {
    const ms = await alone(ort, model);
    if (ms === null) return null;
    sum += Math.max(0, ms - idle);
  }
  return sum;
}

/** null: the runtime does not run it. */
async function alone(ort: typeof Ort, micro: MicroModel): Promise<number | null> {
  try {
    const model = await ort.InferenceSession.create(encodeMicro(micro, encoded), { logSeverityLevel: ONLY_FATAL });
    try {
      return quantile(await timed(model, { [micro.input.name]: fed(ort, micro.input) }, MOST_MS), 0.5);
    } finally {
      await model.release();
    }
  } catch {
    return null;
  }
}

/** Milliseconds of each run. */
async function timed(model: Ort.InferenceSession, feeds: Feeds, mostMs: number): Promise<number[]> {
  await model.run(feeds);
  const times: number[] = [];
  const start = performance.now();
  while (times.length < TIMED_RUNS && (times.length < FEWEST_RUNS || performance.now() - start < mostMs)) {
    const before = performance.now();
    await model.run(feeds);
    times.push(performance.now() - before);
  }
  return times;
}

function encoded({ shape, dataType }: MicroTensor): Uint8Array {
  const dtype = DATA_TYPES.get(dataType)?.name ?? "";
  const length = shape.reduce((all, size) => all * size, bytesOfType(dtype));
  const block = encodeValues(dtype, seededGaussians(PERIOD));
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += block.length) bytes.set(block.subarray(0, length - at), at);
  return bytes;
}

/** Indices are all 0: every embedding has that row. */
function fed(ort: typeof Ort, tensor: MicroTensor): Ort.Tensor {
  const dims = [...tensor.shape];
  if (tensor.dataType === INT64) return new ort.Tensor("int64", new BigInt64Array(dims.reduce((all, size) => all * size, 1)), dims);
  const { buffer } = encoded(tensor);
  switch (DATA_TYPES.get(tensor.dataType)?.name) {
    case "float64": return new ort.Tensor("float64", new Float64Array(buffer), dims);
    case "float16": return new ort.Tensor("float16", new Uint16Array(buffer), dims);
    default: return new ort.Tensor("float32", new Float32Array(buffer), dims);
  }
}
