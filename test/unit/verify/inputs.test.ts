import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { dataInputs } from "../../../src/verify/inputs";
import { seededInputs } from "../../../src/verify/seeded";
import { sideBySide } from "../../../src/verify/sideBySide";
import type { InputMeta } from "../../../src/verify/tensors";
import { convolutionModel } from "../factorize/support/runnable";
import { int64Tensor, tensor } from "../onnx/onnxFile";
import { folder } from "../support/folders";

const shapesOf = (inputs: readonly InputMeta[]): string[] => [...seededInputs(ort, inputs)].map(({ batches }) => Object.values(batches[0]!).map(({ dims }) => dims.join("×")).join(" "));

describe("seeded inputs", () => {
  it("are the same at every call, and of the graph's own shape where it has one", () => {
    const inputs: InputMeta[] = [{ name: "x", type: "float32", shape: [2, 3] }];
    const [first, second] = [[...seededInputs(ort, inputs)], [...seededInputs(ort, inputs)]];
    expect(first).toHaveLength(1);
    expect(first[0]!.words).toBe("");
    expect(first[0]!.batches[0]!["x"]!.data).toEqual(second[0]!.batches[0]!["x"]!.data);
    expect(new Set(first[0]!.batches.map(({ x }) => x!.data[0]))).toHaveProperty("size", 4);
  });

  it("give axes of one name one length, and first axes one sample", () => {
    const shapes = shapesOf([{ name: "x", type: "float32", shape: ["batch", "samples"] }, { name: "state", type: "float32", shape: [2, "batch", 8] }]);
    expect(shapes.slice(0, 2)).toEqual(["1×16 2×1×8", "1×32 2×1×8"]);
  });

  it("try an inner axis without a name as a length and as one sample", () => {
    const shapes = shapesOf([{ name: "x", type: "float32", shape: ["", ""] }, { name: "state", type: "float32", shape: [2, "", 8] }]);
    expect(shapes.slice(0, 3)).toEqual(["1×16 2×16×8", "1×16 2×1×8", "1×32 2×32×8"]);
  });

  it("try integers that point to no more than two things, and no input that is too large", () => {
    const trials = [...seededInputs(ort, [{ name: "ids", type: "int64", shape: [1, "n"] }])];
    expect(Math.max(...trials.at(-1)!.batches.flatMap(({ ids }) => [...ids!.data].map(Number)))).toBe(1);
    expect(shapesOf([{ name: "x", type: "float32", shape: ["n", 3, "", ""] }]).at(-1)).toBe("1×3×1024×1024");
  });

  it("are as long as the model needs: a kernel of 200 positions runs on no less, and the answer says so", async () => {
    const { path } = convolutionModel({ opType: "Conv", channels: [2, 3], kernel: [200] });
    const { inputs, outputs } = await sideBySide({ original: path, candidate: path, data: null });
    expect(inputs).toBe("seeded random inputs of the graph's shapes, open axes of length 256");
    expect(outputs[0]).toMatchObject({ relativeError: 0, cosine: 1 });
  });

  it("that no length makes run are a fault with what the model said of the first", async () => {
    const { path } = convolutionModel({ opType: "Conv", channels: [2, 3], kernel: [20_000] });
    await expect(sideBySide({ original: path, candidate: path, data: null })).rejects.toThrow(/does not run on random inputs: /);
  });
});

describe("ONNX test data", () => {
  const two: InputMeta[] = [{ name: "x", type: "float32", shape: ["n", 2] }, { name: "ids", type: "int64", shape: [3] }];
  const set = (at: string, ...protos: readonly Buffer[]): string => {
    mkdirSync(at, { recursive: true });
    protos.forEach((proto, index) => writeFileSync(join(at, `input_${index}.pb`), proto));
    writeFileSync(join(at, "output_0.pb"), "never read");
    return at;
  };
  const x = (name: string, first: number): Buffer => tensor(name, [1, 2], [first, 2]);

  it("is one batch for each data set, in the order of their numbers", async () => {
    const at = folder();
    for (const number of [10, 2]) set(join(at, `test_data_set_${number}`), x("x", number), int64Tensor("ids", [5, 6, 7]));
    const { batches } = await dataInputs(ort, at, two);
    expect(batches.map((batch) => [...batch["x"]!.data])).toEqual([[2, 2], [10, 2]]);
    expect([...batches[0]!["ids"]!.data]).toEqual([5n, 6n, 7n]);
  });

  it("goes by names where they are the inputs', and by the order of files where they are not", async () => {
    const named = set(folder(), int64Tensor("ids", [1, 2, 3]), x("x", 4));
    const nameless = set(folder(), x("", 4), int64Tensor("", [1, 2, 3]));
    for (const at of [named, join(nameless, "input_0.pb")]) expect([...(await dataInputs(ort, at, two)).batches[0]!["x"]!.data]).toEqual([4, 2]);
  });

  it("that does not fit is a fault that says which tensor, and what the model wants", async () => {
    const wide = set(folder(), tensor("x", [1, 3], [1, 2, 3]), int64Tensor("ids", [1, 2, 3]));
    await expect(dataInputs(ort, wide, two)).rejects.toThrow(/Tensor x of .* has the shape \[1, 3\], where the model's input is \[n, 2\]/);
    await expect(dataInputs(ort, set(folder(), x("x", 1)), two)).rejects.toThrow(/there is none for ids/);
    await expect(dataInputs(ort, folder(), two)).rejects.toThrow(/holds no test data/);
    const junk = join(folder(), "junk.pb");
    writeFileSync(junk, "no protobuf at all");
    await expect(dataInputs(ort, junk, two.slice(0, 1))).rejects.toThrow(/junk\.pb/);
  });
});
