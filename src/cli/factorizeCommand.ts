import { basename, dirname, join, resolve } from "node:path";
import { readFile, stat } from "node:fs/promises";
import picomatch from "picomatch";
import { version } from "../../package.json";
import { Cancelled, Fault } from "../shared/fault";
import { bytesText } from "../shared/figures";
import { considerLayers, type CandidateOptions } from "../factorize/candidates";
import { assertPlanFits, contentHash } from "../factorize/apply";
import { closenessWords } from "../factorize/budget/closeness";
import { plannedLatency } from "../factorize/latency";
import { plannedMultiplyAdds, type MultiplyAdds } from "../factorize/multiplyAdds";
import { parsePlan, PLAN_SCHEMA, type Plan } from "../factorize/plan";
import { propose, type AllocationId, type Wish } from "../factorize/propose";
import { parseRankRule } from "../factorize/rankRule";
import type { SchemeWish } from "../factorize/scheme";
import type { Output, Source } from "../factorize/source";
import { adapterPaths } from "../factorize/safetensors/adapter";
import { assertWritable, openSource, outputFile } from "../factorize/sources";
import { applyApart } from "../engine/applyApart";
import type { Calibration } from "../engine/calibrateApart";
import { assertSensitive } from "../engine/sensitivityApart";
import { assertMeasurable } from "../engine/latencyApart";
import { MOST_RUN_UNASKED, multiplyAddsApart } from "../engine/multiplyAddsApart";
import { Report } from "../engine/report";
import { exactSolver } from "../linalg/exactSolver";
import { openModel } from "../models/formats";
import { DEFAULT_OPEN_OPTIONS, type Model, type OpenOptions } from "../models/model";
import { compareWeightsApart, verifyApart } from "../verify/fork";
import { budgetWish, budgetWords, parseBudget } from "./budgetFlag";
import { calibrationFor, calibrationNotes, calibrationOf, sensitivityFor } from "./calibration";
import { EXIT } from "./exitCodes";
import { factorizeSummary, type Outcome } from "./factorizeSummary";
import { measureLatency } from "./latencyBudget";
import { ProgressBar } from "./progressBar";
import { measureRows, resultsCache } from "./spectra";

/** Options of `ranklens factorize`, as commander parses them. */
export interface FactorizeFlags {
  readonly out?: string;
  readonly scheme: SchemeWish;
  readonly ranks?: string;
  readonly budget?: string;
  readonly allocate: AllocationId | typeof SENSITIVITY;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly as: Output;
  /** Data that ranks and factors follow. */
  readonly calibration?: string;
  /** true: seeded inputs; text: a data file. */
  readonly verify?: true | string;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly threads?: number;
  readonly cache: boolean;
  readonly allowExternalData: boolean;
}

/** A way to share a budget that runs the model. */
export const SENSITIVITY = "sensitivity";
const DEFAULT_RANKS = "energy:0.9";

