import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { FirstFigures } from "../shared/report";
import type { Composite } from "../linalg/composite";
import type { LeadingSolver } from "../linalg/leadingSingularValue";
import type { Matrix } from "../linalg/matrix";
import type { RatedSolver } from "../linalg/singularValues";
import { epsilonOf } from "../models/dtypes";
import { fingerprint } from "../models/fingerprint";
import { openModel } from "../models/formats";
import { gather, isWhole, matrixSize } from "../models/gather";
import type { Layer, MatrixView, Model, Values } from "../models/model";
import { firstFigures } from "../rank/firstFigures";
import { measureMatrix } from "../rank/measure";
import { measureComposite } from "../rank/measureComposite";
import type { Measured } from "../rank/spectrum";
import type { ComputeMessage, MeasureRequest } from "./computeProtocol";
import { readFactors } from "./factored";
import { assertFinite } from "./finite";
import { areFirstFigures, areMeasures, withFiniteOptions, type RowResult } from "./results";
import { spectrumSolver } from "./spectra";
import { titleOf } from "./title";

/** By threads. A session of ONNX Runtime keeps the number that it was made with. */
const solvers = new Map<number, RatedSolver & LeadingSolver>();

/** What the matrices of a layer are taken from. */
type Source = { readonly values: Values } | { readonly composite: Composite<Matrix>; readonly scale: number };

/** The model of the last request stays open for the next one. */
interface Opened {
  readonly key: string;
  readonly model: Model;
}

/** Answers the requests that come over IPC, one at a time. */
export function serveCompute(channel: NodeJS.Process): void {
  const send = (message: ComputeMessage): Promise<void> =>
    // Waited for: a message that is still in the pipe when the next matrix blocks the loop would arrive late.
    new Promise((resolve, reject) => channel.send?.(message, undefined, {}, (error) => (error === null ? resolve() : reject(error))));
  let opened: Opened | null = null;
  const serve = async (request: MeasureRequest): Promise<void> => {
    try {
      opened = await reopen(opened, request);
      await measureLayer(opened.model, request, send);
    } catch (error) {
      const fault = faultOf(error, request.path);
      for (const view of request.views) await send({ type: "failed", view, fault });
    }
    await send({ type: "finished" });
  };
  channel.on("message", (request: MeasureRequest) => void serve(request).catch(() => process.exit(1)));
  void send({ type: "ready" });
}

async function reopen(opened: Opened | null, { path, options, fingerprint: expected }: MeasureRequest): Promise<Opened> {
  const key = JSON.stringify([path, expected, options]);
  if (opened?.key === key) return opened;
  await opened?.model.close();
  const model = await openModel(path, options);
  if ((await fingerprint(model.files)) === expected) return { key, model };
  await model.close();
  throw new Fault("changed-while-read", "The model changed after it was opened.", "Wait until it is written completely, then analyze it again.");
}

function solverFor(threads: number, send: (message: ComputeMessage) => Promise<void>): RatedSolver & LeadingSolver {
  const solver = solvers.get(threads) ?? spectrumSolver(threads, (text) => void send({ type: "notice", text }));
  solvers.set(threads, solver);
  return solver;
}

async function measureLayer(model: Model, { layer: layerIndex, views, depth, threads }: MeasureRequest, send: (message: ComputeMessage) => Promise<void>): Promise<void> {
  const layer = model.layers[layerIndex];
  if (layer === undefined) throw new Error(`layer ${layerIndex} of ${model.layers.length}`);
  const start = performance.now();
  const source = await readLayer(model, layer);
  // Reading serves all matrices of the layer: each carries its share.
  const readMs = (performance.now() - start) / views.length;
  for (const [index, number] of views.entries()) {
    const view = layer.views[number];
    if (view === undefined) throw new Error(`view ${number} of ${layer.views.length}`);
    await send({ type: "started", view: number });
    try {
      const begin = performance.now();
      const isLast = index === views.length - 1;
      const solver = solverFor(threads, send);
      if (depth === "first" && "values" in source) await send({ type: "estimated", view: number, first: await estimate(finiteMatrix(layer, view, source.values, isLast), layer, view, solver) });
      else {
        const measured = await measure(source, layer, view, isLast, solver);
        await send({ type: "measured", view: number, result: resultOf(measured, layer, view, readMs, performance.now() - begin) });
      }
    } catch (error) {
      await send({ type: "failed", view: number, fault: faultOf(error, titleOf({ name: layer.tensor.name, ...view })) });
    }
  }
}

async function readLayer(model: Model, layer: Layer): Promise<Source> {
  if (layer.factored === undefined) return { values: await model.read(layer.tensor) };
  return { composite: await readFactors(model, layer.factored), scale: layer.factored.scale };
}

async function estimate(matrix: Matrix, layer: Layer, view: MatrixView, solver: LeadingSolver): Promise<FirstFigures> {
  const first = await firstFigures(matrix, solver);
  if (!areFirstFigures(first)) throw outOfRange(layer, view);
  return first;
}

function measure(source: Source, layer: Layer, view: MatrixView, isLast: boolean, solver: RatedSolver): Promise<Measured> {
  const facts = { ...matrixSize(view), epsilon: epsilonOf(layer.tensor.dtype), recurrent: view.recurrent, breakEvenRank: view.breakEvenRank };
  if ("values" in source) return measureMatrix(solver)(finiteMatrix(layer, view, source.values, isLast), facts);
  return measureComposite(solver, source.composite, source.scale, facts);
}

function resultOf({ measures, singularValues }: Measured, layer: Layer, view: MatrixView, readMs: number, computeMs: number): RowResult {
  const result = { ...withFiniteOptions(measures), ms: Number((readMs + computeMs).toFixed(3)) };
  if (!areMeasures(result)) throw outOfRange(layer, view);
  return { measures: result, singularValues, readMs, computeMs };
}

/** @param isLast nobody needs the tensor's values after this matrix: it may take them as its own, and overwrite them */
function finiteMatrix(layer: Layer, view: MatrixView, values: Values, isLast: boolean): Matrix {
  const matrix = isLast && isWhole(view, values.length) ? { ...matrixSize(view), data: values } : gather(view, values);
  assertFinite(matrix.data, titleOf({ name: layer.tensor.name, ...view }));
  return matrix;
}

function outOfRange(layer: Layer, view: MatrixView): Fault {
  const title = titleOf({ name: layer.tensor.name, ...view });
  return new Fault("not-finite", `The values of ${title} are so large or so small that its measures are not finite numbers.`, "Rescale the weights and analyze the model again.");
}

function faultOf(error: unknown, where: string): PlainFault {
  if (error instanceof Fault) return error.toPlain();
  if (error instanceof Cancelled) return new Fault("crashed", `${where} was cancelled.`).toPlain();
  if (error instanceof RangeError && /allocation|array length/i.test(error.message)) {
    return new Fault("out-of-memory", `${where} does not fit into memory.`, "Close other programs or use a machine with more memory.").toPlain();
  }
  console.error(error);
  const reason = error instanceof Error ? error.message : String(error);
  return new Fault("crashed", `${where} could not be measured: ${reason}.`, "This is a defect of RankLens: please report it with the log.").toPlain();
}
