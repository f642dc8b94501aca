import { basename } from "node:path";
import { Fault } from "../shared/fault";
import type { Plan } from "../factorize/plan";
import type { Factor, Step } from "../factorize/scheme";
import { isTarget, type Output } from "../factorize/source";
import { openSource } from "../factorize/sources";
import { reconstructed } from "../factorize/reconstruct";
import { MODULES_KEY } from "../factorize/safetensors/loader";
import { isTurned } from "../factorize/safetensors/tensors";
import { isConvolution, type Target } from "../factorize/target";
import { openModel } from "../models/formats";
import type { Model, OpenOptions, Values } from "../models/model";
import { gaussian, mulberry } from "./random";

/** Random inputs of each layer: the error's own spread is then some percent of it. */
const SAMPLES = 32;
const SEED = 1;

export interface LayersRequest {
  readonly original: string;
  readonly candidate: string;
  readonly plan: Plan;
  readonly as: Output;
  readonly options: OpenOptions;
}

export interface LayerOutputs {
  readonly inputs: string;
  /** ‖Wx − Ŵx‖ / ‖Wx‖ over all samples, of the weights as they were written. */
  readonly layers: readonly { readonly name: string; readonly relativeError: number }[];
}

/** Compares what each factorized layer gives out with what it gave, on Gaussian inputs: for formats that hold no graph. @throws Fault */
export async function layerOutputs({ original, candidate, plan, as, options }: LayersRequest): Promise<LayerOutputs> {
  const model = await openModel(original, options);
  const written = await openModel(candidate, { ...options, smallestTensor: 1 });
  const source = await openSource(model, options, as);
  try {
    const layers = [];
    for (const { name, action } of plan.layers) {
      if (action === "keep") continue;
      const index = model.layers.findIndex(({ tensor }) => tensor.name === name);
      const [layer, target] = [model.layers[index], source.targets[index]];
      if (layer === undefined || target === undefined || !isTarget(target)) continue;
      layers.push({ name, relativeError: outputError(target, await model.read(layer.tensor), await writtenLayer(written, target)) });
    }
    return { inputs: `${SAMPLES} seeded Gaussian inputs for each layer, weights as written`, layers };
  } finally {
    await Promise.all([source.close(), written.close(), model.close()]);
  }
}

/** The layer's weight in the written model: whole, or in the factors that the file's own note lists. @throws Fault unsupported */
async function writtenLayer(written: Model, target: Target): Promise<Values | readonly Factor[]> {
  const tensors = new Map(written.layers.map(({ tensor }) => [tensor.name, tensor]));
  const whole = tensors.get(target.name);
  if (whole !== undefined) return written.read(whole);
  const base = target.name.replace(/\.weight$/, "");
  const steps = stepsOf(written, base);
  const factors: Factor[] = [];
  for (const [index, step] of steps.entries()) {
    const tensor = tensors.get(`${base}.${index}.weight`);
    if (tensor === undefined) break;
    const values = Float64Array.from(await written.read(tensor));
    factors.push(isTurned(steps, index) ? turnedBack({ ...step, values }) : { ...step, values });
  }
  if (factors.length > 0 && factors.length === steps.length) return factors;
  throw new Fault("unsupported", `${basename(written.summary.path)} does not hold layer ${target.name} in a form that can be compared.`, "The errors of the plan are those of its singular values.");
}

function stepsOf(written: Model, base: string): readonly Step[] {
  const note = written.metadata?.get(MODULES_KEY);
  if (typeof note !== "string") return [];
  try {
    return (JSON.parse(note) as Record<string, readonly Step[]>)[base] ?? [];
  } catch {
    return [];
  }
}

/** The second factor of an embedding lies the other way round in the file. */
function turnedBack(factor: Factor): Factor {
  const [rows = 1, columns = 1] = factor.shape;
  const values = new Float64Array(factor.values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) values[j * rows + i] = factor.values[i * columns + j]!;
  return { ...factor, shape: [columns, rows], values };
}

function outputError(target: Target, original: Values, written: Values | readonly Factor[]): number {
  const next = mulberry(SEED);
  const [rows, columns, inputs] = sidesOf(target);
  const factors = isValues(written) ? null : written;
  const whole = isValues(written) ? written : isConvolution(target.form) ? reconstructed(target, written) : null;
  let [lost, all] = [0, 0];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const x = Float64Array.from({ length: inputs === "columns" ? columns : rows }, () => gaussian(next));
    const expected = applied(original, rows, columns, inputs, x);
    const found = whole !== null ? applied(whole, rows, columns, inputs, x) : throughFactors(factors ?? [], inputs, x);
    for (let i = 0; i < expected.length; i++) {
      lost += (expected[i]! - found[i]!) ** 2;
      all += expected[i]! ** 2;
    }
  }
  return all === 0 ? 0 : Number(Math.sqrt(lost / all).toPrecision(6));
}

/** Rows, columns, and the side that the input is on. A convolution is taken at one position, its groups on inputs of their own. */
function sidesOf({ shape, form }: Target): readonly [number, number, "rows" | "columns"] {
  const [rows = 1, ...rest] = shape;
  const columns = rest.reduce((all, size) => all * size, 1);
  const turned = isConvolution(form) ? form.op === "conv_transpose" : form.layout === "in_out";
  return [rows, columns, turned ? "rows" : "columns"];
}

function applied(matrix: Values, rows: number, columns: number, inputs: "rows" | "columns", x: Float64Array): Float64Array {
  const y = new Float64Array(inputs === "columns" ? rows : columns);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) {
      const value = matrix[i * columns + j]!;
      if (inputs === "columns") sum += value * x[j]!;
      else y[j]! += value * x[i]!;
    }
    if (inputs === "columns") y[i] = sum;
  }
  return y;
}

function throughFactors(factors: readonly Factor[], inputs: "rows" | "columns", x: Float64Array): Float64Array {
  return factors.reduce((input, { shape: [rows = 1, columns = 1], values }) => applied(values, rows, columns, inputs, input), x);
}

function isValues(written: Values | readonly Factor[]): written is Values {
  return !Array.isArray(written);
}
