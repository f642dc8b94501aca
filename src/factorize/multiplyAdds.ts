import type { Taken } from "../calibrate/taken";
import type { Write } from "./atomic";
import type { MicroModel } from "./micro";
import type { PlanLayer, PlanMultiplyAdds } from "./plan";
import { multiplyAddsOf, ONE_POSITION, wholeStep, type Positions, type Step } from "./scheme";
import { isTarget, type Source } from "./source";
import type { Target } from "./target";

/** A value of the graph that a layer is applied to, and how. */
export interface LayerInput {
  readonly value: string;
  readonly taken: Taken;
}

/** What one run of a graph showed: the shapes of values by their names, and of nodes of subgraphs every time that each ran. */
export interface Observed {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly runs: ReadonlyMap<string, readonly { readonly inputs: readonly (readonly number[])[]; readonly outputs: readonly (readonly number[])[] }[]>;
}

/** How a graph tells the sizes of its activations: it is run once with more outputs than it has. */
export interface ActivationProbe {
  /** Every layer that multiplies by its weight and whose sizes the graph can tell: those that have no factors too. */
  readonly layers: readonly Target[];
  /** Layers that multiply in a way that is not counted. */
  readonly uncounted: readonly string[];
  /** Values whose shapes are needed. */
  readonly values: readonly string[];
  /** What layers take their inputs from, one for each use; a layer that looks rows up takes none, nor one inside of a branch or a loop. */
  readonly taken: ReadonlyMap<string, readonly LayerInput[]>;
  /** Nodes inside of branches and loops, by the names that they have in what `write` writes. */
  readonly nodes: readonly string[];
  /** Writes the model with these values as outputs, and `nodes` named so. */
  write(values: readonly string[], write: Write): Promise<void>;
  /** Files beside the model that hold values: the path that the model knows each by, and its own. */
  data(): Promise<readonly { readonly location: string; readonly path: string }[]>;
  /** @returns for each layer of `layers` that was seen, where it is applied */
  positions(observed: Observed): ReadonlyMap<string, Positions>;
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

/** For formats without a graph: every layer at one position, a token or a pixel of its output. */
export function perPosition({ targets: all, tiedHead }: Pick<Source, "targets" | "tiedHead">): MultiplyAdds {
  const targets = all.filter(isTarget);
  const found = counted(targets, new Map(targets.map(({ name }) => [name, ONE_POSITION])), "one position of each layer", []);
  return tiedHead === undefined ? found : { ...found, total: found.total + tiedHead, per: `${found.per}, and of the head that shares the embedding` };
}

/** @param per what was run, in words */
export function perRun(probe: ActivationProbe, observed: Observed, per: string): MultiplyAdds {
  const positions = probe.positions(observed);
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
