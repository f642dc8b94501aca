import { refusalOf } from "../calibrate/moment";
import { readMoments } from "../calibrate/momentsFile";
import { outputsFirst, whitened, whiteningOf } from "../calibrate/whitening";
import type { Inputs, Scheme, SchemeWish } from "../factorize/scheme";
import { calibratedScheme } from "../factorize/schemes";
import { isTarget } from "../factorize/source";
import { openSource } from "../factorize/sources";
import { arranged, type Target } from "../factorize/target";
import { exactSolver } from "../linalg/exactSolver";
import { anyGemm } from "../linalg/fast/anyGemm";
import { FastSolver } from "../linalg/fast/fastSolver";
import type { Gemm } from "../linalg/fast/gemm";
import { FastSvd } from "../linalg/fast/truncatedSvd";
import type { SpectrumSolver } from "../linalg/singularValues";
import type { TruncatedSvd } from "../linalg/svd";
import { areFinite } from "../models/finite";
import { openModel } from "../models/formats";
import type { Layer, Model } from "../models/model";
import { arrayMoments } from "./arrayMoments";
import { MOST_INPUTS, type CalibratedLayer, type CalibrationProgress, type CalibrationRequest, type CalibrationResult } from "./calibration";
import { graphMoments } from "./graphMoments";
import { otherErrors } from "./otherSchemes";

/** A layer whose factors may follow the data. */
export interface CalibratedTarget {
  readonly layer: Layer;
  readonly target: Target;
  readonly scheme: Scheme;
  readonly inputs: Inputs;
}

/** Moments as they were added up. */
export interface CollectedMoments {
  readonly samples: number;
  /** By layer, the file of its moments. */
  readonly files: ReadonlyMap<string, string>;
  /** By layer, why it has none. */
  readonly without: ReadonlyMap<string, string>;
  readonly unused: readonly string[];
}

interface Tools {
  readonly gemm: Gemm;
  readonly svd: TruncatedSvd;
  readonly solver: SpectrumSolver;
}

/**
 * The second moments of what layers are applied to on some data, in files, and the spectra of their outputs. One layer's
 * moments are in memory at a time, or some that are small.
 * @throws Fault of the data, the model and the runtime
 */
export async function calibrate(request: CalibrationRequest, tell: CalibrationProgress): Promise<CalibrationResult> {
  const { path, options, as, threads } = request;
  const model = await openModel(path, options);
  try {
    const source = await openSource(model, options, as);
    try {
      const without = new Map<string, string>();
      const targets = request.layers.flatMap((name): CalibratedTarget[] => {
        const index = model.layers.findIndex(({ tensor }) => tensor.name === name);
        const target = source.targets[index];
        if (target === undefined || !isTarget(target)) return [];
        const scheme = calibratedScheme(target);
        if (scheme === null) without.set(name, "its rows are looked up, not multiplied");
        else if (scheme.inputs.length > MOST_INPUTS) without.set(name, `the second moment of ${scheme.inputs.length} inputs would take too much memory`);
        else return [{ layer: model.layers[index]!, target, ...scheme }];
        return [];
      });
      const tools = { gemm: anyGemm(threads), svd: new FastSvd(threads, () => undefined), solver: new FastSolver({ threads, fallback: exactSolver }) };
      const collected = request.graph === null ? await arrayMoments(request, targets, tools.gemm, tell) : await graphMoments({ ...request, graph: request.graph }, targets, tools.gemm, tell);
      for (const [name, reason] of collected.without) without.set(name, reason);
      const layers: CalibratedLayer[] = [];
      for (const [index, each] of targets.entries()) {
        const { tensor: { name } } = each.layer;
        const moments = collected.files.get(name);
        if (moments === undefined) continue;
        tell(index, targets.length, name);
        const found = request.scheme === null ? { spectra: [], others: new Map() } : await outputsOf(each, moments, model, request.scheme, tools);
        if (typeof found === "string") without.set(name, found);
        else layers.push({ name, moments, ...found });
      }
      return { samples: collected.samples, layers, without: [...without].map(([name, reason]) => ({ name, reason })), unused: collected.unused };
    } finally {
      await source.close();
    }
  } finally {
    await model.close();
  }
}

/** @returns or why nothing is known of its outputs */
async function outputsOf(calibrated: CalibratedTarget, path: string, model: Model, wish: SchemeWish, { gemm, svd, solver }: Tools): Promise<Pick<CalibratedLayer, "spectra" | "others"> | string> {
  const { layer, target, scheme, inputs } = calibrated;
  const moments = await readMoments(path);
  const refusal = refusalOf(moments);
  if (refusal !== null) return refusal;
  const values = arranged(target, await model.read(layer.tensor));
  if (!areFinite(values)) return "its weight holds numbers that are not finite";
  const spectra: Float64Array[] = [], whitenings: Float64Array[] = [];
  for (const [group, matrix] of scheme.unfoldings(target, values)[0]!.entries()) {
    const whitening = await whiteningOf(moments[group]!, svd);
    whitenings.push(whitening);
    const { rows, columns, data } = whitened(outputsFirst(matrix, inputs.side), whitening, gemm);
    spectra.push(await solver.singularValues({ rows, columns, data }));
  }
  return { spectra, others: await otherErrors(calibrated, wish, values, whitenings, gemm, svd) };
}