/** @returns the exit code. @throws Fault */
export async function factorizeCommand(path: string, flags: FactorizeFlags): Promise<number> {
  if (flags.out === undefined && !flags.dryRun) throw new Fault("usage", "Where should the factorized model be written?", "Name it with --out, or see the plan alone with --dry-run.");
  if (flags.ranks !== undefined && flags.budget !== undefined) throw new Fault("usage", "--ranks and --budget exclude each other: a budget chooses the ranks.");
  if (flags.as === "adapter" && !["auto", "channel", "svd"].includes(flags.scheme)) throw new Fault("usage", `An adapter cannot hold factors of the ${flags.scheme} scheme.`, "Leave --scheme out: matrices take svd, convolutions channel.");
  if (flags.allocate === SENSITIVITY && flags.budget === undefined) throw new Fault("usage", "Sensitivities share a budget, and there is none.", "Give one with --budget, or leave --allocate out.");
  if (flags.allocate === SENSITIVITY && flags.calibration === undefined) throw new Fault("usage", "Sensitivities are measured on data of yours, and there is none.", "Give it with --calibration, or share the budget in another way.");
  const options: OpenOptions = { ...DEFAULT_OPEN_OPTIONS, allowExternalDataOutside: flags.allowExternalData };
  const model = await openModel(resolve(path), options);
  const output = flags.out === undefined ? null : await outputFile(model, resolve(flags.out));
  const source = await openSource(model, options, flags.as);
  let calibration: Calibration | null = null;
  const noLongerLeave = leaveOnInterrupt();
  try {
    if (flags.allocate === SENSITIVITY) assertSensitive(source, model.summary.path);
    if (output !== null) await assertWritable(source, model, output.path, output.makesFolder);
    const found = await whileInterruptible((signal) => dataFor({ model, source, options, as: flags.as, threads: flags.threads ?? 0 }, flags, signal));
    if (found === null) return interrupted();
    calibration = found.calibration;
    const plan = found.plan ?? await planFor(model, source, options, flags, calibration);
    if (plan === null) return interrupted();
    const before = { parameters: model.summary.parameters, bytes: model.summary.bytes, macs: plan.multiplyAdds?.before ?? null };
    const outcome: Outcome = { plan, before, after: parametersAfter(plan, before.parameters), written: [], verification: null, layerErrors: null, notes: [...source.notes, ...(calibration === null ? [] : calibrationNotes(calibration))], unverified: null };
    const ended: (Outcome & { readonly isInterrupted?: true }) | null = flags.dryRun || output === null ? outcome : await applyAndVerify(outcome, model, options, output, flags, calibration);
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
async function dataFor(request: Parameters<typeof calibrationFor>[0], flags: FactorizeFlags, signal: AbortSignal): Promise<{ readonly plan: Plan | null; readonly calibration: Calibration | null }> {
  const { model, source } = request;
  const data = flags.calibration === undefined ? null : resolve(flags.calibration);
  if (flags.ranks?.toLowerCase().endsWith(".json") !== true) {
    return { plan: null, calibration: data === null ? null : await calibrationFor(request, data, choiceOf(flags), signal) };
  }
  const plan = parsePlan(await planTextOf(flags.ranks), flags.ranks);
  assertPlanFits(plan, await contentHash(model.files), model, source);
  return { plan, calibration: await calibrationOf(plan, request, data, !flags.dryRun, signal) };
}

/** Which layers are factorized, and how. */
function choiceOf({ scheme, as, include, exclude }: FactorizeFlags): Pick<CandidateOptions, "scheme" | "included" | "excluded"> {
  // LoRA of a convolution is the channel scheme, and no other.
  return { scheme: as === "adapter" ? "channel" : scheme, included: matcher(include), excluded: matcher(exclude) };
}

function interrupted(): number {
  process.stderr.write("ranklens: interrupted, nothing was written.\n");
  return EXIT.interrupted;
}

/** null: interrupted. */
async function planFor(model: Model, source: Source, options: OpenOptions, flags: FactorizeFlags, calibration: Calibration | null): Promise<Plan | null> {
  const sha256 = await contentHash(model.files);
  const rule = parseRankRule(flags.ranks ?? DEFAULT_RANKS);
  const budget = flags.budget === undefined ? null : parseBudget(flags.budget);
  if (budget?.unit === "latency") assertMeasurable(source, model.summary.path);
  const multiplyAdds = await whileInterruptible((signal) => countedMultiplyAdds(source, model, budget?.unit === "macs", signal));
  if (multiplyAdds === null) return null;
  const known = await knownSpectra(model, options, flags);
  if (known === null) return null;
  const considered = await considerLayers(model.layers, source, {
    ...choiceOf(flags), known, read: (layer) => model.read(layer.tensor), solver: exactSolver,
    ...(calibration === null ? {} : { calibrated: calibration.outputs }),
    ...(multiplyAdds.known === null ? {} : { positions: multiplyAdds.known.positions }),
  });
  const measured = budget?.unit === "latency" ? await whileInterruptible((signal) => measureLatency(considered, source, model.summary.path, signal)) : undefined;
  const sensitivity = flags.allocate === SENSITIVITY && calibration !== null ? await whileInterruptible((signal) => sensitivityFor({ model, options, considered, data: resolve(flags.calibration ?? ""), calibration, threads: flags.threads ?? 0 }, signal)) : undefined;
  if (measured === null || sensitivity === null) return null;
  const allocation = flags.allocate === SENSITIVITY ? "least-total" : flags.allocate;
  const totals = { params: model.summary.parameters, bytes: source.bytes ?? model.summary.bytes, macs: multiplyAdds.known?.total ?? 0, latency: measured?.total ?? 0 };
  const unit = budget?.unit ?? "params";
  const wish: Wish = budget === null ? { kind: "rule", rule } : budgetWish(budget, totals[unit], allocation, measured ?? null, sensitivity ?? null);
  const { layers, allocation: allocated } = propose(considered, wish, totals[unit], budgetWords(unit, totals[unit]));
  const closeness = allocated === null ? "" : closenessWords(allocation, allocated);
  const { summary } = model;
  return {
    schema: PLAN_SCHEMA, tool: { name: "ranklens", version },
    source: { file: summary.path.slice(dirname(summary.path).length + 1), format: summary.format, sha256, parameters: summary.parameters },
    choice: wish.kind === "rule" ? `ranks ${flags.ranks ?? DEFAULT_RANKS}, scheme ${flags.scheme}` : `budget ${flags.budget ?? ""} by ${flags.allocate}, scheme ${flags.scheme}${measured === undefined ? "" : ", measured on this machine"}${sensitivity === undefined ? "" : `, measured on ${sensitivity.samples} samples`}${closeness === "" ? "" : `: ${closeness}`}`,
    multiplyAdds: multiplyAdds.known === null ? null : plannedMultiplyAdds(multiplyAdds.known, layers),
    ...(wish.kind === "latency" ? { latency: plannedLatency(wish.measured, wish.budget.amount, budget?.isShare === true ? budget.figure : null, layers) } : {}),
    ...(calibration === null ? {} : { calibration: calibration.facts }),
    layers,
  };
}

/** A layer takes some 300 bytes: more is no plan. */
const LARGEST_PLAN = 64 * 1024 * 1024;

/** @throws Fault not-found, too-large */
async function planTextOf(path: string): Promise<string> {
  const { size = 0 } = await stat(path).catch(() => ({}) as { size?: number });
  if (size > LARGEST_PLAN) throw new Fault("too-large", `${path} has ${bytesText(size)}, which no plan has.`, "Name the .plan.json beside a factorized model.");
  return readFile(path, "utf8").catch(() => { throw new Fault("not-found", `The plan ${path} cannot be read.`, "Check the path."); });
}

/** A model that does not run on random inputs is factorized all the same, unless the budget asks for what is then not known. @throws Fault, Cancelled */
async function countedMultiplyAdds(source: Source, { summary: { path, bytes } }: Model, isNeeded: boolean, signal: AbortSignal): Promise<{ readonly known: MultiplyAdds | null }> {
  if (!isNeeded && source.activations !== undefined && bytes > MOST_RUN_UNASKED) return { known: null };
  try {
    return { known: await multiplyAddsApart(source, path, join(__dirname, "verify.js"), signal) };
  } catch (error) {
    if (isNeeded || !(error instanceof Fault)) throw error;
    return { known: null };
  }
}

/** Spectra of the analysis, from its cache where they are there. null: interrupted. */
async function knownSpectra(model: Model, options: OpenOptions, flags: FactorizeFlags): Promise<((name: string, unfolding: string, part: string | null) => Float64Array | null) | null> {
  const cache = resultsCache(flags.cache);
  const report = await Report.open(model.summary.path, options, cache);
  const ended = await whileInterruptible((signal) => measureRows(report, () => true, cache, flags.threads ?? 0, signal));
  if (ended !== true) return null;
  const ids = new Map(report.rows.map(({ id, name, unfolding, part }) => [JSON.stringify([name, unfolding, part]), id]));
  return (name, unfolding, part) => {
    const id = ids.get(JSON.stringify([name, unfolding, part]));
    const values = id === undefined ? null : report.spectrum(id);
    return values === null || values.length === 0 ? null : values;
  };
}

/** null: interrupted; then nothing is left behind. */
async function applyAndVerify(outcome: Outcome, model: Model, options: OpenOptions, { path: output, makesFolder }: { readonly path: string; readonly makesFolder: boolean }, flags: FactorizeFlags, calibration: Calibration | null): Promise<(Outcome & { readonly isInterrupted?: true }) | null> {
  const bar = new ProgressBar(process.stderr);
  const request = { path: model.summary.path, options, plan: outcome.plan, output, makesFolder, as: flags.as, threads: flags.threads ?? 0, ...(calibration === null ? {} : { calibration: { sha256: calibration.facts.sha256, moments: calibration.moments } }) };
  const written = await whileInterruptible((signal) => applyApart(join(__dirname, "apply.js"), request, signal, (message) => {
    if (message.type === "notice") process.stderr.write(`ranklens: ${message.text}\n`);
    if (message.type !== "progress") return;
    bar.show({ path: "", state: "running", done: message.done, failed: 0, estimated: 0, total: message.total, current: [message.name], elapsedMs: 0, etaMs: null, ahead: 0, fault: null });
  })).finally(() => bar.clear());
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

/**
 * Between pieces of work that are cancelled by it, Ctrl+C ends the process as its last line does, so that what goes with the
 * process goes: temporary files.
 */
function leaveOnInterrupt(): () => void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const leave = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) === 1) process.exit(interrupted());
  };
  for (const signal of signals) process.on(signal, leave);
  return () => { for (const signal of signals) process.removeListener(signal, leave); };
}

/** Runs with Ctrl+C as a cancel. null: cancelled. */
export async function whileInterruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (error instanceof Cancelled) return null;
    throw error;
  } finally {
    process.removeListener("SIGINT", interrupt);
    process.removeListener("SIGTERM", interrupt);
  }
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const matches = patterns.length === 0 ? () => false : picomatch([...patterns], { bash: true, dot: true, nonegate: true });
  return (name) => patterns.includes(name) || matches(name);
}

function parametersAfter(plan: Plan, before: number): Outcome["after"] {
  return { parameters: plan.layers.reduce((sum, { parametersBefore, parametersAfter: after }) => sum + after - parametersBefore, before), bytes: null, macs: plan.multiplyAdds?.after ?? null };
}
