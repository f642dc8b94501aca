import { join } from "node:path";
import { latencyApart } from "../engine/latencyApart";
import { millisecondsText } from "../shared/figures";
import type { Considered } from "../factorize/candidates";
import type { MeasuredLatency } from "../factorize/latency";
import type { PlanLatency } from "../factorize/plan";
import type { Source } from "../factorize/source";
import type { Verification } from "../verify/verification";
import { withProgressBar } from "./progressBar";

/** Measures for a budget in latency, with a bar on a terminal. @throws Fault, Cancelled */
export function measureLatency(considered: readonly Considered[], source: Source, path: string, signal: AbortSignal): Promise<MeasuredLatency> {
  return withProgressBar((bar) => latencyApart(considered, source, path, join(__dirname, "verify.js"), signal, (done, total, layer) => bar.showLayer(done, total, layer)));
}

/** What is expected is the sum of layers measured alone: it is not called faster. */
export function latencyLine({ beforeMs, budgetMs, expectedMs, unmeasured }: PlanLatency): string {
  const left = unmeasured.length === 0 ? "" : `, without ${unmeasured.length} ${unmeasured.length === 1 ? "layer that" : "layers that"} could not be measured alone`;
  return `${millisecondsText(beforeMs)} measured, ${millisecondsText(expectedMs)} expected from layers measured alone, under a budget of ${millisecondsText(budgetMs)}${left}`;
}

/** Whether the written model keeps the budget: a share is one of what the original takes beside it. */
export function keptLine({ budgetMs, budgetShare }: PlanLatency, { original, candidate }: Verification["latency"]): string {
  const allowed = budgetShare === null ? budgetMs : budgetShare * original.medianMs;
  const words = `the written model takes ${millisecondsText(candidate.medianMs)}, the budget allows ${millisecondsText(allowed)}`;
  return candidate.medianMs <= allowed ? `Latency budget met: ${words}.` : `Latency budget NOT met: ${words}. Layers measured alone do not tell all of it: ask for less.`;
}
