import { Fault } from "../shared/fault";
import type { Layer, Model } from "../models/model";
import { baseLayerFinder } from "./adapterBase";
import type { Comparison } from "./comparison";

/** Layers of two models that belong together. */
export interface Pairing extends Pick<Comparison, "adapter" | "onlyInA" | "onlyInB" | "shapesDiffer" | "untouched" | "failed"> {
  /** Layers of one name and shape; an adapter with the layer that it changes, where that is found. */
  readonly pairs: readonly { readonly base: Layer | null; readonly other: Layer }[];
}

type Compared = Pick<Model, "layers" | "skipped">;

/**
 * Pairs layers by their tensors' names; adapters by the module that they are for.
 * @throws Fault usage when both models hold adapters, or the first alone
 */
export function pairLayers(base: Compared, other: Compared): Pairing {
  const isAdapter = ({ factored }: Layer): boolean => factored !== undefined;
  if (base.layers.some(isAdapter)) throw new Fault("usage", "The first of the two models holds adapters, which are compared with nothing.", "Name the base model first, then the adapter.");
  return other.layers.some(isAdapter) ? pairAdapters(base, other) : pairModels(base, other);
}

function pairModels(base: Compared, other: Compared): Pairing {
  const ofBase = new Map(base.layers.map((layer) => [layer.tensor.name, layer]));
  const ofOther = new Map(other.layers.map((layer) => [layer.tensor.name, layer]));
  const skipped = new Map([...base.skipped, ...other.skipped].map(({ name, reason }) => [name, reason]));
  const both = [...ofOther.values()].flatMap((layer) => {
    const own = ofBase.get(layer.tensor.name);
    return own === undefined ? [] : [{ base: own, other: layer }];
  });
  const lone = (layers: Iterable<Layer>, elsewhere: ReadonlyMap<string, Layer>): Layer[] => [...layers].filter(({ tensor }) => !elsewhere.has(tensor.name));
  const alone = { a: lone(ofBase.values(), ofOther), b: lone(ofOther.values(), ofBase) };
  const listed = (layers: readonly Layer[]): { name: string; shape: readonly number[] }[] => layers.filter(({ tensor }) => !skipped.has(tensor.name)).map(({ tensor: { name, shape } }) => ({ name, shape }));
  return {
    adapter: false, untouched: 0,
    pairs: both.filter((pair) => sameShape(pair.base, pair.other)),
    shapesDiffer: both.filter((pair) => !sameShape(pair.base, pair.other)).map((pair) => ({ name: pair.other.tensor.name, shapes: [pair.base.tensor.shape, pair.other.tensor.shape] })),
    onlyInA: listed(alone.a), onlyInB: listed(alone.b),
    failed: [...alone.a, ...alone.b].flatMap(({ tensor: { name } }) => {
      const reason = skipped.get(name);
      return reason === undefined ? [] : [{ name, reason: `in one of the two it is no layer: ${reason}` }];
    }),
  };
}

function pairAdapters(base: Compared, other: Compared): Pairing {
  const find = baseLayerFinder(base.layers);
  const found = other.layers.filter(({ factored }) => factored !== undefined).map((layer) => ({ base: find(layer.tensor.name), other: layer }));
  const fits = ({ base: own, other: { tensor } }: (typeof found)[number]): boolean => own === null || size(own) === tensor.shape.reduce((product, each) => product * each, 1);
  const changed = new Set(found.map(({ base: own }) => own));
  return {
    adapter: true,
    pairs: found.map((pair) => (fits(pair) ? pair : { ...pair, base: null })),
    shapesDiffer: found.filter((pair) => !fits(pair)).map((pair) => ({ name: pair.other.tensor.name, shapes: [pair.base?.tensor.shape ?? [], pair.other.tensor.shape] })),
    onlyInA: [], onlyInB: found.filter(({ base: own }) => own === null).map(({ other: { tensor: { name, shape } } }) => ({ name, shape })),
    untouched: base.layers.filter((layer) => !changed.has(layer)).length,
    failed: other.layers.filter(({ factored }) => factored === undefined).map(({ tensor: { name } }) => ({ name, reason: "stored whole beside the adapters: compare it as a model of its own" })),
  };
}

const size = ({ tensor }: Layer): number => tensor.shape.reduce((product, each) => product * each, 1);

function sameShape(a: Layer, b: Layer): boolean {
  return a.tensor.shape.length === b.tensor.shape.length && a.tensor.shape.every((side, index) => side === b.tensor.shape[index]);
}
