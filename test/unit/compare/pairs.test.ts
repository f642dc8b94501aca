import { describe, expect, it } from "vitest";
import { adapterModule, baseLayerFinder } from "../../../src/compare/adapterBase";
import { rankForMost } from "../../../src/compare/comparison";
import { pairLayers } from "../../../src/compare/pairs";
import type { Layer } from "../../../src/models/model";

const layer = (name: string, ...shape: number[]): Layer => ({ tensor: { name, dtype: "float32", shape }, kind: "linear", views: [], block: null, module: "", notes: [] });
const adapter = (name: string, ...shape: number[]): Layer => ({ ...layer(name, ...shape), kind: "adapter", factored: { composite: { op: "identity", size: 1 }, scale: 1 } });
const model = (...layers: Layer[]) => ({ layers, skipped: [] });

describe("layers of two models", () => {
  it("belong together by name and shape, and what does not is listed", () => {
    const { pairs, onlyInA, onlyInB, shapesDiffer, adapter: isAdapter } = pairLayers(model(layer("a", 4, 4), layer("b", 4, 2), layer("old", 3, 3)), model(layer("b", 2, 4), layer("a", 4, 4), layer("new", 5, 5)));
    expect(pairs.map(({ base, other }) => [base?.tensor.name, other.tensor.name])).toEqual([["a", "a"]]);
    expect(shapesDiffer).toEqual([{ name: "b", shapes: [[4, 2], [2, 4]] }]);
    expect([onlyInA, onlyInB]).toEqual([[{ name: "old", shape: [3, 3] }], [{ name: "new", shape: [5, 5] }]]);
    expect(isAdapter).toBe(false);
  });

  it("that one of the two does not read are told with its reason", () => {
    const { failed, onlyInA } = pairLayers(model(layer("a", 4, 4)), { layers: [], skipped: [{ name: "a", shape: [4, 4], dtype: "string", reason: "no numbers" }] });
    expect(failed).toEqual([{ name: "a", reason: "in one of the two it is no layer: no numbers" }]);
    expect(onlyInA).toEqual([]);
  });

  it("of an adapter are those of the modules that it is for", () => {
    const base = model(layer("model.layers.0.q_proj.weight", 4, 4), layer("model.layers.0.k_proj.weight", 4, 4));
    const { pairs, untouched, onlyInB } = pairLayers(base, model(adapter("base_model.model.model.layers.0.q_proj", 4, 4), adapter("base_model.model.elsewhere", 4, 4)));
    expect(pairs.map(({ base: own }) => own?.tensor.name)).toEqual(["model.layers.0.q_proj.weight", undefined]);
    expect(untouched).toBe(1);
    expect(onlyInB.map(({ name }) => name)).toEqual(["base_model.model.elsewhere"]);
  });

  it("cannot be compared with those of an adapter that comes first", () => {
    expect(() => pairLayers(model(adapter("q", 4, 4)), model(layer("q.weight", 4, 4)))).toThrow("The first of the two models holds adapters");
  });
});

describe("the layer that an adapter changes", () => {
  const find = baseLayerFinder([layer("transformer.h.0.attn.weight", 2, 2), layer("transformer.h.1.attn.weight", 2, 2)]);
  it("is found with a prefix more or less", () => {
    expect(find("h.1.attn")?.tensor.name).toBe("transformer.h.1.attn.weight");
    expect(find("base_model.model.wrapped.transformer.h.0.attn (second)")?.tensor.name).toBe("transformer.h.0.attn.weight");
  });
  it("is none where two could be meant", () => expect(find("attn")).toBeNull());
  it("is named without what PEFT writes before it", () => expect(adapterModule("base_model.model.h.0.attn")).toBe("h.0.attn"));
});

describe("the rank for most layers", () => {
  it("keeps 90 % of the energy in 90 % of them", () => {
    expect(rankForMost([3, 1, 2, 5, 4, 6, 7, 8, 9, 100])).toBe(9);
    expect(rankForMost([7])).toBe(7);
    expect(rankForMost([])).toBe(0);
  });
});
