import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { contentHash } from "../factorize/apply";
import type { OutputErrors } from "../factorize/candidates";
import type { PlanCalibration } from "../factorize/plan";
import type { SchemeWish } from "../factorize/scheme";
import { isTarget, type Output, type Source } from "../factorize/source";
import type { Model, OpenOptions } from "../models/model";
import type { CalibrationProgress } from "../verify/calibration";
import { momentsApart } from "../verify/fork";
import { dataFiles } from "../verify/protoInputs";
import { writeExposing } from "./exposedCopy";
import { temporaryFolder } from "./temporaryFolder";

export interface CalibrateRequest {
  readonly model: Model;
  readonly source: Source;
  readonly options: OpenOptions;
  readonly as: Output;
  /** null: moments alone, for a plan that is there. */
  readonly scheme: SchemeWish | null;
  /** .npz, .npy or ONNX test data. */
  readonly data: string;
  /** Which layers' inputs are looked at. */
  readonly isWanted: (name: string) => boolean;
  /** 0: as many as there are cores. */
  readonly threads: number;
}

/** What data says of a model's layers. */
export interface Calibration {
  readonly facts: PlanCalibration;
  /** By layer. */
  readonly outputs: ReadonlyMap<string, OutputErrors>;
  /** By layer: the file of its moments, until `discard`. */
  readonly moments: ReadonlyMap<string, string>;
  /** By layer, why it has none. */
  readonly without: ReadonlyMap<string, string>;
  /** Arrays of the data that belong to no layer. */
  readonly unused: readonly string[];
  discard(): Promise<void>;
}

/**
 * Looks at what the layers of a model are applied to on a person's data, in a process of its own: a graph is run in a copy that
 * gives out the values between its nodes.
 * @param verifyScript absolute path of the built `dist/verify.js`
 * @throws Fault, Cancelled; then nothing is left behind
 */
export async function calibrateApart({ model, source, options, as, scheme, data, isWanted, threads }: CalibrateRequest, verifyScript: string, signal: AbortSignal, tell: CalibrationProgress): Promise<Calibration> {
  const sha256 = await contentHash(await dataFiles(data));
  const folder = await temporaryFolder("calibration");
  try {
    const { path } = model.summary;
    const layers = source.targets.filter(isTarget).map(({ name }) => name).filter(isWanted);
    const probe = source.activations;
    const copy = join(folder.path, basename(path));
    if (probe !== undefined) await writeExposing(probe, layers.flatMap((name) => (probe.taken.get(name) ?? []).map(({ value }) => value)).filter((value, index, all) => all.indexOf(value) === index), copy);
    const graph = probe === undefined ? null : { copy, taken: probe.taken };
    const found = await momentsApart(verifyScript, { path, options, as, scheme, layers, data, graph, folder: folder.path, threads: threads > 0 ? threads : availableParallelism() }, signal, tell);
    return {
      facts: { file: basename(data), sha256, samples: found.samples },
      outputs: new Map(found.layers.map(({ name, spectra, others }) => [name, { spectra, others }])), moments: new Map(found.layers.map(({ name, moments }) => [name, moments])),
      without: new Map(found.without.map(({ name, reason }) => [name, reason])), unused: found.unused, discard: () => folder.remove(),
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
