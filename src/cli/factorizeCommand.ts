import { basename, resolve } from "node:path";
import { readFile, stat } from "node:fs/promises";
import type { Calibration } from "../engine/calibrateApart";
import { assertSensitive } from "../engine/sensitivityApart";
import { assertPlanFits, contentHash } from "../factorize/apply";
import { parsePlan, type Plan } from "../factorize/plan";
import { assertWritable, openSource, outputFile } from "../factorize/sources";
import { openModel } from "../models/formats";
import { DEFAULT_OPEN_OPTIONS, type OpenOptions } from "../models/model";
import { Fault } from "../shared/fault";
import { bytesText } from "../shared/figures";
import { calibrationFor, calibrationNotes, calibrationOf } from "./calibration";
import { EXIT } from "./exitCodes";
import { assertFlagsFit, choiceOf, isPlan, SENSITIVITY, type FactorizeFlags, type FactorizeRequest } from "./factorizeFlags";
import { planFor } from "./factorizePlan";
import { factorizeSummary, type Outcome } from "./factorizeSummary";
import { leaveOnInterrupt, whileInterruptible } from "./interrupt";
import { writeAndVerify, type Ended } from "./writeAndVerify";

/** @returns the exit code. @throws Fault */
export async function factorizeCommand(path: string, flags: FactorizeFlags): Promise<number> {
  assertFlagsFit(flags);
  const options: OpenOptions = { ...DEFAULT_OPEN_OPTIONS, allowExternalDataOutside: flags.allowExternalData };
  const model = await openModel(resolve(path), options);
  const output = flags.out === undefined ? null : await outputFile(model, resolve(flags.out));
  const source = await openSource(model, options, flags.as);
  const request: FactorizeRequest = { model, source, options, flags };
  let calibration: Calibration | null = null;
  const noLongerLeave = leaveOnInterrupt(interrupted);
  try {
    if (flags.allocate === SENSITIVITY) assertSensitive(source, model.summary.path);
    if (output !== null) await assertWritable(source, model, output.path, output.makesFolder);
    const found = await whileInterruptible((signal) => dataFor(request, signal));
    if (found === null) return interrupted();
    calibration = found.calibration;
    const plan = found.plan ?? await planFor(request, calibration);
    if (plan === null) return interrupted();
    const before = { parameters: model.summary.parameters, bytes: model.summary.bytes, macs: plan.multiplyAdds?.before ?? null };
    const outcome: Outcome = { plan, before, after: parametersAfter(plan, before.parameters), written: [], verification: null, layerErrors: null, notes: [...source.notes, ...(calibration === null ? [] : calibrationNotes(calibration))], unverified: null };
    const ended: Ended | null = flags.dryRun || output === null ? outcome : await writeAndVerify(outcome, request, output, calibration);
    if (ended === null) return interrupted();
    if (ended.isInterrupted === true) {
      process.stderr.write(`ranklens: interrupted: ${basename(output?.path ?? "")} is written, but not verified.\n`);
      return EXIT.interrupted;
    }
    const text = flags.json ? `${JSON.stringify(ended, null, 2)}\n` : factorizeSummary(ended, flags.dryRun);
    await new Promise<void>((done) => process.stdout.write(text, () => done()));
    return ended.unverified === null ? EXIT.done : EXIT.fault;
  } finally {
    await Promise.all([source.close(), model.close(), calibration?.discard()]);
    noLongerLeave();
  }
}

/** A plan that was made before, and what its factors follow; or the data for one that is to be made. @throws Fault, Cancelled */
async function dataFor({ model, source, options, flags }: FactorizeRequest, signal: AbortSignal): Promise<{ readonly plan: Plan | null; readonly calibration: Calibration | null }> {
  const request = { model, source, options, as: flags.as, threads: flags.threads ?? 0 };
  const data = flags.calibration === undefined ? null : resolve(flags.calibration);
  if (flags.ranks === undefined || !isPlan(flags.ranks)) {
    return { plan: null, calibration: data === null ? null : await calibrationFor(request, data, choiceOf(flags), signal) };
  }
  const plan = parsePlan(await planTextOf(flags.ranks), flags.ranks);
  assertPlanFits(plan, await contentHash(model.files), model, source);
  return { plan, calibration: await calibrationOf(plan, request, data, !flags.dryRun, signal) };
}

/** A layer takes some 300 bytes: more is no plan. */
const LARGEST_PLAN = 64 * 1024 * 1024;

/** @throws Fault not-found, too-large */
async function planTextOf(path: string): Promise<string> {
  const { size = 0 } = await stat(path).catch(() => ({}) as { size?: number });
  if (size > LARGEST_PLAN) throw new Fault("too-large", `${path} has ${bytesText(size)}, which no plan has.`, "Name the .plan.json beside a factorized model.");
  return readFile(path, "utf8").catch(() => { throw new Fault("not-found", `The plan ${path} cannot be read.`, "Check the path."); });
}

function interrupted(): number {
  process.stderr.write("ranklens: interrupted, nothing was written.\n");
  return EXIT.interrupted;
}

function parametersAfter(plan: Plan, before: number): Outcome["after"] {
  return { parameters: plan.layers.reduce((sum, { parametersBefore, parametersAfter: after }) => sum + after - parametersBefore, before), bytes: null, macs: plan.multiplyAdds?.after ?? null };
}
