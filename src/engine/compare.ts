import { basename } from "node:path";
import { Fault, type PlainFault } from "../shared/fault";
import type { Comparison, ComparedModel, MatrixDifference } from "../compare/comparison";
import { measureDifference, measureDifferenceOfRows, type MeasuredDifference } from "../compare/difference";
import { pairLayers, type Pairing } from "../compare/pairs";
import { blocksOf } from "../linalg/rowSource";
import { epsilonOf } from "../models/dtypes";
import { openModel } from "../models/formats";
import { gather, matrixSize } from "../models/gather";
import type { Layer, MatrixView, Model, OpenOptions, Values } from "../models/model";
import { measureComposite } from "../rank/measureComposite";
import { frobeniusNorm } from "../rank/norms";
import { factorRank, readFactors } from "./factored";
import { assertFinite } from "./finite";
import { readingOf, rowSourceOf } from "./rowReading";
import { spectrumSolver, type Solver } from "./spectra";
import { titleOf } from "./title";

/** To a compare process. */
export interface CompareRequest {
  /** The base model, by its path. */
  readonly a: string;
  /** The fine-tuned model, or an adapter. */
  readonly b: string;
  readonly options: OpenOptions;
  /** Threads of matrix products. */
  readonly threads: number;
}

/** From a compare process; `compared` or `fault` is the last. */
export type CompareMessage =
  | { readonly type: "progress"; readonly done: number; readonly total: number; readonly name: string }
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "compared"; readonly comparison: Comparison }
  | { readonly type: "fault"; readonly fault: PlainFault };

/**
 * The difference of two models, one layer at a time: never more of them is in memory. A layer that cannot be read is named,
 * and the others go on.
 * @throws Fault of opening, usage, not-found when the models have no layer in common
 */
export async function compareModels({ a, b, options, threads }: CompareRequest, send: (message: CompareMessage) => void): Promise<Comparison> {
  const base = await openModel(a, options);
  try {
    const other = await openModel(b, options);
    try {
      const pairing = pairLayers(base, other);
      if (pairing.pairs.length + pairing.shapesDiffer.length === 0) throw nothingShared(base, other);
      const solver = spectrumSolver(threads, (text) => send({ type: "notice", text }));
      return await measurePairs(base, other, pairing, solver, send);
    } finally {
      await other.close();
    }
  } finally {
    await base.close();
  }
}

async function measurePairs(base: Model, other: Model, { pairs, ...listed }: Pairing, solver: Solver, send: (message: CompareMessage) => void): Promise<Comparison> {
  const layers: MatrixDifference[] = [], failed = [...listed.failed];
  for (const [done, pair] of pairs.entries()) {
    const { name } = pair.other.tensor;
    send({ type: "progress", done, total: pairs.length, name });
    try {
      layers.push(...(pair.other.factored === undefined ? await differences(base, other, pair.base!, pair.other, solver) : [await addition(base, other, pair.base, pair.other, solver)]));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      failed.push({ name, reason: error.message });
    }
  }
  return { a: comparedModel(base), b: comparedModel(other), ...listed, layers, failed };
}

/** Of both tensors read whole, or by rows where that would take too much memory. */
async function differences(base: Model, other: Model, before: Layer, after: Layer, solver: Solver): Promise<MatrixDifference[]> {
  const reading = readingOf(base, before);
  const measure = reading !== "whole" && readingOf(other, after) === reading ? measureByRows(base, other, before, after, solver) : await measureWhole(base, other, before, after, solver);
  const found: MatrixDifference[] = [];
  for (const view of before.views) found.push(differenceOf(before, after, view, await measure(view)));
  return found;
}

type MeasureView = (view: MatrixView) => Promise<MeasuredDifference>;

async function measureWhole(base: Model, other: Model, before: Layer, after: Layer, solver: Solver): Promise<MeasureView> {
  const [a, b] = [await finiteValues(base, before), await finiteValues(other, after)];
  return (view) => measureDifference(solver, gather(view, a), gather(view, b), factsOf(before, after, view));
}

function measureByRows(base: Model, other: Model, before: Layer, after: Layer, solver: Solver): MeasureView {
  const rowsOf = (model: Model, layer: Layer, view: MatrixView): ReturnType<typeof rowSourceOf> => rowSourceOf(model, layer, view, () => undefined);
  return (view) => measureDifferenceOfRows(solver, rowsOf(base, before, view), rowsOf(other, after, view), factsOf(before, after, view));
}

async function finiteValues(model: Model, { tensor }: Layer): Promise<Values> {
  const values = await model.read(tensor);
  assertFinite(values, `${tensor.name} of ${basename(model.summary.path)}`);
  return values;
}

