import { join, resolve } from "node:path";
import { applyApart } from "../engine/applyApart";
import type { Calibration } from "../engine/calibrateApart";
import { adapterPaths } from "../factorize/safetensors/adapter";
import { openModel } from "../models/formats";
import { DEFAULT_OPEN_OPTIONS, type Model } from "../models/model";
import { Fault } from "../shared/fault";
import { compareWeightsApart, verifyApart } from "../verify/fork";
import type { FactorizeRequest } from "./factorizeFlags";
import type { Outcome } from "./factorizeSummary";
import { whileInterruptible } from "./interrupt";
import { withProgressBar } from "./progressBar";

/** isInterrupted: written, but not verified. */
export type Ended = Outcome & { readonly isInterrupted?: true };

/** Where a model is written. */
interface Destination {
  readonly path: string;
  readonly makesFolder: boolean;
}

/**
 * Writes what the outcome's plan says, and compares it with the original where that is asked for.
 * @returns null: interrupted, and nothing is left behind. @throws Fault
 */
export async function writeAndVerify(outcome: Outcome, { model, options, flags }: FactorizeRequest, { path: output, makesFolder }: Destination, calibration: Calibration | null): Promise<Ended | null> {
  const request = { path: model.summary.path, options, plan: outcome.plan, output, makesFolder, as: flags.as, threads: flags.threads ?? 0, ...(calibration === null ? {} : { calibration: { sha256: calibration.facts.sha256, moments: calibration.moments } }) };
  const written = await whileInterruptible((signal) => withProgressBar((bar) => applyApart(join(__dirname, "apply.js"), request, signal, (message) => {
    if (message.type === "notice") bar.say(message.text);
    if (message.type === "progress") bar.showLayer(message.done, message.total, message.name);
  })));
  if (written === null) return null;
  const done = { ...outcome, written, after: { ...await sizeOf(flags.as === "adapter" ? [output, adapterPaths(output).weights] : [output]), macs: outcome.after.macs } };
  // Whether a budget of latency is kept, only the written model tells.
  const data = flags.verify ?? (outcome.plan.latency === undefined ? undefined : true);
  if (data === undefined) return done;
  try {
    const figures = await verified(model, output, data);
    return figures === null ? { ...done, isInterrupted: true } : { ...done, ...figures };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    process.stderr.write(`ranklens: the model was written, but not verified: ${error.message}\n`);
    return { ...done, unverified: error.toPlain() };
  }
}

/** Of all models together. */
async function sizeOf(paths: readonly string[]): Promise<{ parameters: number; bytes: number }> {
  const sum = { parameters: 0, bytes: 0 };
  for (const path of paths) {
    const { summary, close } = await openModel(path, DEFAULT_OPEN_OPTIONS);
    await close();
    sum.parameters += summary.parameters;
    sum.bytes += summary.bytes;
  }
  return sum;
}

/** null: interrupted. @throws Fault */
async function verified(model: Model, output: string, data: true | string): Promise<Pick<Outcome, "verification" | "layerErrors"> | null> {
  const script = join(__dirname, "verify.js");
  const request = { original: model.summary.path, candidate: output, data: data === true ? null : resolve(data) };
  if (model.summary.format === "onnx") {
    const verification = await whileInterruptible((signal) => verifyApart(script, request, signal));
    return verification === null ? null : { verification, layerErrors: null };
  }
  if (data !== true) throw new Fault("usage", `The model cannot be run on ${data}: its file holds no graph.`, "Use --verify without data.");
  const layerErrors = await whileInterruptible((signal) => compareWeightsApart(script, request, signal));
  return layerErrors === null ? null : { verification: null, layerErrors };
}
