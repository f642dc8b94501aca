import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { matrixSize } from "../../../src/models/gather";
import { describeWithModels, modelFiles, MODELS } from "../../reference/models";
import { layer, matrix, readAll, reason } from "../support/opened";
import { activation, constant, floats, tfliteFile, withModel, type OperatorToWrite, type TensorToWrite } from "./tfliteFile";

const CONV_2D = 3, DEPTHWISE_CONV_2D = 4, DEQUANTIZE = 6, FULLY_CONNECTED = 9, RESHAPE = 22, GATHER = 36, SEQUENCE_LSTM = 44, TRANSPOSE_CONV = 67, BATCH_MATMUL = 126, CONV_3D = 132;

const one = (tensor: TensorToWrite, operator: OperatorToWrite, further: readonly TensorToWrite[] = []) => tfliteFile({ tensors: [tensor, ...further], operators: [operator] });

describe("what an operator multiplies with", () => {
  it("is (out, in) of FULLY_CONNECTED", async () => {
    await withModel(one(constant("model/dense/MatMul;model/dense/BiasAdd", 2, 3), { code: FULLY_CONNECTED, inputs: ["x", "model/dense/MatMul;model/dense/BiasAdd", "b"] }, [activation("x", 1, 3), constant("b", 2)]), async (model) => {
      expect(model.layers[0]).toMatchObject({ kind: "linear", module: "model.dense", views: [{ input: "columns" }] });
      expect(await matrix(model, "model/dense/MatMul;model/dense/BiasAdd")).toEqual([[0, 1, 2], [3, 4, 5]]);
      expect(reason(model, "b")).toBe("bias");
      expect(model.summary).toMatchObject({ tensors: 2, parameters: 8, notes: ["made for a test"] });
    });
  });

  it("is (out, kh, kw, in) of CONV_2D, in groups where the input has more channels", async () => {
    await withModel(one(constant("w", 2, 2, 2, 3), { code: CONV_2D, inputs: ["x", "w"] }, [activation("x", 1, 8, 8, 3)]), async (model) => {
      expect(layer(model, "w").views.map((view) => [view.unfolding, matrixSize(view)])).toEqual([["channel", { rows: 2, columns: 12 }], ["spatial", { rows: 6, columns: 4 }]]);
      // Output 1: input 0 at its four positions, then input 1.
      expect((await matrix(model, "w"))[1]!.slice(0, 5)).toEqual([12, 15, 18, 21, 13]);
    });
    await withModel(one(constant("w", 4, 1, 1, 2), { code: CONV_2D, inputs: ["x", "w"] }, [activation("x", 1, 8, 8, 4)]), async (model) => {
      expect(layer(model, "w").views.map(({ part }) => part)).toEqual(["group:0", "group:1"]);
      expect(await matrix(model, "w", 1)).toEqual([[4, 5], [6, 7]]);
    });
  });

  it("is (1, kh, kw, channels) of DEPTHWISE_CONV_2D", async () => {
    await withModel(one(constant("w", 1, 3, 3, 4), { code: DEPTHWISE_CONV_2D, inputs: ["x", "w"] }, [activation("x", 1, 8, 8, 4)]), async (model) => {
      expect(layer(model, "w")).toMatchObject({ kind: "conv", views: [{ unfolding: "depthwise", breakEvenRank: 0 }] });
      expect((await matrix(model, "w"))[1]).toEqual([1, 5, 9, 13, 17, 21, 25, 29, 33]);
    });
  });

  it("is (out, kh, kw, in) of TRANSPOSE_CONV, (d, h, w, in, out) of CONV_3D", async () => {
    await withModel(one(constant("w", 2, 1, 2, 3), { code: TRANSPOSE_CONV, inputs: ["s", "w", "x"] }, [activation("x", 1, 4, 4, 3), activation("s", 4)]), async (model) => {
      expect(layer(model, "w").kind).toBe("conv_transpose");
      expect((await matrix(model, "w"))[0]).toEqual([0, 3, 1, 4, 2, 5]);
    });
    await withModel(one(constant("w", 1, 1, 2, 2, 3), { code: CONV_3D, inputs: ["x", "w"] }, [activation("x", 1, 4, 4, 4, 2)]), async (model) => {
      expect((await matrix(model, "w"))[1]).toEqual([1, 7, 4, 10]);
    });
  });

  it("is a gate each of UNIDIRECTIONAL_SEQUENCE_LSTM", async () => {
    const names = ["x", "ii", "if", "ic", "io", "ri", "rf", "rc", "ro", "", "", "", "bi"];
    const tensors = [activation("x", 1, 1, 3), ...names.slice(1, 5).map((name) => constant(name, 2, 3)), ...names.slice(5, 9).map((name) => constant(name, 2, 2)), constant("bi", 2)];
    await withModel(tfliteFile({ tensors, operators: [{ code: SEQUENCE_LSTM, inputs: names }] }), (model) => {
      expect(model.layers.map(({ kind, notes }) => [kind, ...notes])).toEqual([...["i", "f", "c", "o"], ...["i", "f", "c", "o"]].map((gate) => ["lstm", `gate ${gate}`]));
      expect(layer(model, "rc").views[0]!.recurrent).toBe(true);
      expect(layer(model, "ic").views[0]!.recurrent).toBe(false);
      expect(reason(model, "bi")).toBe("bias");
    });
  });

  it("is a table of GATHER, and either side of BATCH_MATMUL", async () => {
    await withModel(one(constant("w", 5, 3), { code: GATHER, inputs: ["w", "i"] }, [activation("i", 1)]), (model) => { expect(layer(model, "w")).toMatchObject({ kind: "embedding", views: [{ input: "rows" }] }); });
    for (const [adjoint, input] of [[false, "rows"], [true, "columns"]] as const) {
      await withModel(one(constant("w", 5, 3), { code: BATCH_MATMUL, inputs: ["x", "w"], adjoint }, [activation("x", 1, 5)]), (model) => { expect(layer(model, "w").views[0]!.input).toBe(input); });
    }
  });

  it("is found behind a DEQUANTIZE, as float16 weights are", async () => {
    const half = { name: "h", shape: [2, 2], type: 1, data: Uint8Array.from([0, 0x3c, 0, 0x40, 0, 0xc2, 0, 0]) };
    const content = tfliteFile({ tensors: [half, activation("w", 2, 2), activation("x", 1, 2)], operators: [{ code: DEQUANTIZE, inputs: ["h"], outputs: ["w"] }, { code: FULLY_CONNECTED, inputs: ["x", "w"] }] });
    await withModel(content, async (model) => {
      expect(layer(model, "h").tensor.dtype).toBe("float16");
      expect(await matrix(model, "h")).toEqual([[1, 2], [-3, 0]]);
    });
  });
});

