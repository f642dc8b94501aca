import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { FirstFigures } from "../shared/report";
import type { Composite } from "../linalg/composite";
import { exactSolver } from "../linalg/exactSolver";
import { lanczos } from "../linalg/lanczos";
import type { Matrix } from "../linalg/matrix";
import { epsilonOf } from "../models/dtypes";
import { fingerprint } from "../models/fingerprint";
import { openModel } from "../models/formats";
import { gather, matrixSize } from "../models/gather";
import type { Layer, MatrixView, Model, Values } from "../models/model";
import { firstFigures } from "../rank/firstFigures";
import { measureMatrix } from "../rank/measure";
import { measureComposite } from "../rank/measureComposite";
import type { Measured } from "../rank/spectrum";
import type { ComputeMessage, MeasureRequest } from "./computeProtocol";
import { readFactors } from "./factored";
import { assertFinite } from "./finite";
import { areFirstFigures, areMeasures, withFiniteOptions, type RowResult } from "./results";
import { titleOf } from "./title";

const measure = measureMatrix(exactSolver);

/** What a layer's matrices are taken from. */
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

async function measureLayer(model: Model, { layer: index, views, depth }: MeasureRequest, send: (message: ComputeMessage) => Promise<void>): Promise<void> {
  const layer = model.layers[index];
  if (layer === undefined) throw new Error(`layer ${index} of ${model.layers.length}`);
  const start = performance.now();
  const source = await readLayer(model, layer);
  // Reading serves all matrices of the layer: each carries its share.
  const readMs = (performance.now() - start) / views.length;
  for (const number of views) {
    const view = layer.views[number];
    if (view === undefined) throw new Error(`view ${number} of ${layer.views.length}`);
    await send({ type: "started", view: number });
    try {
      if (depth === "first") await send({ type: "estimated", view: number, first: await estimateView(layer, view, source) });
      else await send({ type: "measured", view: number, result: await measureView(layer, view, source, readMs) });
    } catch (error) {
      await send({ type: "failed", view: number, fault: faultOf(error, titleOf({ name: layer.tensor.name, ...view })) });
    }
  }
}

async function readLayer(model: Model, layer: Layer): Promise<Source> {
  if (layer.factored === undefined) return { values: await model.read(layer.tensor) };
  return { composite: await readFactors(model, layer.factored), scale: layer.factored.scale };
}

async function estimateView(layer: Layer, view: MatrixView, source: Source): Promise<FirstFigures> {
  const title = titleOf({ name: layer.tensor.name, ...view });
  if (!("values" in source)) throw new Error(`${title} is in factors, which need no estimate`);
  const matrix = finiteMatrix(view, source.values, title);
  const first = await firstFigures(matrix, lanczos);
  if (!areFirstFigures(first)) throw outOfRange(title);
  return first;
}

async function measureView(layer: Layer, view: MatrixView, source: Source, readMs: number): Promise<RowResult> {
  const start = performance.now();
  const title = titleOf({ name: layer.tensor.name, ...view });
  const { measures, singularValues } = await measured(layer, view, source, title);
  const computeMs = performance.now() - start;
  const result = { ...withFiniteOptions(measures), ms: Number((readMs + computeMs).toFixed(3)) };
  if (!areMeasures(result)) throw outOfRange(title);
  return { measures: result, singularValues, readMs, computeMs };
}

function measured(layer: Layer, view: MatrixView, source: Source, title: string): Promise<Measured> {
  const facts = { ...matrixSize(view), epsilon: epsilonOf(layer.tensor.dtype), recurrent: view.recurrent, breakEvenRank: view.breakEvenRank };
  return "values" in source ? measure(finiteMatrix(view, source.values, title), facts) : measureComposite(exactSolver, source.composite, source.scale, facts);
}

function finiteMatrix(view: MatrixView, values: Values, title: string): Matrix {
  const matrix = gather(view, values);
  assertFinite(matrix.data, title);
  return matrix;
}

function outOfRange(title: string): Fault {
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
