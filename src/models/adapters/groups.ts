import type { Model, Tensor } from "../model";
import type { Parts } from "./composites";
import { factorName, type Part } from "./factorNames";

/** Tensors that belong to one adapter of one module. */
export interface FactorGroup {
  readonly module: string;
  readonly adapter: string | null;
  readonly parts: Parts;
}

/** Types of the factors that a format lists as skipped because they are small. */
const FLOATS = /^b?float/;

/** All tensors whose names are those of adapters' factors and whose values can be read, by module and adapter. */
export function groupFactors(model: Model): FactorGroup[] {
  const groups = new Map<string, FactorGroup & { readonly parts: Map<Part, Tensor> }>();
  const alphas = new Map<string, Tensor>();
  const add = (tensor: Tensor): void => {
    const found = factorName(tensor.name);
    if (found === null) return;
    const { module, adapter, part } = found;
    if (part === "alpha") {
      alphas.set(module, tensor);
      return;
    }
    const key = JSON.stringify([module, adapter]);
    const group = groups.get(key) ?? { module, adapter, parts: new Map<Part, Tensor>() };
    groups.set(key, group);
    // A second spelling of the same part is another tensor: it stays what it is.
    if (!group.parts.has(part)) group.parts.set(part, tensor);
  };
  for (const { tensor } of model.layers) add(tensor);
  for (const { name, shape, dtype } of model.skipped) {
    const isRead = model.reads?.(name) ?? false;
    if (isRead && (FLOATS.test(dtype) || shape.every((size) => size === 1))) add({ name, shape, dtype });
    else if (factorName(name)?.part === "magnitude") add({ name, shape, dtype });
  }
  for (const group of groups.values()) {
    const alpha = alphas.get(group.module);
    if (alpha !== undefined) group.parts.set("alpha", alpha);
  }
  return [...groups.values()];
}
