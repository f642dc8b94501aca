import { basename, join, resolve } from "node:path";
import { version } from "../../package.json";
import type { Calibration } from "../engine/calibrateApart";
import { assertMeasurable } from "../engine/latencyApart";
import { MOST_RUN_UNASKED, multiplyAddsApart } from "../engine/multiplyAddsApart";
import { Report } from "../engine/report";
import { contentHash } from "../factorize/apply";
import { closenessWords } from "../factorize/budget/closeness";
import { considerLayers } from "../factorize/candidates";
import { plannedLatency } from "../factorize/latency";
import { plannedMultiplyAdds, type MultiplyAdds } from "../factorize/multiplyAdds";
import { PLAN_SCHEMA, type Plan } from "../factorize/plan";
import { propose, type Wish } from "../factorize/propose";
import { parseRankRule } from "../factorize/rankRule";
import { exactSolver } from "../linalg/exactSolver";
import { Fault } from "../shared/fault";
import { budgetWish, budgetWords, parseBudget } from "./budgetFlag";
import { sensitivityFor } from "./calibration";
import { choiceOf, SENSITIVITY, type FactorizeFlags, type FactorizeRequest } from "./factorizeFlags";
import { whileInterruptible } from "./interrupt";
import { measureLatency } from "./latencyBudget";
import { measureRows, resultsCache } from "./spectra";

const DEFAULT_RANKS = "energy:0.9";

/** Chooses ranks for a model. @param calibration data that they follow @returns null: interrupted. @throws Fault */
export async function planFor(request: FactorizeRequest, calibration: Calibration | null): Promise<Plan | null> {
  const { model, source, options, flags } = request;
  const { summary } = model;
  const sha256 = await contentHash(model.files);
  const rule = parseRankRule(flags.ranks ?? DEFAULT_RANKS);
  const budget = flags.budget === undefined ? null : parseBudget(flags.budget);
  if (budget?.unit === "latency") assertMeasurable(source, summary.path);
  const multiplyAdds = await whileInterruptible((signal) => countedMultiplyAdds(request, budget?.unit === "macs", signal));
  if (multiplyAdds === null) return null;
  const known = await knownSpectra(request);
  if (known === null) return null;
  const considered = await considerLayers(model.layers, source, {
    ...choiceOf(flags), known, read: (layer) => model.read(layer.tensor), solver: exactSolver,
    ...(calibration === null ? {} : { calibrated: calibration.outputs }),
    ...(multiplyAdds.known === null ? {} : { positions: multiplyAdds.known.positions }),
  });
  const measured = budget?.unit === "latency" ? await whileInterruptible((signal) => measureLatency(considered, source, summary.path, signal)) : undefined;
  const sensitivity = flags.allocate === SENSITIVITY && calibration !== null ? await whileInterruptible((signal) => sensitivityFor({ model, options, considered, data: resolve(flags.calibration ?? ""), calibration, threads: flags.threads ?? 0 }, signal)) : undefined;
  if (measured === null || sensitivity === null) return null;
  const allocation = flags.allocate === SENSITIVITY ? "least-total" : flags.allocate;
  const unit = budget?.unit ?? "params";
  const total = { params: summary.parameters, bytes: source.bytes ?? summary.bytes, macs: multiplyAdds.known?.total ?? 0, latency: measured?.total ?? 0 }[unit];
  const wish: Wish = budget === null ? { kind: "rule", rule } : budgetWish(budget, total, allocation, measured ?? null, sensitivity ?? null);
  const { layers, allocation: allocated } = propose(considered, wish, total, budgetWords(unit, total));
  return {
    schema: PLAN_SCHEMA, tool: { name: "ranklens", version },
    source: { file: basename(summary.path), format: summary.format, sha256, parameters: summary.parameters },
    choice: choiceWords(flags, measured !== undefined, sensitivity?.samples ?? null, allocated === null ? "" : closenessWords(allocation, allocated)),
    multiplyAdds: multiplyAdds.known === null ? null : plannedMultiplyAdds(multiplyAdds.known, layers),
    ...(wish.kind === "latency" ? { latency: plannedLatency(wish.measured, wish.budget.amount, budget?.isShare === true ? budget.figure : null, layers) } : {}),
    ...(calibration === null ? {} : { calibration: calibration.facts }),
    layers,
  };
}

/** @param samples that sensitivities were measured on; null where they were not @param closeness of the allocation to the best one */
function choiceWords({ ranks = DEFAULT_RANKS, budget, allocate, scheme }: FactorizeFlags, isTimed: boolean, samples: number | null, closeness: string): string {
  if (budget === undefined) return `ranks ${ranks}, scheme ${scheme}`;
  const measured = `${isTimed ? ", measured on this machine" : ""}${samples === null ? "" : `, measured on ${samples} samples`}`;
  return `budget ${budget} by ${allocate}, scheme ${scheme}${measured}${closeness === "" ? "" : `: ${closeness}`}`;
}

/** A model that does not run on random inputs is factorized all the same, unless the budget asks for what is then not known. @throws Fault, Cancelled */
async function countedMultiplyAdds({ source, model: { summary: { path, bytes } } }: FactorizeRequest, isNeeded: boolean, signal: AbortSignal): Promise<{ readonly known: MultiplyAdds | null }> {
  if (!isNeeded && source.activations !== undefined && bytes > MOST_RUN_UNASKED) return { known: null };
  try {
    return { known: await multiplyAddsApart(source, path, join(__dirname, "verify.js"), signal) };
  } catch (error) {
    if (isNeeded || !(error instanceof Fault)) throw error;
    return { known: null };
  }
}

/** Spectra of the analysis, from its cache where they are there. null: interrupted. */
async function knownSpectra({ model, options, flags }: FactorizeRequest): Promise<((name: string, unfolding: string, part: string | null) => Float64Array | null) | null> {
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
