import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareWeights } from "../../../src/verify/weights";
import { diagonal, noise, writeModel } from "../../engine/support/modelFiles";
import { writeFactored } from "../factorize/support/writeFactored";
import { folder } from "../support/folders";

/** The relative error of 2,048 samples is that of the norms but for some percent. */
const SAMPLING = 0.03;
const one = (): number => 1;
const compared = (original: string, candidate: string) => compareWeights({ original, candidate, data: null });

describe("layers of a written model without a graph", () => {
  const at = folder();
  // Cut to rank 1, diag(3, 2, 1) loses 2² + 1² of 14.
  const original = writeModel(at, "model.safetensors", { "a.weight": diagonal(3, 2, 1), "b.weight": noise(4, 30, 20), "conv.weight": noise(5, 6, 4, 3, 3), "up.weight": noise(6, 4, 6, 3, 3), "embed_tokens.weight": noise(7, 40, 8) });

  it("have the error that the singular values say, as far as sampling goes", async () => {
    const output = join(at, "small.safetensors");
    await writeFactored(original, output, "channel", "factored", one);
    const { layers, inputs } = await compared(original, output);
    expect(inputs).toContain("seeded Gaussian inputs");
    const found = layers.find(({ name }) => name === "a.weight")!.relativeError;
    expect(Math.abs(found / Math.sqrt(5 / 14) - 1)).toBeLessThan(SAMPLING);
  });

  it.each(["channel", "spatial", "tucker2"] as const)("have one error, by %s, as factors and multiplied out again, and none at full rank", async (scheme) => {
    const [factored, whole, full] = ["f", "w", "full"].map((name) => join(at, `${scheme}-${name}.safetensors`)) as [string, string, string];
    await writeFactored(original, factored, scheme, "factored", one);
    await writeFactored(original, whole, scheme, "reconstructed", one);
    await writeFactored(original, full, scheme);
    const [a, b, c] = [await compared(original, factored), await compared(original, whole), await compared(original, full)];
    expect(a.layers.map(({ name }) => name)).toEqual(b.layers.map(({ name }) => name));
    a.layers.forEach(({ relativeError }, index) => expect(relativeError / b.layers[index]!.relativeError).toBeCloseTo(1, 4));
    expect(Math.max(...c.layers.map(({ relativeError }) => relativeError))).toBeLessThan(1e-5);
    expect(a.layers).toHaveLength(5);
  });

  it("of an LSTM or GRU are found by their own names", async () => {
    const recurrent = writeModel(at, "recurrent.safetensors", { "lstm.weight_ih_l0": noise(8, 24, 12), "lstm.weight_hh_l0": noise(9, 24, 6), "cell.weight_ih": noise(10, 18, 12), "cell.weight_hh": noise(11, 18, 6) });
    const [cut, whole] = ["recurrent-cut", "recurrent-whole"].map((name) => join(at, `${name}.safetensors`)) as [string, string];
    await writeFactored(recurrent, cut, "svd", "factored", one);
    await writeFactored(recurrent, whole, "svd", "reconstructed", one);
    const [a, b] = [await compared(recurrent, cut), await compared(recurrent, whole)];
    expect(a.layers.map(({ name }) => name)).toEqual(["lstm.weight_ih_l0", "lstm.weight_hh_l0", "cell.weight_ih", "cell.weight_hh"]);
    a.layers.forEach(({ relativeError }, index) => expect(relativeError / b.layers[index]!.relativeError).toBeCloseTo(1, 4));
  });

  it("are the original again where a base and its adapter are added", async () => {
    const output = join(at, "base.safetensors");
    await writeFactored(original, output, "channel", "adapter", one);
    const { layers } = await compared(original, output);
    expect(Math.max(...layers.map(({ relativeError }) => relativeError))).toBeLessThan(1e-6);
  });

  it("of the same model do not differ, and those of another are a fault that names the first", async () => {
    expect((await compared(original, original)).layers).toEqual([]);
    const other = writeModel(at, "other.safetensors", { "a.weight": noise(1, 5, 5) });
    await expect(compared(original, other)).rejects.toThrow(/other\.safetensors has no layer a\.weight of the shape \[3, 3\]/);
  });
});