function factsOf(before: Layer, after: Layer, view: MatrixView): Parameters<typeof measureDifference>[3] {
  return { ...matrixSize(view), epsilon: coarserEpsilon(before, after), recurrent: false, breakEvenRank: view.breakEvenRank };
}

const coarserEpsilon = (before: Layer, after: Layer): number => Math.max(epsilonOf(before.tensor.dtype), epsilonOf(after.tensor.dtype));

function differenceOf(before: Layer, after: Layer, view: MatrixView, { measures, baseNorm }: MeasuredDifference): MatrixDifference {
  const { rows, columns } = matrixSize(view);
  const { frobeniusNorm: norm, spectralNorm, stableRank, effectiveRank, energyRank } = measures;
  return {
    name: after.tensor.name, baseName: before.tensor.name, kind: after.kind, shape: after.tensor.shape, dtypes: [before.tensor.dtype, after.tensor.dtype],
    part: view.part, unfolding: view.unfolding, matrix: [rows, columns], fullRank: Math.min(rows, columns),
    frobeniusNorm: finite(norm, after, view), relativeNorm: baseNorm === 0 ? null : norm / baseNorm, spectralNorm, stableRank, effectiveRank, energyRank,
    withinRounding: norm <= coarserEpsilon(before, after) * baseNorm, notes: [],
  };
}

/** @throws Fault: the difference of two large finite numbers may be none */
function finite(norm: number, layer: Layer, view: MatrixView): number {
  if (!Number.isFinite(norm)) throw new Fault("not-finite", `The difference of ${titleOf({ name: layer.tensor.name, ...view })} is too large for its measures to be finite numbers.`);
  return norm;
}

/** What an adapter adds, by its factors alone. */
async function addition(base: Model, other: Model, before: Layer | null, adapter: Layer, solver: Solver): Promise<MatrixDifference> {
  const view = adapter.views[0], factored = adapter.factored;
  if (view === undefined || factored === undefined) throw new Error(`${adapter.tensor.name} is no adapter`);
  const { rows, columns } = matrixSize(view);
  const facts = { rows, columns, epsilon: epsilonOf(adapter.tensor.dtype), recurrent: false, breakEvenRank: null };
  const { measures } = await measureComposite(solver, await readFactors(other, factored), factored.scale, facts);
  const baseNorm = before === null ? 0 : await normOf(base, before);
  const { frobeniusNorm: norm, spectralNorm, stableRank, effectiveRank, energyRank } = measures;
  return {
    name: adapter.tensor.name, baseName: before?.tensor.name ?? null, kind: adapter.kind, shape: adapter.tensor.shape, dtypes: [before?.tensor.dtype ?? null, adapter.tensor.dtype],
    part: view.part, unfolding: view.unfolding, matrix: [rows, columns], fullRank: factorRank(factored),
    frobeniusNorm: norm, relativeNorm: baseNorm === 0 ? null : norm / baseNorm, spectralNorm, stableRank, effectiveRank, energyRank,
    // The last note says which tensors it is made of.
    withinRounding: false, notes: adapter.notes.slice(0, -1),
  };
}

/** Of all of a tensor, which its first matrix is, or else its matrices together are (stacked experts). */
async function normOf(model: Model, layer: Layer): Promise<number> {
  if (readingOf(model, layer) === "whole") return frobeniusNorm({ data: await finiteValues(model, layer) });
  const size = layer.tensor.shape.reduce((product, side) => product * side, 1);
  const whole = layer.views.filter((view) => matrixSize(view).rows * matrixSize(view).columns === size).slice(0, 1);
  let norm = 0;
  for (const view of whole.length > 0 ? whole : layer.views) {
    for await (const block of blocksOf(rowSourceOf(model, layer, view, () => undefined))) norm = Math.hypot(norm, frobeniusNorm(block));
  }
  return norm;
}

function comparedModel({ summary: { path, format, parameters } }: Model): ComparedModel {
  return { path, format, parameters };
}

function nothingShared(base: Model, other: Model): Fault {
  const names = [base, other].map(({ summary: { path }, layers }) => `${basename(path)} has ${layers.length === 0 ? "no layers" : `${layers.length}, such as ${layers[0]!.tensor.name}`}`);
  return new Fault("not-found", `The two models have no layer of one name: ${names.join("; ")}.`, "Compare a model with what was trained from it.");
}

export function compareFault(error: unknown): PlainFault {
  if (error instanceof Fault) return error.toPlain();
  if (error instanceof RangeError && /allocation|array length/i.test(error.message)) {
    return new Fault("out-of-memory", "A layer of the two models does not fit into memory twice.", "Close other programs or use a machine with more memory.").toPlain();
  }
  return new Fault("crashed", `The comparison stopped: ${error instanceof Error ? error.message : String(error)}.`, "This is a defect of RankLens: please report it.").toPlain();
}
