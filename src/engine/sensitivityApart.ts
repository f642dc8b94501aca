import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { Fault } from "../shared/fault";
import type { LayerWork } from "../factorize/apply";
import { smallerRungs } from "../factorize/budgetRungs";
import type { Considered } from "../factorize/candidates";
import { sampled } from "../factorize/latency";
import type { Rung } from "../factorize/ladder";
import type { SchemeId } from "../factorize/scheme";
import { sensitivityFrom, type LayerSensitivity, type MeasuredRung, type MeasuredSensitivity } from "../factorize/sensitivity";
import type { Source } from "../factorize/source";
import type { Model, OpenOptions } from "../models/model";
import type { CalibrationProgress } from "../verify/calibration";
import { sensitivitiesApart } from "../verify/fork";
import type { Calibration } from "./calibrateApart";
import { inTemporaryFolder } from "./temporaryFolder";

export interface SensitivityWish {
  readonly model: Model;
  readonly options: OpenOptions;
  readonly considered: readonly Considered[];
  /** .npz, .npy or ONNX test data. */
  readonly data: string;
  readonly calibration: Calibration;
  /** 0: as many as there are cores. */
  readonly threads: number;
}

interface Trial {
  readonly work: LayerWork;
  readonly rung: Rung;
}

/**
 * How much a model's outputs change where each of its layers alone is cut, at some ranks of each scheme, on a person's data
 * (ASVD: Yuan et al., 2023, measured once a layer).
 * @param verifyScript absolute path of the built `dist/verify.js`
 * @throws Fault, Cancelled
 */
export function sensitivityApart({ model, options, considered, data, calibration, threads }: SensitivityWish, verifyScript: string, signal: AbortSignal, tell: CalibrationProgress): Promise<MeasuredSensitivity> {
  const trials = considered.flatMap((layer, index) => trialsOf(layer, index, calibration));
  const { path } = model.summary;
  return inTemporaryFolder("sensitivity", async (folder) => {
    const { errors, samples } = await sensitivitiesApart(verifyScript, { path, options, data, trials: trials.map(({ work }) => work), folder, threads: threads > 0 ? threads : availableParallelism() }, signal, tell);
    const layers = new Map<string, LayerSensitivity>();
    for (const { name } of considered) {
      const measured = new Map<SchemeId, MeasuredRung[]>();
      for (const [index, { work, rung }] of trials.entries()) {
        const outputError2 = errors[index] ?? null;
        if (work.name !== name || outputError2 === null) continue;
        measured.set(work.scheme, [...(measured.get(work.scheme) ?? []), { error2: rung.error2, outputError2 }]);
      }
      if (measured.size > 0) layers.set(name, sensitivityFrom(measured));
    }
    return { layers, samples };
  });
}

/** @throws Fault unsupported for a format without a graph */
export function assertSensitive({ activations }: Pick<Source, "activations">, path: string): void {
  if (activations !== undefined) return;
  throw new Fault("unsupported", `The sensitivities of ${basename(path)} cannot be measured: its file holds no graph that could be run.`, "Sensitivities need an ONNX model: share the budget in another way.");
}

function trialsOf({ name, candidate }: Considered, layer: number, { moments }: Calibration): Trial[] {
  if (candidate === null) return [];
  const own = moments.get(name);
  return smallerRungs(candidate, "parameters").flatMap(sampled).flatMap((rung): Trial[] => {
    const { scheme, ranks } = rung;
    if (scheme === null) return [];
    const follows = candidate.schemes.some((each) => each.scheme.id === scheme && each.weightSpectra !== undefined);
    return [{ rung, work: { name, layer, target: candidate.target, scheme, ranks, ...(own !== undefined && follows ? { moments: own } : {}) } }];
  });
}
