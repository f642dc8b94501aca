import { describe, expect, it } from "vitest";
import { patchRows } from "../../../src/calibrate/patches";
import { takenRows } from "../../../src/calibrate/taken";
import { openOnnxSource } from "../../../src/factorize/onnx/source";
import { channelScheme } from "../../../src/factorize/schemes/channel";
import { isTarget } from "../../../src/factorize/source";
import { openModel } from "../../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import { convolutionModel, gaussians, product, run, type ConvolutionOptions } from "../factorize/support/runnable";

const OPTIONS = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
const CONVOLUTIONS: Readonly<Record<string, ConvolutionOptions>> = {
  "3×3": { opType: "Conv", channels: [3, 4], kernel: [3, 3] },
  "everything asymmetric": { opType: "Conv", channels: [6, 4], kernel: [3, 5], strides: [2, 3], dilations: [3, 2], pads: [1, 4, 2, 0] },
  "three groups, dilated": { opType: "Conv", channels: [9, 6], kernel: [3, 3], groups: 3, dilations: [2, 1] },
  "SAME_UPPER": { opType: "Conv", channels: [4, 5], kernel: [4, 3], autoPad: "SAME_UPPER", strides: [2, 1] },
  "SAME_LOWER": { opType: "Conv", channels: [4, 5], kernel: [4, 2], autoPad: "SAME_LOWER" },
  "VALID": { opType: "Conv", channels: [4, 5], kernel: [3, 3], autoPad: "VALID", strides: [2, 2] },
  "one-dimensional": { opType: "Conv", channels: [6, 7], kernel: [5], strides: [3], dilations: [2], pads: [1, 4] },
  "three-dimensional": { opType: "Conv", channels: [4, 6], kernel: [2, 3, 2], strides: [1, 2, 1], dilations: [2, 1, 1], pads: [1, 0, 2, 0, 1, 0] },
  "transposed, everything asymmetric": { opType: "ConvTranspose", channels: [6, 4], kernel: [3, 5], strides: [3, 2], dilations: [1, 2], pads: [1, 0, 2, 3], outputPadding: [2, 1] },
  "transposed, grouped": { opType: "ConvTranspose", channels: [6, 8], kernel: [4, 3], groups: 2, strides: [2, 2], pads: [1, 1, 0, 0] },
  "transposed, SAME_UPPER": { opType: "ConvTranspose", channels: [6, 4], kernel: [3, 4], strides: [2, 1], autoPad: "SAME_UPPER" },
  "transposed, SAME_LOWER": { opType: "ConvTranspose", channels: [6, 4], kernel: [4, 3], strides: [3, 2], autoPad: "SAME_LOWER" },
};

describe("the patches that a convolution is applied to", () => {
  it.each(Object.entries(CONVOLUTIONS))("(%s), times its unfolding, are its outputs in ONNX Runtime", async (_, options) => {
    const { path, shape } = convolutionModel(options);
    const model = await openModel(path, OPTIONS);
    const source = await openOnnxSource(path, model.layers, OPTIONS);
    const [target] = source.targets.filter(isTarget);
    const { taken } = source.activations!.taken.get("conv.weight")![0]!;
    const unfoldings = channelScheme.unfoldings(target!, await model.read(model.layers[0]!.tensor))[0]!;
    const byGroup = unfoldings.map((): number[][] => []);
    for (const { group, rows: { rows, columns, data } } of takenRows(taken, { shape, values: Float64Array.from(gaussians(product(shape), 9), Math.fround) })!) {
      const { rows: outputs } = unfoldings[group]!, weight = Float64Array.from(unfoldings[group]!.data);
      for (let row = 0; row < rows; row++) byGroup[group]!.push(Array.from({ length: outputs }, (_unused, out) => weight.subarray(out * columns, (out + 1) * columns).reduce((sum, value, at) => sum + value * data[row * columns + at]!, 0)));
    }
    const expected = await run(path, shape);
    const perItem = byGroup[0]!.length / shape[0]!;
    // Rows are (batch, positions); the runtime's output is (batch, groups · out, positions).
    const found = Array.from({ length: shape[0]! }, (_unused, item) => byGroup.flatMap((rows) => rows[0]!.flatMap((_out, out) => rows.slice(item * perItem, (item + 1) * perItem).map((row) => row[out]!)))).flat();
    expect(found).toHaveLength(expected.length);
    found.forEach((value, at) => expect(Math.abs(value - expected[at]!)).toBeLessThan(1e-3));
    await Promise.all([source.close(), model.close()]);
  });

  it("are none where the value has other channels", () => {
    const patches = { op: "conv", groups: 1, channels: 3, kernel: [3], strides: [1], dilations: [1], pads: [0, 0], autoPad: "NOTSET", outputPadding: [0] } as const;
    expect(patchRows(patches, { shape: [1, 4, 8], values: new Float32Array(32) })).toBeNull();
    expect(patchRows(patches, { shape: [1, 3, 8, 8], values: new Float32Array(192) })).toBeNull();
  });
});

describe("inputs along an axis", () => {
  it("are rows of the last axis, and columns where the weight is multiplied from the left", () => {
    const activation = { shape: [2, 2, 3], values: Float32Array.from({ length: 12 }, (_, index) => index) };
    expect([...takenRows({ kind: "along", axis: -1, inputs: 3 }, activation)!].map(({ rows }) => [rows.rows, [...rows.data]])).toEqual([[4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]]);
    expect([...takenRows({ kind: "along", axis: -2, inputs: 2 }, activation)!].map(({ rows }) => [...rows.data])).toEqual([[0, 3, 1, 4, 2, 5], [6, 9, 7, 10, 8, 11]]);
    expect(takenRows({ kind: "along", axis: -1, inputs: 2 }, activation)).toBeNull();
  });
});
