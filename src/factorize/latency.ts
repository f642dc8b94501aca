import type { Rung } from "./ladder";
import type { PlanLatency, PlanLayer } from "./plan";
import { risingCurve } from "./risingCurve";

/** Ranks of each scheme that are measured: those between follow from them. */
const SAMPLES = 4;

/** Of a layer written in some way, in milliseconds. */
export type LayerLatency = (rung: Pick<Rung, "scheme" | "parameters">) => number;

/** What measuring a model told. */
export interface MeasuredLatency {
  /** Of the whole model, in milliseconds. What its layers do not explain stays as it is. */
  readonly total: number;
  /** By layer. */
  readonly layers: ReadonlyMap<string, LayerLatency>;
  /** Candidates that do not run alone. */
  readonly unmeasured: readonly string[];
}

/** Rungs that are measured: the first, the last, and between them in equal ratios of parameters. @param ladder smallest first */
export function sampled<R extends Pick<Rung, "parameters">>(ladder: readonly R[]): readonly R[] {
  const first = ladder[0], last = ladder.at(-1);
  if (first === undefined || last === undefined) return [];
  const wanted = Array.from({ length: SAMPLES }, (_, index) => first.parameters * (last.parameters / first.parameters) ** (index / (SAMPLES - 1)));
  const distance = (rung: R, parameters: number): number => Math.abs(rung.parameters - parameters);
  return [...new Set(wanted.map((parameters) => ladder.reduce((best, rung) => (distance(rung, parameters) < distance(best, parameters) ? rung : best))))];
}

/** A point of a curve: parameters, which rise with the ranks, and milliseconds. */
export interface Point {
  readonly parameters: number;
  readonly ms: number;
}

/** The curve through measured points, which never falls. @param points at least one @see risingCurve */
export function curveThrough(points: readonly Point[]): (parameters: number) => number {
  return risingCurve(points.map(({ parameters, ms }) => ({ x: parameters, y: ms })));
}

/** Measured times of a layer: as it is, and of each scheme at some ranks. */
export interface LayerTimes {
  readonly name: string;
  readonly whole: number;
  readonly schemes: ReadonlyMap<Rung["scheme"], readonly Point[]>;
}

/** Alone, layers may take longer than together, where the runtime fuses them: then all count for less, so that they sum to the model's. */
export function latencyOf(total: number, times: readonly LayerTimes[], unmeasured: readonly string[]): MeasuredLatency {
  const sum = times.reduce((all, { whole }) => all + whole, 0);
  const share = sum > total ? total / sum : 1;
  const layers = new Map(times.map(({ name, whole, schemes }): [string, LayerLatency] => {
    const curves = new Map([...schemes].map(([scheme, points]) => [scheme, curveThrough(points)]));
    // A scheme that does not run alone gains nothing that is known.
    return [name, ({ scheme, parameters }) => share * (curves.get(scheme)?.(parameters) ?? whole)];
  }));
  return { total, layers, unmeasured };
}

/**
 * What a plan makes of it, as the plan says it: what is expected of layers that were measured alone.
 * @param share of the model's own latency, where that was the budget
 */
export function plannedLatency({ total, layers, unmeasured }: MeasuredLatency, budget: number, share: number | null, planned: readonly PlanLayer[]): PlanLatency {
  const expected = planned.reduce((sum, { name, scheme, parametersBefore, parametersAfter }) => {
    const own = layers.get(name);
    return own === undefined ? sum : sum + own({ scheme, parameters: parametersAfter }) - own({ scheme: null, parameters: parametersBefore });
  }, total);
  return { beforeMs: rounded(total), budgetMs: rounded(budget), budgetShare: share, expectedMs: rounded(expected), unmeasured };
}

function rounded(ms: number): number {
  return Number(ms.toPrecision(4));
}
