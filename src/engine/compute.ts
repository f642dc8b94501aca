import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import type { FirstFigures } from "../shared/report";
import type { Composite } from "../linalg/composite";
import type { Matrix } from "../linalg/matrix";
import type { RowSource } from "../linalg/rowSource";
import { epsilonOf } from "../models/dtypes";
import { fingerprint } from "../models/fingerprint";
import { openModel } from "../models/formats";
import { gather, isWhole, matrixSize } from "../models/gather";
import type { Layer, MatrixView, Model, Values } from "../models/model";
import { firstFigures, firstFiguresOfRows } from "../rank/firstFigures";
import { measureMatrix, measureRows } from "../rank/measure";
import { measureComposite } from "../rank/measureComposite";
import type { Measured } from "../rank/spectrum";
import type { ComputeMessage, MeasureRequest } from "./computeProtocol";
import { readFactors } from "./factored";
import { assertFinite } from "./finite";
import { areFirstFigures, areMeasures, withFiniteOptions, type RowResult } from "./results";
import { LARGE_VALUES, readingOf, rowSourceOf } from "./rowReading";
import { spectrumSolver, type Solver } from "./spectra";
import { titleOf } from "./title";

/** By threads. A session of ONNX Runtime keeps the number that it was made with. */
const solvers = new Map<number, Solver>();

interface Factors {
  readonly composite: Composite<Matrix>;
  readonly scale: number;
}

/** What the matrices of a layer are taken from. */
type Source = Factors | { readonly values: Values } | { readonly rowsOf: (view: MatrixView) => RowSource };

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

function solverFor(threads: number, send: (message: ComputeMessage) => Promise<void>): Solver {
  const solver = solvers.get(threads) ?? spectrumSolver(threads, (text) => void send({ type: "notice", text }));
  solvers.set(threads, solver);
  return solver;
}

async function measureLayer(model: Model, { layer: layerIndex, views, depth, threads }: MeasureRequest, send: (message: ComputeMessage) => Promise<void>): Promise<void> {
  const layer = model.layers[layerIndex];
  if (layer === undefined) throw new Error(`layer ${layerIndex} of ${model.layers.length}`);
  const clock = { readMs: 0 };
  const source = await readLayer(model, layer, clock);
  // Reading serves all matrices of the layer: each carries its share.
  const readMs = clock.readMs / views.length;
  for (const [index, number] of views.entries()) {
    const view = layer.views[number];
    if (view === undefined) throw new Error(`view ${number} of ${layer.views.length}`);
    await send({ type: "started", view: number });
    try {
      const begin = performance.now();
      const before = clock.readMs;
      const solver = solverFor(threads, send);
      const matrix = "composite" in source ? source : await matrixOf(source, layer, view, index === views.length - 1);
      if (depth === "first" && !("composite" in matrix)) await send({ type: "estimated", view: number, first: await estimate(matrix, layer, view, solver) });
      else {
        const measured = await measure(matrix, layer, view, solver);
        const ownReadMs = clock.readMs - before;
        await send({ type: "measured", view: number, result: resultOf(measured, layer, view, readMs + ownReadMs, performance.now() - begin - ownReadMs) });
      }
    } catch (error) {
      await send({ type: "failed", view: number, fault: faultOf(error, titleOf({ name: layer.tensor.name, ...view })) });
    }
  }
}

async function readLayer(model: Model, layer: Layer, clock: { readMs: number }): Promise<Source> {
  const onRead = (ms: number): void => { clock.readMs += ms; };
  if (readingOf(model, layer) !== "whole") return { rowsOf: (view) => rowSourceOf(model, layer, view, onRead) };
  const start = performance.now();
  const source = layer.factored === undefined ? { values: await model.read(layer.tensor) } : { composite: await readFactors(model, layer.factored), scale: layer.factored.scale };
  onRead(performance.now() - start);
  return source;
}

/** @param isLast nobody needs the tensor's values after this matrix: it may take them as its own, and overwrite them */
async function matrixOf(source: Exclude<Source, Factors>, layer: Layer, view: MatrixView, isLast: boolean): Promise<Matrix | RowSource> {
  if ("rowsOf" in source) {
    const rows = source.rowsOf(view);
    return rows.rows * rows.columns > LARGE_VALUES ? rows : rows.read(0, rows.rows);
  }
  const { values } = source;
  const matrix = isLast && isWhole(view, values.length) ? { ...matrixSize(view), data: values } : gather(view, values);
  assertFinite(matrix.data, titleOf({ name: layer.tensor.name, ...view }));
  return matrix;
}

async function estimate(matrix: Matrix | RowSource, layer: Layer, view: MatrixView, solver: Solver): Promise<FirstFigures> {
  const first = await ("read" in matrix ? firstFiguresOfRows(matrix, solver) : firstFigures(matrix, solver));
  if (!areFirstFigures(first)) throw outOfRange(layer, view);
  return first;
}

function measure(matrix: Matrix | RowSource | Factors, layer: Layer, view: MatrixView, solver: Solver): Promise<Measured> {
  const facts = { ...matrixSize(view), epsilon: epsilonOf(layer.tensor.dtype), recurrent: view.recurrent, breakEvenRank: view.breakEvenRank };
  if ("composite" in matrix) return measureComposite(solver, matrix.composite, matrix.scale, facts);
  return "read" in matrix ? measureRows(solver, matrix, facts) : measureMatrix(solver)(matrix, facts);
}

function resultOf({ measures, singularValues }: Measured, layer: Layer, view: MatrixView, readMs: number, computeMs: number): RowResult {
  const result = { ...withFiniteOptions(measures), ms: Number((readMs + computeMs).toFixed(3)) };
  if (!areMeasures(result)) throw outOfRange(layer, view);
  return { measures: result, singularValues, readMs, computeMs };
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
