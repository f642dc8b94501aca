import type { Model, Tensor } from "../model";
import type { Parts } from "./composites";
import { factorName, type Part } from "./factorNames";
import { pairsOfList } from "./pairList";

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
  const groups = new Groups();
  for (const { tensor } of model.layers) groups.add(tensor);
  for (const { name, shape, dtype } of model.skipped) {
    const isRead = model.reads?.(name) ?? false;
    const isNumber = shape.every((size) => size === 1);
    if ((isRead && (FLOATS.test(dtype) || isNumber)) || factorName(name)?.part === "magnitude") groups.add({ name, shape, dtype });
  }
  if (model.skipped.length > 0) return groups.all();
  const listed = pairsOfList(model.layers.map(({ tensor }) => tensor));
  return [...groups.all(), ...listed.map(({ module, up, down }) => ({ module, adapter: null, parts: new Map<Part, Tensor>([["up", up], ["down", down]]) }))];
}

class Groups {
  private readonly byKey = new Map<string, FactorGroup & { readonly parts: Map<Part, Tensor> }>();
  private readonly alphas = new Map<string, Tensor>();

  add(tensor: Tensor): void {
    const found = factorName(tensor.name);
    if (found === null) return;
    const { module, adapter, part } = found;
    if (part === "alpha") {
      this.alphas.set(module, tensor);
      return;
    }
    const key = JSON.stringify([module, adapter]);
    const group = this.byKey.get(key) ?? { module, adapter, parts: new Map<Part, Tensor>() };
    this.byKey.set(key, group);
    // A second spelling of the same part is another tensor: it stays what it is.
    if (!group.parts.has(part)) group.parts.set(part, tensor);
  }

  /** Alphas are of all adapters of their module. */
  all(): FactorGroup[] {
    for (const { module, parts } of this.byKey.values()) {
      const alpha = this.alphas.get(module);
      if (alpha !== undefined) parts.set("alpha", alpha);
    }
    return [...this.byKey.values()];
  }
}
