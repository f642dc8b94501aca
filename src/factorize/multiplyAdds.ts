import type { Taken } from "../calibrate/taken";
import type { Write } from "./atomic";
import type { MicroModel } from "./micro";
import type { PlanLayer, PlanMultiplyAdds } from "./plan";
import { multiplyAddsOf, wholeStep, type Positions, type Step } from "./scheme";
import { isTarget, type Source } from "./source";
import type { Target } from "./target";

/** A value of the graph that a layer is applied to, and how. */
export interface LayerInput {
  readonly value: string;
  readonly taken: Taken;
}

/** How a graph tells the sizes of its activations: it is run once with more outputs than it has. */
export interface ActivationProbe {
  /** Every layer that multiplies by its weight and whose sizes the graph can tell: those that have no factors too. */
  readonly layers: readonly Target[];
  /** Layers that multiply in a way that is not counted: recurrent ones, those inside subgraphs. */
  readonly uncounted: readonly string[];
  /** Values whose shapes are needed. */
  readonly values: readonly string[];
  /** What layers take their inputs from, one for each use; a layer that looks rows up takes none. */
  readonly taken: ReadonlyMap<string, readonly LayerInput[]>;
  /** Writes the model with these values as outputs. */
  write(values: readonly string[], write: Write): Promise<void>;
  /** Files beside the model that hold values: the path that the model knows each by, and its own. */
  data(): Promise<readonly { readonly location: string; readonly path: string }[]>;
  /** @returns for each layer of `layers` whose shapes are there, where it is applied */
  positions(shapes: ReadonlyMap<string, readonly number[]>): ReadonlyMap<string, Positions>;
  /** Models of one layer alone, one for each use. @param steps null: as it is @returns null where they cannot be made */
  micro(name: string, steps: readonly Step[] | null, shapes: ReadonlyMap<string, readonly number[]>): Promise<readonly MicroModel[] | null>;
}

/** Multiply-adds of a model, as far as they are known. */
export interface MultiplyAdds {
  /** Of all layers that are counted, as they are. */
  readonly total: number;
  /** Where each layer is applied; a layer that is missing is not counted. */
  readonly positions: ReadonlyMap<string, Positions>;
  /** What is counted: one run on inputs of these shapes, or one position of each layer where the format has no graph. */
  readonly per: string;
  readonly uncounted: readonly string[];
}

const ONE_POSITION: Positions = { before: [], after: [] };

/** For formats without a graph: every layer at one position, a token or a pixel of its output. */
export function perPosition(source: Pick<Source, "targets">): MultiplyAdds {
  const targets = source.targets.filter(isTarget);
  return counted(targets, new Map(targets.map(({ name }) => [name, ONE_POSITION])), "one position of each layer", []);
}

/** @param per what was run, in words */
export function perRun(probe: ActivationProbe, shapes: ReadonlyMap<string, readonly number[]>, per: string): MultiplyAdds {
  const positions = probe.positions(shapes);
  const missing = probe.layers.flatMap(({ name }) => (positions.has(name) ? [] : [name]));
  return counted(probe.layers, positions, per, [...probe.uncounted, ...missing]);
}

/** What a plan makes of them, as the plan says it. */
export function plannedMultiplyAdds({ total, per, uncounted }: MultiplyAdds, layers: readonly PlanLayer[]): PlanMultiplyAdds {
  const after = layers.reduce((sum, { multiplyAddsBefore = 0, multiplyAddsAfter = 0 }) => sum + multiplyAddsAfter - multiplyAddsBefore, total);
  return { before: total, after, per, uncounted };
}

function counted(layers: readonly Target[], positions: ReadonlyMap<string, Positions>, per: string, uncounted: readonly string[]): MultiplyAdds {
  const total = layers.reduce((sum, target) => {
    const own = positions.get(target.name);
    return own === undefined ? sum : sum + multiplyAddsOf([wholeStep(target)], own);
  }, 0);
  return { total, positions, per, uncounted };
}
