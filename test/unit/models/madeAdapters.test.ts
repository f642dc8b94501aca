import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readFactors } from "../../../src/engine/factored";
import { leavesOf } from "../../../src/linalg/composite";
import { exactSolver } from "../../../src/linalg/exactSolver";
import { openModel } from "../../../src/models/formats";
import { matrixSize } from "../../../src/models/gather";
import { measureComposite } from "../../../src/rank/measureComposite";
import { Fault } from "../../../src/shared/fault";
import { f32, file, files, stored } from "../safetensors/safetensorsFile";

/** Names of every spelling on two modules, so that many meet. */
const PARTS = [
  ".lora_A.weight", ".lora_B.weight", ".lora_A.default.weight", ".lora_B.default.weight", ".lora_E", ".lora_embedding_A", ".lora_embedding_B", ".lora_magnitude_vector", ".lora_down.weight", ".lora_up.weight",
  ".lora_mid.weight", ".alpha", ".dora_scale", ".lora.down.weight", ".lora.up.weight", "_lora.down.weight", "_lora.up.weight", ":up", ":down", ".hada_w1_a", ".hada_w1_b", ".hada_w2_a", ".hada_w2_b", ".hada_t1", ".hada_t2",
  ".lokr_w1", ".lokr_w2", ".lokr_w1_a", ".lokr_w1_b", ".lokr_w2_a", ".lokr_w2_b", ".lokr_t2", ".weight", "",
];
const name = fc.tuple(fc.constantFrom("m", "n"), fc.constantFrom(...PARTS)).map((parts) => parts.join(""));
/** Few sizes, so that factors often fit. */
const shape = fc.array(fc.constantFrom(0, 1, 2, 2, 2, 3, 4), { maxLength: 5 });
const tensor = fc.tuple(shape, fc.constantFrom("F32", "F32", "F32", "F16", "I64", "U8")).map(([sizes, dtype]) => {
  const count = sizes.reduce<number>((product, size) => product * size, 1);
  return dtype === "F32" ? f32(sizes) : stored(dtype, sizes, new Uint8Array(count * { F16: 2, I64: 8, U8: 1 }[dtype]!));
});
const fitting = fc.record({ a: fc.constantFrom(2, 3), r: fc.constantFrom(1, 2), b: fc.constantFrom(2, 4) }).map(({ a, r, b }): Record<string, ReturnType<typeof f32>> => ({
  "m.lora_down.weight": f32([r, b]), "m.lora_up.weight": f32([a, r]), "n.hada_w1_a": f32([a, r]), "n.hada_w1_b": f32([r, b]), "n.hada_w2_a": f32([a, r]), "n.hada_w2_b": f32([r, b]),
}));
const json = fc.oneof(fc.constant(undefined), fc.json(), fc.record({ r: fc.anything(), lora_alpha: fc.anything(), use_rslora: fc.anything(), alpha_pattern: fc.dictionary(fc.string(), fc.anything()) }).map((value) => JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? 1 : each))));

it("Any tensors of adapters' names open, or get a fault; each is listed or part of a layer, once, and every layer is measured", async () => {
  let joined = 0;
  await fc.assert(fc.asyncProperty(fc.tuple(fc.dictionary(name, tensor, { minKeys: 1, maxKeys: 14 }), fc.oneof(fc.constant({}), fitting)).map((parts) => ({ ...parts[0], ...parts[1] })), json, async (tensors, config) => {
    const base = files({ "adapter_model.safetensors": file(tensors), ...(config === undefined ? {} : { "adapter_config.json": config }) });
    const model = await openModel(join(base, "adapter_model.safetensors"), { smallestTensor: 1 }).catch((error: unknown) => {
      if (error instanceof Fault) return null;
      throw error;
    });
    if (model === null) return;
    const held = model.layers.flatMap(({ tensor: own, factored }) => (factored === undefined ? [own.name] : leavesOf(factored.composite).map((leaf) => leaf.tensor.name)));
    expect([...held, ...model.skipped.map((skipped) => skipped.name)].sort()).toEqual(Object.keys(tensors).sort());
    expect(new Set(model.layers.map(({ tensor: own }) => own.name)).size).toBe(model.layers.length);
    for (const { factored, views } of model.layers) {
      if (factored === undefined) continue;
      joined++;
      const composite = await readFactors(model, factored);
      const facts = { ...matrixSize(views[0]!), epsilon: 2 ** -23, recurrent: false, breakEvenRank: null };
      const measured = await measureComposite({ ...exactSolver, accuracyFor: () => 1e-12 }, composite, factored.scale, facts).catch((error: unknown) => error);
      // A scale of 1e300 is no defect of ours.
      if (measured instanceof Fault) expect(measured.code).toBe("not-finite");
      else expect(measured).toMatchObject({ measures: { exact: true } });
    }
  }), { seed: 11, numRuns: 3000 });
  expect(joined).toBeGreaterThan(1000);
}, 300_000);
