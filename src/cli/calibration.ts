import { join } from "node:path";
import { calibrateApart, type CalibrateRequest, type Calibration } from "../engine/calibrateApart";
import { sensitivityApart, type SensitivityWish } from "../engine/sensitivityApart";
import { assertDataFits, contentHash, needsData } from "../factorize/apply";
import { candidateNames, type CandidateOptions } from "../factorize/candidates";
import type { Plan } from "../factorize/plan";
import type { MeasuredSensitivity } from "../factorize/sensitivity";
import { dataFiles } from "../verify/protoInputs";
import { withProgressBar } from "./progressBar";

type Request = Omit<CalibrateRequest, "isWanted" | "data" | "scheme">;

/** Looks at the data for a plan that is to be made, with a bar on a terminal. @throws Fault, Cancelled */
export function calibrationFor(request: Request, data: string, choice: Pick<CandidateOptions, "scheme" | "included" | "excluded">, signal: AbortSignal): Promise<Calibration> {
  const candidates = new Set(candidateNames(request.model.layers, request.source, choice));
  return calibrated({ ...request, data, scheme: choice.scheme, isWanted: (name) => candidates.has(name) }, signal);
}

/**
 * The data that a plan's factors follow, as it was when the plan was made.
 * @param data null: none is given
 * @returns null where the plan needs none, or nothing is written
 * @throws Fault plan-mismatch before anything is computed, Cancelled
 */
export async function calibrationOf(plan: Plan, request: Request, data: string | null, isWritten: boolean, signal: AbortSignal): Promise<Calibration | null> {
  assertDataFits(plan, data === null || !needsData(plan) ? null : await contentHash(await dataFiles(data)));
  if (data === null || !needsData(plan) || !isWritten) return null;
  const following = new Set(plan.layers.flatMap((layer) => (layer.calibrated === true ? [layer.name] : [])));
  return calibrated({ ...request, data, scheme: null, isWanted: (name) => following.has(name) }, signal);
}

/** @throws Fault, Cancelled */
export function sensitivityFor(wish: SensitivityWish, signal: AbortSignal): Promise<MeasuredSensitivity> {
  return withProgressBar((bar) => sensitivityApart(wish, join(__dirname, "verify.js"), signal, (done, total, layer) => bar.showLayer(done, total, layer)));
}

function calibrated(request: CalibrateRequest, signal: AbortSignal): Promise<Calibration> {
  return withProgressBar((bar) => calibrateApart(request, join(__dirname, "verify.js"), signal, (done, total, layer) => bar.showLayer(done, total, layer)));
}

/** What a person should know of it. */
export function calibrationNotes({ facts: { file, samples }, without, unused }: Calibration): string[] {
  return [
    `calibrated on ${samples} ${samples === 1 ? "sample" : "samples"} of ${file}`,
    ...[...without].map(([name, reason]) => `the data says nothing of ${name}, which is looked at by its weight alone: ${reason}`),
    ...(unused.length === 0 ? [] : [`${file} holds arrays that are named as none of these layers: ${unused.join(", ")}`]),
  ];
}
