import { execFileSync } from "node:child_process";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { Comparison, quantile } from "../../../src/verify/compare";
import { dataInputs } from "../../../src/verify/inputs";
import { numbersOf, tensorOf, type InputMeta } from "../../../src/verify/tensors";
import { folder } from "../support/folders";

/** What NumPy writes for arrays by their names. */
function npz(arrays: string): string {
  const path = join(folder(), "d.npz");
  execFileSync("/usr/bin/python3", ["-c", `import numpy as np; np.savez(${JSON.stringify(path)}, ${arrays})`]);
  return path;
}

const input = (name: string, shape: readonly (number | string)[], type: InputMeta["type"] = "float32"): InputMeta => ({ name, shape, type });
const dims = async (path: string, ...inputs: InputMeta[]): Promise<string[]> => (await dataInputs(ort, path, inputs)).batches.map((batch) => Object.values(batch).map((tensor) => tensor.dims.join("×")).join(" "));

describe("data in arrays", () => {
  it("goes as it is where it has the graph's shape: a recording beside the state of a recurrent layer, and a scalar", async () => {
    const inputs = [input("x", ["n", "samples"]), input("state", [2, "n", 8]), input("rate", [], "int64")];
    expect(await dims(npz("x=np.zeros((1, 512)), state=np.zeros((2, 1, 8)), rate=16000"), ...inputs)).toEqual(["1×512 2×1×8 "]);
  });

  it("is divided where the graph takes so many samples at once, and a state goes with every batch", async () => {
    const path = npz("x=np.arange(14).reshape(7, 2), state=np.zeros((2, 3)), y=np.zeros((7, 1))");
    expect(await dims(path, input("x", [3, 2]), input("state", [2, 3]), input("y", ["n", 1]))).toEqual(["3×2 2×3 3×1", "3×2 2×3 3×1"]);
    const { words, batches } = await dataInputs(ort, path, [input("x", [3, 2])]);
    expect(words).toBe(" without the last 1 sample, which fills no batch");
    expect([...batches[1]!["x"]!.data]).toEqual([6, 7, 8, 9, 10, 11]);
  });

  it("may be texts, for a model that takes sentences", async () => {
    const { batches } = await dataInputs(ort, npz("s=np.array([['low rank'], ['Größe 👍']])"), [input("s", ["n", 1], "string")]);
    expect(batches[0]!["s"]!.data).toEqual(["low rank", "Größe 👍"]);
  });

  it("that does not fit is told: text for numbers, parts for whole numbers, too few samples, a file of another kind", async () => {
    const ids = input("ids", ["n"], "int64");
    await expect(dataInputs(ort, npz("ids=np.array(['a'])"), [ids])).rejects.toThrow(/holds no array of numbers \(ids: text/);
    await expect(dataInputs(ort, npz("ids=np.array([1, np.nan])"), [ids])).rejects.toThrow(/ids holds numbers that are not whole/);
    await expect(dataInputs(ort, npz("x=np.zeros((2, 4))"), [input("x", [3, 4])])).rejects.toThrow(/has the shape \[2, 4\], where the model's input is \[3, 4\]/);
    await expect(dataInputs(ort, "/no/where.csv", [ids])).rejects.toThrow("where.csv is no data that a model can be run on.");
  });

  it("is given in the type that the graph says, float16 rounded as NumPy rounds it", () => {
    for (const type of ["float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"] as const) {
      expect(Array.from(numbersOf(tensorOf(ort, input("x", [2], type), [2], [1, 7]))!)).toEqual([1, 7]);
    }
    const half = tensorOf(ort, input("x", [3], "float16"), [3], [0.1, 65504, -2]);
    expect(Array.from(numbersOf(half)!)).toEqual([0.0999755859375, 65504, -2]);
  });
});

describe("outputs that are compared", () => {
  it("as labels have the share that is the same, by class", () => {
    const comparison = new Comparison();
    comparison.add("label", [4], [3, 3, 5, 5], [3, 4, 5, 5], "labels");
    expect(comparison.outputs[0]).toMatchObject({ topOneAgreement: 0.75, byClass: [{ index: 3, samples: 2, agreement: 0.5 }, { index: 5, samples: 2, agreement: 1 }] });
  });

  it("leave entries that are not finite out, and count those that differ", () => {
    const comparison = new Comparison();
    comparison.add("y", [5], [3, NaN, Infinity, 4, 1], [3, NaN, 1, 4, NaN]);
    expect(comparison.outputs[0]).toMatchObject({ relativeError: 0, cosine: 1, largestDifference: 0, notFinite: 2 });
  });

  it("have times at the quantiles of NumPy", () => {
    // numpy.quantile([4, 1, 3, 2, 10], [0.5, 0.9]) is 3, 7.6.
    expect(quantile([4, 1, 3, 2, 10], 0.5)).toBe(3);
    expect(quantile([4, 1, 3, 2, 10], 0.9)).toBeCloseTo(7.6, 12);
  });
});