describe("a quantized weight", () => {
  const use = { code: FULLY_CONNECTED, inputs: ["x", "w"] };
  const x = activation("x", 1, 3);

  it("of int8 is (q − zero point) · scale, per channel where there are several", async () => {
    const data = Uint8Array.from([1, 2, 0xff, 0x80, 5, 6]);
    await withModel(one({ name: "w", shape: [2, 3], type: 9, data, scales: [0.5], zeroPoints: [1] }, use, [x]), async (model) => {
      expect(await matrix(model, "w")).toEqual([[0, 0.5, -1], [-64.5, 2, 2.5]]);
      expect(layer(model, "w").notes).toEqual(["int8, dequantized"]);
    });
    await withModel(one({ name: "w", shape: [2, 3], type: 9, data, scales: [1, 0.25], zeroPoints: [0, 0], axis: 0 }, use, [x]), async (model) => {
      expect(await matrix(model, "w")).toEqual([[1, 2, -1], [-32, 1.25, 1.5]]);
      expect(layer(model, "w").notes).toEqual(["int8, dequantized per axis 0"]);
    });
    await withModel(one({ name: "w", shape: [2, 3], type: 9, data, scales: [1, 2, 4], zeroPoints: [0, 0, 1], axis: 1 }, use, [x]), async (model) => {
      expect(await matrix(model, "w")).toEqual([[1, 4, -8], [-128, 10, 20]]);
    });
  });

  it("of int4 has two values a byte, the first in the low half", async () => {
    await withModel(one({ name: "w", shape: [2, 3], type: 17, data: Uint8Array.from([0x21, 0x8f, 0x7e]), scales: [2], zeroPoints: [0] }, use, [x]), async (model) => {
      expect(await matrix(model, "w")).toEqual([[2, 4, -2], [-16, -4, 14]]);
    });
  });

  it.each([
    ["without a scale", {}, "int8 without a scale, used by FULLY_CONNECTED"], ["with scales that do not fit", { scales: [1, 2, 3, 4, 5], axis: 0 }, "its 5 scales do not fit axis 0 of [2, 3]"],
    ["with an axis that it does not have", { scales: [1, 2], axis: 7 }, "its 2 scales do not fit axis 7 of [2, 3]"], ["that is sparse", { scales: [1], isSparse: true }, "sparse: packed in a way that RankLens does not read"],
  ])("%s is skipped with the reason", async (_what, fields, expected) => {
    await withModel(one({ name: "w", shape: [2, 3], type: 9, data: new Uint8Array(6), ...fields }, use, [x]), (model) => { expect(reason(model, "w")).toBe(expected); });
  });
});

it("A shape that a RESHAPE takes, and a factor of a MUL, are no weights", async () => {
  const tensors = [activation("x", 1, 4), { name: "s", shape: [2], type: 2, data: new Uint8Array(8) }, { name: "m", shape: [2, 2], data: floats(1, 2, 3, 4) }];
  await withModel(tfliteFile({ tensors, operators: [{ code: RESHAPE, inputs: ["x", "s"] }, { code: 18, inputs: ["x", "m"] }] }), (model) => {
    expect([reason(model, "s"), reason(model, "m")]).toEqual(["int32, used by RESHAPE: not a weight matrix", "float32, used by MUL: not a weight matrix"]);
  });
});

const real = modelFiles(/\.tflite$/);
describeWithModels("every TensorFlow Lite model at hand", real, () => {
  it.each(real)("%s: opens, its weights can be read, and nothing is left out without a reason", async (name) => {
    await withModel(join(MODELS, name), async (model) => {
      expect(model.layers.length).toBeGreaterThan(2);
      expect(model.layers.length + model.skipped.length).toBe(model.summary.tensors);
      expect(new Set([...model.layers.map(({ tensor }) => tensor.name), ...model.skipped.map((skipped) => skipped.name)]).size).toBe(model.summary.tensors);
      await readAll(model);
    }, { smallestTensor: 16 });
  });
});
