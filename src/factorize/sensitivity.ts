import type { Rung } from "./ladder";
import { risingCurve } from "./risingCurve";
import type { SchemeId } from "./scheme";

/** The squared relative error of a model's outputs where one layer alone is written in some way. */
export type LayerSensitivity = (rung: Pick<Rung, "scheme" | "error2">) => number;

/** What measuring a model on data told. */
export interface MeasuredSensitivity {
  readonly layers: ReadonlyMap<string, LayerSensitivity>;
  /** Samples that the model ran on. */
  readonly samples: number;
}

/** A rung that was measured: what the layer's weight loses, and what its outputs do or the model's, both squared and relative. */
export interface MeasuredRung {
  readonly error2: number;
  readonly outputError2: number;
}

/** Errors below it are rounding; it keeps their logarithms finite. */
const SMALLEST = 1e-20;

/** @param measured by scheme; one that is missing is never chosen */
export function sensitivityFrom(measured: ReadonlyMap<SchemeId, readonly MeasuredRung[]>): LayerSensitivity {
  const curves = new Map([...measured].filter(([, rungs]) => rungs.length > 0).map(([scheme, rungs]) => [scheme, outputErrorCurve(rungs)]));
  return ({ scheme, error2 }) => (scheme === null ? 0 : (curves.get(scheme)?.(error2) ?? Infinity));
}

/**
 * Between measured rungs the error of outputs follows that of the weight, which every rung has: a straight line in logarithms,
 * never falling where more of the weight is lost. Beyond them it is in proportion.
 * @param rungs at least one
 */
export function outputErrorCurve(rungs: readonly MeasuredRung[]): (error2: number) => number {
  const points = rungs.map(({ error2, outputError2 }) => ({ x: logarithm(error2), y: logarithm(outputError2) }));
  const curve = risingCurve(points);
  const [least, most] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  return (error2) => {
    const x = logarithm(error2);
    const inside = Math.min(most, Math.max(least, x));
    return Math.exp(curve(inside) + x - inside);
  };
}

function logarithm(error2: number): number {
  return Math.log(Math.max(SMALLEST, error2));
}
