import { unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeWithModels, modelFiles, MODELS } from "../../reference/models";
import { layer, matrix, readAll, reason } from "../support/opened";
import { dataName, savedModel, variable, withModel, type TensorToWrite } from "./bundleFile";

const stored = (key: string) => `${key}/.ATTRIBUTES/VARIABLE_VALUE`;

describe("a SavedModel of TensorFlow 2", () => {
  const names = {
    [stored("layer_with_weights-0/kernel")]: "conv2d/kernel", [stored("layer_with_weights-0/bias")]: "conv2d/bias", [stored("layer_with_weights-1/depthwise_kernel")]: "mine/depthwise_kernel",
    [stored("layer_with_weights-2/cell/kernel")]: "lstm/lstm_cell/kernel", [stored("layer_with_weights-2/cell/recurrent_kernel")]: "lstm/lstm_cell/recurrent_kernel",
    [stored("layer_with_weights-10/kernel")]: "dense/kernel", [stored("layer_with_weights-3/embeddings")]: "embedding/embeddings",
  };
  const shapes = [[3, 3, 2, 4], [4], [3, 3, 4, 1], [3, 8], [2, 8], [5, 2], [9, 3]];
  const tensors = [
    ...Object.keys(names).map((key, index) => variable(key, ...shapes[index]!)),
    variable(`layer_with_weights-0/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE`, 3, 3, 2, 4),
    { key: stored("optimizer/iter"), shape: [], type: 9, data: new Uint8Array(8) }, { key: stored("save_counter"), shape: [], type: 9, data: new Uint8Array(8) }, variable(stored("keras_api/metrics/0/total")),
  ];
  const path = () => savedModel({ tensors, names });

  it("has its variables under their own names, in the model's order", async () => {
    await withModel(path(), (model) => {
      expect(model.layers.map(({ tensor: { name }, kind, module }) => `${name} ${kind} ${module}`)).toEqual([
        "conv2d/kernel conv conv2d", "mine/depthwise_kernel conv mine.depthwise_kernel", "lstm/lstm_cell/kernel lstm lstm", "lstm/lstm_cell/recurrent_kernel lstm lstm.recurrent_kernel",
        "embedding/embeddings embedding embedding", "dense/kernel linear dense",
      ]);
      expect(model.layers.length + model.skipped.length).toBe(model.summary.tensors);
    });
  });

  it("leaves out biases, the optimizer, metrics and counters, with the reason", async () => {
    await withModel(path(), (model) => {
      expect(reason(model, "conv2d/bias")).toBe("bias");
      expect(reason(model, "layer_with_weights-0/kernel/.OPTIMIZER_SLOT/optimizer/m")).toBe("state of the optimizer: not a weight of the model");
      expect(reason(model, "keras_api/metrics/0/total")).toBe("state of a metric: not a weight of the model");
      expect(reason(model, "save_counter")).toBe("int64: not a weight");
      expect(reason(model, "_CHECKPOINTABLE_OBJECT_GRAPH")).toBe("what belongs to which object of the program: no tensor");
      expect(model.summary.parameters).toBe(72 + 4 + 36 + 24 + 16 + 10 + 27);
    });
  });

  it("opens by its index too, with the same values", async () => {
    const program = path();
    for (const opened of [program, join(dirname(program), "variables", "variables.index")]) {
      await withModel(opened, async (model) => {
        expect(await matrix(model, "dense/kernel")).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]);
        expect((await matrix(model, "lstm/lstm_cell/kernel", 1))[1]).toEqual([10, 11]);
        expect(model.files[0]).toBe(opened);
        expect(new Set(model.files).size).toBe(model.files.length);
      });
    }
  });
});

it("A checkpoint of TensorFlow 1 has names, and no objects", async () => {
  const tensors = [variable("conv1/weights", 3, 3, 1, 4), variable("dense/kernel", 4, 2), variable("dense/kernel/Adam", 4, 2), variable("dense/kernel/Adam_1", 4, 2), variable("dense/bias", 2)];
  await withModel(savedModel({ tensors }), (model) => {
    expect(layer(model, "dense/kernel").kind).toBe("linear");
    expect(reason(model, "dense/kernel/Adam_1")).toBe("state of the optimizer: not a weight of the model");
    expect(model.layers.map(({ tensor }) => tensor.name)).toEqual(["conv1/weights", "dense/kernel"]);
  });
});

describe("values", () => {
  const read = (tensor: TensorToWrite, bigEndian = false) => withModel(savedModel({ tensors: [tensor], bigEndian }), async (model) => [...await model.read(layer(model, "dense/kernel").tensor)]);
  const doubles = Buffer.alloc(32);
  [1, -2, Math.PI, 1e-300].forEach((value, index) => doubles.writeDoubleBE(value, index * 8));

  it("are of every type of floats, in both byte orders", async () => {
    expect(await read({ key: "dense/kernel", shape: [2, 2], type: 19, data: Uint8Array.from([0, 0x3c, 0, 0x40, 0, 0xc2, 1, 0]) })).toEqual([1, 2, -3, 2 ** -24]);
    expect(await read({ key: "dense/kernel", shape: [2, 2], type: 14, data: Uint8Array.from([0x80, 0x3f, 0, 0xc0, 0x49, 0x40, 0, 0]) })).toEqual([1, -2, 3.140625, 0]);
    expect(await read({ key: "dense/kernel", shape: [2, 2], type: 2, data: doubles }, true)).toEqual([1, -2, Math.PI, 1e-300]);
  });

  it("are found in every file, and through packed blocks of the index", async () => {
    const tensors = Array.from({ length: 40 }, (_, index) => ({ ...variable(`layer_${index}/kernel`, 2, 2 + (index % 3)), shard: index % 3 }));
    await withModel(savedModel({ tensors, shards: 3, packed: true }), async (model) => {
      expect(model.layers.length).toBe(40);
      expect(model.summary.notes).toEqual(["3 files of variables"]);
      expect(await matrix(model, "layer_5/kernel")).toEqual([[0, 1, 2, 3], [4, 5, 6, 7]]);
      await readAll(model);
    });
  });

  it("that are in a file that is missing are skipped, and the model says so", async () => {
    const path = savedModel({ tensors: [variable("a/kernel", 2, 2), { ...variable("b/kernel", 2, 2), shard: 1 }], shards: 2 });
    unlinkSync(join(dirname(path), "variables", dataName(1, 2)));
    await withModel(path, (model) => {
      expect(model.layers.map(({ tensor }) => tensor.name)).toEqual(["a/kernel"]);
      expect(reason(model, "b/kernel")).toBe("variables.data-00001-of-00002 is missing");
      expect(model.summary.notes).toContain("1 of 2 files of variables is missing: variables.data-00001-of-00002");
    });
  });
});

const real = modelFiles(/saved_model\.pb$/);
describeWithModels("a real SavedModel", real, () => {
  it("has five convolutions, four depthwise ones and a dense layer, and all else with a reason", async () => {
    await withModel(join(MODELS, real[0]!), async (model) => {
      expect(model.layers.map(({ tensor }) => tensor.name)).toEqual([
        "conv2d/kernel", "depthwise_conv2d/depthwise_kernel", "conv2d_1/kernel", "depthwise_conv2d_1/depthwise_kernel", "conv2d_2/kernel", "depthwise_conv2d_2/depthwise_kernel", "conv2d_3/kernel",
        "depthwise_conv2d_3/depthwise_kernel", "conv2d_4/kernel", "dense/kernel",
      ]);
      expect(model.layers.length + model.skipped.length).toBe(142);
      await readAll(model);
    });
  });
});
