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

/**
 * Finds the layer of a base model that an adapter changes: by the module's whole path, else by the one layer whose path
 * ends it or is ended by it, as models gain and lose prefixes.
 */
export function baseLayerFinder(layers: readonly Layer[]): (adapter: string) => Layer | null {
  const byModule = new Map(layers.map((layer) => [layer.tensor.name.replace(WEIGHT, ""), layer]));
  // The last step of a path is what no prefix changes.
  const byEnd = new Map<string, string[]>();
  for (const module of byModule.keys()) byEnd.set(endOf(module), [...(byEnd.get(endOf(module)) ?? []), module]);
  return (adapter) => {
    const wanted = adapterModule(adapter);
    const whole = byModule.get(wanted);
    if (whole !== undefined) return whole;
    const close = (byEnd.get(endOf(wanted)) ?? []).filter((module) => module.endsWith(`.${wanted}`) || wanted.endsWith(`.${module}`));
    return close.length === 1 ? (byModule.get(close[0]!) ?? null) : null;
  };
}

const endOf = (module: string): string => module.slice(module.lastIndexOf(".") + 1);
