import { basename } from "node:path";
import { Fault } from "../shared/fault";
import type { Candidate, Considered } from "../factorize/candidates";
import { wholeRung, type Rung } from "../factorize/ladder";
import { latencyOf, sampled, type LayerTimes, type MeasuredLatency, type Point } from "../factorize/latency";
import type { MicroModel } from "../factorize/micro";
import type { ActivationProbe } from "../factorize/multiplyAdds";
import { smallerRungs } from "../factorize/propose";
import { SCHEMES } from "../factorize/schemes";
import type { Source } from "../factorize/source";
import { latenciesApart } from "../verify/fork";
import { ROUNDS } from "../verify/verification";
import { observedShapes } from "./multiplyAddsApart";

/** One way to write a layer, and the models that tell its time. */
interface Trial {
  readonly layer: string;
  readonly rung: Rung;
  readonly models: readonly MicroModel[];
}

/** Measurements that are done, of all, and the layer that comes next. */
export type LatencyProgress = (done: number, total: number, layer: string) => void;

/**
 * Measures on this machine, in ONNX Runtime, how long a model takes, and each of its candidates as it is and at some ranks of
 * each scheme, as a model of its own with the sizes that it has in the graph.
 * @param path of the model
 * @param verifyScript absolute path of the built `dist/verify.js`
 * @throws Fault when the model has no graph or does not run on seeded inputs, Cancelled
 */
export async function latencyApart(considered: readonly Considered[], source: Pick<Source, "activations">, path: string, verifyScript: string, signal: AbortSignal, tell: LatencyProgress): Promise<MeasuredLatency> {
  const probe = assertMeasurable(source, path);
  try {
    const { inputs, outputs } = await observedShapes(probe, path, verifyScript, signal);
    const shapes = new Map([...inputs, ...outputs]);
    const candidates = considered.flatMap(({ candidate }) => (candidate === null ? [] : [candidate]));
    const trials: Trial[] = [];
    for (const candidate of candidates) trials.push(...await trialsOf(candidate, probe, shapes));
    const measured = await latenciesApart(verifyScript, { path, trials: trials.map(({ models }) => models) }, signal, (done) => tell(done, ROUNDS * trials.length, trials[done % trials.length]?.layer ?? ""));
    const times = trials.map(({ layer, rung }, index) => ({ layer, rung, ms: measured.trials[index] ?? null }));
    const known = candidates.flatMap(({ target: { name } }) => timesOf(name, times) ?? []);
    return latencyOf(measured.whole, known, candidates.map(({ target }) => target.name).filter((name) => !known.some((layer) => layer.name === name)));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw notMeasured(path, error.message, error.code);
  }
}

/** @throws Fault unsupported for a format without a graph */
export function assertMeasurable({ activations }: Pick<Source, "activations">, path: string): ActivationProbe {
  if (activations === undefined) throw notMeasured(path, "Its file holds no graph that could be run.", "unsupported");
  return activations;
}

function notMeasured(path: string, why: string, code: Fault["code"]): Fault {
  return new Fault(code, `The latency of ${basename(path)} cannot be measured. ${why}`, "Give a budget in parameters or bytes.");
}

async function trialsOf(candidate: Candidate, probe: ActivationProbe, shapes: ReadonlyMap<string, readonly number[]>): Promise<Trial[]> {
  const { target } = candidate;
  const whole = wholeRung(target, { before: [], after: [] });
  const trials: Trial[] = [];
  for (const rung of [whole, ...smallerRungs(candidate, "parameters").flatMap(sampled)]) {
    const models = await probe.micro(target.name, rung.scheme === null ? null : SCHEMES[rung.scheme].steps(target, rung.ranks), shapes);
    if (models === null) return [];
    trials.push({ layer: target.name, rung, models });
  }
  return trials;
}

/** null: the layer as it is has no time. */
function timesOf(name: string, times: readonly { readonly layer: string; readonly rung: Rung; readonly ms: number | null }[]): LayerTimes | null {
  const schemes = new Map<Rung["scheme"], Point[]>();
  let whole: number | null = null;
  for (const { layer, rung: { scheme, parameters }, ms } of times) {
    if (layer !== name || ms === null) continue;
    if (scheme === null) whole = ms;
    else schemes.set(scheme, [...(schemes.get(scheme) ?? []), { parameters, ms }]);
  }
  return whole === null ? null : { name, whole, schemes };
}
