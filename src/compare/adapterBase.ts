import type { Layer } from "../models/model";

/** What PEFT writes before the path of a module. */
const WRAPPER = /^base_model\.model\./;
/** More than one adapter in a file: "q_proj (second)". */
const ADAPTER = / \([^()]*\)$/;
const WEIGHT = /\.weight$/;

/** The path of the module that an adapter's layer is for, as the base model writes it. */
export function adapterModule(name: string): string {
  return name.replace(ADAPTER, "").replace(WRAPPER, "");
}

/** Finds the layer of a base model that an adapter changes, by `pathFinder`. */
export function baseLayerFinder(layers: readonly Layer[]): (adapter: string) => Layer | null {
  const byModule = new Map(layers.map((layer) => [moduleOf(layer.tensor.name), layer]));
  const find = pathFinder([...byModule.keys()]);
  return (adapter) => byModule.get(find(adapterModule(adapter)) ?? "") ?? null;
}

/** The path of the module that a weight belongs to. */
export function moduleOf(tensor: string): string {
  return tensor.replace(WEIGHT, "");
}

/** Finds a path among others: itself, else the only one that ends it or is ended by it, as models gain and lose prefixes. */
export function pathFinder(paths: readonly string[]): (wanted: string) => string | null {
  const all = new Set(paths);
  // The last step of a path is what no prefix changes.
  const byEnd = new Map<string, string[]>();
  for (const path of all) {
    const same = byEnd.get(endOf(path));
    if (same === undefined) byEnd.set(endOf(path), [path]);
    else same.push(path);
  }
  return (wanted) => {
    if (all.has(wanted)) return wanted;
    const close = (byEnd.get(endOf(wanted)) ?? []).filter((path) => path.endsWith(`.${wanted}`) || wanted.endsWith(`.${path}`));
    return close.length === 1 ? close[0]! : null;
  };
}

const endOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
