import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type * as Ort from "onnxruntime-node";
import { factorsFor, type LayerWork } from "../factorize/apply";
import { AtomicFiles } from "../factorize/atomic";
import { ready, type Source } from "../factorize/source";
import { openSource } from "../factorize/sources";
import { anyGemm } from "../linalg/fast/anyGemm";
import { FastSvd } from "../linalg/fast/truncatedSvd";
import { openModel } from "../models/formats";
import type { Model } from "../models/model";
import { Fault } from "../shared/fault";
import type { CalibrationProgress, SensitivityRequest, SensitivityResult } from "./calibration";
import { Comparison } from "./compare";
import { dataInputs } from "./inputs";
import { inputsOf, runOn, runtime, session } from "./sideBySide";
import { isFloat, numbersOf, samplesOf, type Feeds } from "./tensors";

/** Samples that every trial runs on, a few at a time: their errors differ by much less than layers do. */
const SAMPLES = 64, TOGETHER = 16;

/**
 * The error of a model's outputs where one layer alone is factorized, for each of some ways to do that: each is written as a
 * model of its own and run beside the original.
 * @throws Fault of the data, and where the model does not run on it or has no outputs to compare
 */
export async function sensitivities({ path, options, data, trials, folder, threads }: SensitivityRequest, tell: CalibrationProgress): Promise<SensitivityResult> {
  const ort = await runtime();
  const original = await session(ort, path);
  const batches = firstSamples((await dataInputs(ort, data, inputsOf(original), TOGETHER)).batches);
  const expected: Record<string, Ort.Tensor>[] = [];
  for (const feeds of batches) expected.push(await runOn(original, feeds, path, data));
  const itself = errorOf(expected, expected);
  if (itself === null) throw new Fault("unsupported", `${basename(path)} gives no finite numbers on ${basename(data)} whose error could be measured.`, "Share the budget in another way.");
  const model = await openModel(path, options);
  const source = await openSource(model, options, "factored");
  const svd = new FastSvd(threads, () => undefined), gemm = anyGemm(threads);
  const errors: (number | null)[] = [];
  for (const [index, work] of trials.entries()) {
    tell(index, trials.length, work.name);
    const factors = await factorsFor(work, model, svd, () => gemm);
    errors.push(await inTrial(source, work, factors, join(folder, `${index}.onnx`), async (trial) => {
      const candidate = await session(ort, trial);
      const found: Record<string, Ort.Tensor>[] = [];
      for (const feeds of batches) found.push(await runOn(candidate, feeds, path, data));
      await candidate.release();
      return errorOf(expected, found);
    }));
  }
  await closed(source, model);
  return { errors, samples: batches.reduce((sum, feeds) => sum + samplesOf(feeds), 0) };
}

async function closed(source: Source, model: Model): Promise<void> {
  await source.close();
  await model.close();
}

/** A model with one layer factorized, while it is used. */
async function inTrial<T>(source: Source, { name }: LayerWork, factors: Awaited<ReturnType<typeof factorsFor>>, path: string, use: (path: string) => Promise<T>): Promise<T> {
  const files = new AtomicFiles();
  await source.write(ready(new Map([[name, factors]])), path, files);
  const written = await files.commit(path);
  try {
    return await use(path);
  } finally {
    await Promise.all(written.map((file) => rm(file, { force: true })));
  }
}

/** Mean over the outputs of the squared relative error; null where none is finite numbers. */
function errorOf(expected: readonly Record<string, Ort.Tensor>[], found: readonly Record<string, Ort.Tensor>[]): number | null {
  const comparison = new Comparison();
  for (const [batch, outputs] of expected.entries()) {
    for (const [name, tensor] of Object.entries(outputs)) {
      const [values, others] = [numbersOf(tensor), numbersOf(found[batch]![name]!)];
      if (isFloat(tensor.type) && values !== null && others !== null) comparison.add(name, tensor.dims, values, others);
    }
  }
  const squares = comparison.outputs.map(({ relativeError }) => relativeError ** 2).filter(Number.isFinite);
  return squares.length === 0 ? null : squares.reduce((sum, square) => sum + square, 0) / squares.length;
}

function firstSamples(batches: readonly Feeds[]): Feeds[] {
  let samples = 0;
  return batches.filter((feeds) => {
    const isTaken = samples < SAMPLES;
    samples += samplesOf(feeds);
    return isTaken;
  });
}
