import type { Rung } from "./ladder";
import type { PlanLatency, PlanLayer } from "./plan";
import { risingCurve } from "./risingCurve";
import type { SchemeId } from "./scheme";

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

/** The whole model's time in milliseconds: the median that counts, and what four of five runs lay between. */
export interface WholeLatency {
  readonly ms: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
}

/** Measured times of a model as they cross processes. */
export interface ModelTimes {
  readonly whole: WholeLatency;
  readonly layers: readonly LayerTimes[];
  /** Candidates that do not run alone. */
  readonly unmeasured: readonly string[];
  /** Those that were measured, of the layers that they fit. */
  readonly schemes: readonly SchemeId[];
}

/** Times with those of further schemes, which are scaled to how fast the machine was at first: each measurement has the layers as they are. */
export function withSchemes(before: ModelTimes, more: ModelTimes): ModelTimes {
  const added = new Map(more.layers.map((layer) => [layer.name, layer]));
  const both = before.layers.filter(({ name }) => added.has(name));
  const sum = (layers: readonly LayerTimes[]): number => layers.reduce((all, { whole }) => all + whole, 0);
  const now = sum(both.map(({ name }) => added.get(name)!));
  const scale = now > 0 ? sum(both) / now : 1;
  const layers = before.layers.map((layer): LayerTimes => {
    const further = [...(added.get(layer.name)?.schemes ?? [])].map(([scheme, points]) => [scheme, points.map(({ parameters, ms }) => ({ parameters, ms: ms * scale }))] as const);
    return { ...layer, schemes: new Map([...layer.schemes, ...further]) };
  });
  return { ...before, layers, schemes: [...before.schemes, ...more.schemes] };
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
