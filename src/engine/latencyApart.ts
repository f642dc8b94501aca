import { basename } from "node:path";
import { Fault } from "../shared/fault";
import { smallerRungs } from "../factorize/budgetRungs";
import type { Candidate, Considered } from "../factorize/candidates";
import { wholeRung, type Rung } from "../factorize/ladder";
import { latencyOf, sampled, type LayerTimes, type MeasuredLatency, type ModelTimes, type Point } from "../factorize/latency";
import type { MicroModel } from "../factorize/micro";
import type { ActivationProbe } from "../factorize/multiplyAdds";
import { ONE_POSITION, type SchemeId } from "../factorize/scheme";
import { SCHEMES } from "../factorize/schemes";
import { isTarget, type Source } from "../factorize/source";
import type { Target } from "../factorize/target";
import { latenciesApart } from "../verify/fork";
import { ROUNDS } from "../verify/verification";
import { observedShapes } from "./multiplyAddsApart";

/** Ways to write a layer that are timed: as it is, and some ranks of each scheme. */
export interface LayerSamples {
  readonly name: string;
  readonly rungs: readonly SampledRung[];
}

export type SampledRung = Pick<Rung, "scheme" | "ranks" | "parameters">;

/** One way to write a layer, and the models that tell its time. */
interface Trial {
  readonly layer: string;
  readonly rung: SampledRung;
  readonly models: readonly MicroModel[];
}

/** Measurements that are done, of all, and the layer that comes next. */
export type LatencyProgress = (done: number, total: number, layer: string) => void;

/** Measures a model for all schemes of its candidates. @see timesApart */
export async function latencyApart(considered: readonly Considered[], source: Pick<Source, "activations" | "targets">, path: string, verifyScript: string, signal: AbortSignal, tell: LatencyProgress): Promise<MeasuredLatency> {
  const candidates = considered.flatMap(({ candidate }) => (candidate === null ? [] : [candidate]));
  const { whole, layers, unmeasured } = await timesApart(candidates.map(samplesOf), [], source, path, verifyScript, signal, tell);
  return latencyOf(whole.ms, layers, unmeasured);
}

export function samplesOf(candidate: Candidate): LayerSamples {
  const { target } = candidate;
  const whole = wholeRung(target, ONE_POSITION);
  return { name: target.name, rungs: [whole, ...smallerRungs(candidate, "parameters").flatMap(sampled)].map(({ scheme, ranks, parameters }) => ({ scheme, ranks, parameters })) };
}

/**
 * Measures on this machine, in ONNX Runtime, how long a model takes, and each of its layers in the ways given, as a model of
 * its own with the sizes that it has in the graph.
 * @param schemes that the samples are of
 * @param path of the model
 * @param verifyScript absolute path of the built `dist/verify.js`
 * @throws Fault when the model has no graph or does not run on seeded inputs, Cancelled
 */
export async function timesApart(samples: readonly LayerSamples[], schemes: readonly SchemeId[], source: Pick<Source, "activations" | "targets">, path: string, verifyScript: string, signal: AbortSignal, tell: LatencyProgress): Promise<ModelTimes> {
  const probe = assertMeasurable(source, path);
  const targets = new Map(source.targets.filter(isTarget).map((target) => [target.name, target]));
  try {
    const { inputs, outputs } = await observedShapes(probe, path, verifyScript, signal);
    const shapes = new Map([...inputs, ...outputs]);
    const trials: Trial[] = [];
    for (const { name, rungs } of samples) trials.push(...await trialsOf(targets.get(name)!, rungs, probe, shapes));
    const measured = await latenciesApart(verifyScript, { path, trials: trials.map(({ models }) => models) }, signal, (done) => tell(done, ROUNDS * trials.length, trials[done % trials.length]?.layer ?? ""));
    const times = trials.map(({ layer, rung }, index) => ({ layer, rung, ms: measured.trials[index] ?? null }));
    const layers = samples.flatMap(({ name }) => timesOf(name, times) ?? []);
    return { whole: measured.whole, layers, unmeasured: samples.map(({ name }) => name).filter((name) => !layers.some((layer) => layer.name === name)), schemes };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw notMeasured(path, error.message, error.code);
  }
}

/** Why a format without a graph has no latency. */
export const NO_GRAPH = "Its file holds no graph that could be run.";

/** @throws Fault unsupported for a format without a graph */
export function assertMeasurable({ activations }: Pick<Source, "activations">, path: string): ActivationProbe {
  if (activations === undefined) throw notMeasured(path, NO_GRAPH, "unsupported");
  return activations;
}

function notMeasured(path: string, why: string, code: Fault["code"]): Fault {
  return new Fault(code, `The latency of ${basename(path)} cannot be measured. ${why}`, "Give a budget in parameters or bytes.");
}

async function trialsOf(target: Target, rungs: readonly SampledRung[], probe: ActivationProbe, shapes: ReadonlyMap<string, readonly number[]>): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const rung of rungs) {
    const models = await probe.micro(target.name, rung.scheme === null ? null : SCHEMES[rung.scheme].steps(target, rung.ranks), shapes);
    if (models === null) return [];
    trials.push({ layer: target.name, rung, models });
  }
  return trials;
}

/** null: the layer as it is has no time. */
function timesOf(name: string, times: readonly { readonly layer: string; readonly rung: SampledRung; readonly ms: number | null }[]): LayerTimes | null {
  const schemes = new Map<Rung["scheme"], Point[]>();
  let whole: number | null = null;
  for (const { layer, rung: { scheme, parameters }, ms } of times) {
    if (layer !== name || ms === null) continue;
    if (scheme === null) whole = ms;
    else schemes.set(scheme, [...(schemes.get(scheme) ?? []), { parameters, ms }]);
  }
  return whole === null ? null : { name, whole, schemes };
}
