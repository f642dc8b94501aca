import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { matrixSize } from "../../../src/models/gather";
import { describeWithModels, modelFiles, MODELS } from "../../reference/models";
import { layer, matrix, readAll, reason } from "../support/opened";
import { hdf5File } from "./hdf5Writer";
import { archive, config, dataset, file, withModel } from "./kerasFile";

const sizes = (views: Parameters<typeof matrixSize>[0][]) => views.map(({ part, unfolding, ...view }) => [part, unfolding, matrixSize({ part, unfolding, ...view })]);

describe("a model with its config", () => {
  const model = () => hdf5File({
    root: {
      model_weights: {
        dense: { dense: { "kernel:0": dataset(4, 6), "bias:0": dataset(6) } },
        stem: { stem: { "kernel:0": dataset(3, 3, 2, 4) } },
        grouped: { grouped: { "kernel:0": dataset(1, 2, 4) } },
        deep: { deep: { "depthwise_kernel:0": dataset(3, 3, 4, 2) } },
        separable: { separable: { "depthwise_kernel:0": dataset(3, 3, 4, 1), "pointwise_kernel:0": dataset(1, 1, 4, 8) } },
        up: { up: { "kernel:0": dataset(2, 2, 5, 3) } },
        memory: { memory: { lstm_cell: { "kernel:0": dataset(3, 8), "recurrent_kernel:0": dataset(2, 8), "bias:0": dataset(8) } } },
        gate: { gate: { "kernel:0": dataset(3, 6), "recurrent_kernel:0": dataset(2, 6), "bias:0": dataset(2, 6) } },
        words: { words: { "embeddings:0": dataset(9, 4) } },
        norm: { norm: { "gamma:0": dataset(4), "beta:0": dataset(4), "moving_mean:0": dataset(4), "moving_variance:0": dataset(4) } },
      },
      optimizer_weights: { Adam: { m: { "kernel:0": dataset(4, 6) } } },
    },
    texts: {
      keras_version: "2.9.0",
      model_config: config(
        ["Embedding", "words"], ["Conv2D", "stem"], ["Conv1D", "grouped", { groups: 2 }], ["DepthwiseConv2D", "deep"], ["SeparableConv2D", "separable"], ["Conv2DTranspose", "up"],
        ["LSTM", "memory"], ["GRU", "gate"], ["BatchNormalization", "norm"], ["Dense", "dense"],
      ),
    },
  });
  const at = (name: string, variable: string) => `model_weights/${name}/${name}/${variable}:0`;

  it("is in the model's order, with each layer under its own name", async () => {
    await withModel(model(), ({ layers, skipped, summary }) => {
      expect(layers.map(({ module }) => module)).toEqual([
        "words", "stem", "grouped", "deep", "separable.depthwise_kernel", "separable.pointwise_kernel", "up",
        "memory", "memory.recurrent_kernel", "gate", "gate.recurrent_kernel", "dense",
      ]);
      expect(summary.notes).toEqual(["Keras 2.9.0", "Functional model"]);
      expect(layers.length + skipped.length).toBe(summary.tensors);
    });
  });

  it("has Dense as (in, out), Embedding as (words, size)", async () => {
    await withModel(model(), async (opened) => {
      expect(layer(opened, at("dense", "kernel"))).toMatchObject({ kind: "linear", views: [{ input: "rows" }] });
      expect(layer(opened, at("words", "embeddings"))).toMatchObject({ kind: "embedding", views: [{ input: "rows" }] });
      expect((await matrix(opened, at("dense", "kernel")))[1]).toEqual([6, 7, 8, 9, 10, 11]);
    });
  });

  it("has convolutions with their channels last: outputs × (inputs · positions)", async () => {
    await withModel(model(), async (opened) => {
      expect(sizes([...layer(opened, at("stem", "kernel")).views])).toEqual([[null, "channel", { rows: 4, columns: 18 }], [null, "spatial", { rows: 6, columns: 12 }]]);
      // Output 1, input 0, all nine positions: 2 · 4 apart.
      expect((await matrix(opened, at("stem", "kernel")))[1]!.slice(0, 9)).toEqual([1, 9, 17, 25, 33, 41, 49, 57, 65]);
      expect(layer(opened, at("grouped", "kernel")).views.map(({ part }) => part)).toEqual(["group:0", "group:1"]);
      expect(await matrix(opened, at("grouped", "kernel"), 1)).toEqual([[2, 6], [3, 7]]);
    });
  });

  it("has a kernel for each channel of depthwise ones, and the pointwise one of separable ones", async () => {
    await withModel(model(), async (opened) => {
      expect(sizes([...layer(opened, at("deep", "depthwise_kernel")).views])).toEqual([[null, "depthwise", { rows: 8, columns: 9 }]]);
      expect((await matrix(opened, at("deep", "depthwise_kernel")))[3]).toEqual([3, 11, 19, 27, 35, 43, 51, 59, 67]);
      expect(sizes([...layer(opened, at("separable", "pointwise_kernel")).views])).toEqual([[null, "channel", { rows: 8, columns: 4 }]]);
    });
  });

  it("has transposed convolutions as (positions, out, in)", async () => {
    await withModel(model(), async (opened) => {
      const { kind, views } = layer(opened, at("up", "kernel"));
      expect([kind, ...sizes([...views])]).toEqual(["conv_transpose", [null, "channel", { rows: 5, columns: 12 }], [null, "spatial", { rows: 6, columns: 10 }]]);
      // Output 1, input 2, four positions.
      expect((await matrix(opened, at("up", "kernel")))[1]!.slice(8)).toEqual([5, 20, 35, 50]);
    });
  });

  it("has the gates of LSTM as i, f, c, o and of GRU as z, r, h, side by side", async () => {
    await withModel(model(), async (opened) => {
      const lstm = layer(opened, "model_weights/memory/memory/lstm_cell/recurrent_kernel:0");
      expect([lstm.kind, lstm.views.map(({ part, recurrent }) => [part, recurrent])]).toEqual(["lstm", [["gate:i", true], ["gate:f", true], ["gate:c", true], ["gate:o", true]]]);
      expect(await matrix(opened, "model_weights/memory/memory/lstm_cell/kernel:0", 1)).toEqual([[2, 3], [10, 11], [18, 19]]);
      const gru = layer(opened, at("gate", "kernel"));
      expect([gru.kind, gru.views.map(({ part }) => part)]).toEqual(["gru", ["gate:z", "gate:r", "gate:h"]]);
    });
  });

  it("leaves out norms, biases and the optimizer, with the reason", async () => {
    await withModel(model(), (opened) => {
      expect(reason(opened, at("norm", "gamma"))).toBe("scale of a normalization");
      expect(reason(opened, at("norm", "moving_variance"))).toBe("running statistics of a normalization");
      expect(reason(opened, "optimizer_weights/Adam/m/kernel:0")).toBe("state of the optimizer: not a weight of the model");
      expect(opened.summary.parameters).toBe(24 + 6 + 72 + 8 + 72 + 36 + 32 + 60 + 24 + 16 + 8 + 18 + 12 + 12 + 36 + 16);
    });
  });
});

describe("weights without a config", () => {
  it("are known by the names that Keras makes, and by shapes", async () => {
    const root = {
      conv1d_3: { conv1d_3: { "kernel:0": dataset(3, 2, 4) } }, conv2d_transpose: { conv2d_transpose: { "kernel:0": dataset(2, 2, 4, 3) } },
      mine: { mine_2: { "kernel:0": dataset(4, 3), "table:0": dataset(3, 3) } }, lstm_1: { lstm_1: { "kernel:0": dataset(3, 8), "recurrent_kernel:0": dataset(2, 8) } },
    };
    await withModel(hdf5File({ root, lists: { layer_names: ["mine", "lstm_1", "conv1d_3", "conv2d_transpose"] } }), ({ layers, summary }) => {
      expect(layers.map(({ kind, module }) => `${kind} ${module}`)).toEqual(["linear mine", "other mine.table", "lstm lstm_1", "lstm lstm_1.recurrent_kernel", "conv conv1d_3", "conv_transpose conv2d_transpose"]);
      expect(summary.notes).toEqual(["weights without a config: kinds of layers are taken from names and shapes"]);
    });
  });

  it("of cuDNN's layers are put into Keras's order", async () => {
    // Two biases a gate. One gate's columns of (in 2 × units 3), stored row by row, are read column by column.
    const root = { gru: { gru: { "kernel:0": dataset(2, 9), "recurrent_kernel:0": dataset(3, 9), "bias:0": dataset(18) } } };
    await withModel(hdf5File({ root }), async (opened) => {
      expect(layer(opened, "gru/gru/kernel:0").notes).toContain("stored in cuDNN's order, put into Keras's");
      expect(await matrix(opened, "gru/gru/kernel:0", 0)).toEqual([[0, 2, 10], [1, 9, 11]]);
      // The recurrent matrix of a gate is its transpose.
      expect(await matrix(opened, "gru/gru/recurrent_kernel:0", 1)).toEqual([[3, 12, 21], [4, 13, 22], [5, 14, 23]]);
    });
  });
});

describe("an archive of Keras 3", () => {
  const weights = hdf5File({
    root: {
      layers: {
        dense: { vars: { 0: dataset(4, 6), 1: dataset(6) } }, dense_1: { vars: { 0: dataset(6, 2) } }, conv2d: { vars: { 0: dataset(3, 3, 1, 4) } }, lstm: { cell: { vars: { 0: dataset(3, 8), 1: dataset(2, 8), 2: dataset(8) } } },
        multi_head_attention: { query_dense: { vars: { 0: dataset(4, 2, 3) } }, output_dense: { vars: { 0: dataset(2, 3, 4) } } }, embedding: { vars: { 0: dataset(7, 3) } },
      },
      optimizer: { vars: { 0: dataset(4, 6) } },
    },
  });
  const content = () => archive({
    "metadata.json": Buffer.from(JSON.stringify({ keras_version: "3.5.0" })),
    "config.json": Buffer.from(config(["Embedding", "words"], ["Dense", "first"], ["Conv2D", "c"], ["LSTM", "l"], ["MultiHeadAttention", "a"], ["Dense", "last"])),
    "model.weights.h5": weights,
  });

  it("has numbered variables, whose layers tell what they are", async () => {
    await withModel(file(content(), "model.keras"), async (opened) => {
      expect(opened.layers.map(({ kind, module }) => `${kind} ${module}`)).toEqual([
        "embedding embedding", "linear dense", "conv conv2d", "lstm lstm", "lstm lstm.recurrent_kernel", "linear multi_head_attention.output_dense", "linear multi_head_attention.query_dense", "linear dense_1",
      ]);
      expect(reason(opened, "layers/dense/vars/1")).toBe("bias");
      expect(reason(opened, "optimizer/vars/0")).toBe("state of the optimizer: not a weight of the model");
      expect(matrixSize(layer(opened, "layers/multi_head_attention/query_dense/vars/0").views[0]!)).toEqual({ rows: 4, columns: 6 });
      expect(matrixSize(layer(opened, "layers/multi_head_attention/output_dense/vars/0").views[0]!)).toEqual({ rows: 6, columns: 4 });
      expect(await matrix(opened, "layers/dense_1/vars/0")).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]);
      expect(opened.summary.notes).toEqual(["Keras 3.5.0", "Functional model"]);
    });
  });

  it("tells the layers of a model inside it, and of Bidirectional, apart from its own", async () => {
    const inner = hdf5File({
      root: {
        layers: {
          conv2d: { vars: { 0: dataset(1, 1, 2, 4) } }, conv2d_1: { vars: { 0: dataset(1, 1, 2, 4) } },
          sequential: { layers: { conv2d: { vars: { 0: dataset(1, 1, 2, 4) } } } }, bidirectional: { forward_layer: { cell: { vars: { 0: dataset(5, 6), 1: dataset(2, 6), 2: dataset(2, 6) } } } },
        },
      },
    });
    const model = JSON.parse(config(["Conv2D", "conv2d_1"], ["Sequential", "s"], ["Bidirectional", "b"], ["Conv2D", "conv2d", { groups: 2 }])) as { config: { layers: { config: object }[] } };
    model.config.layers[1]!.config = { name: "s", layers: [{ class_name: "Conv2D", config: { name: "x", groups: 4 } }] };
    await withModel(file(archive({ "config.json": Buffer.from(JSON.stringify(model)), "model.weights.h5": inner }), "model.keras"), (opened) => {
      expect(opened.layers.map(({ module, views }) => [module, views.length])).toEqual([["conv2d", 1], ["sequential.conv2d", 4], ["bidirectional.forward_layer", 3], ["bidirectional.forward_layer.recurrent_kernel", 3], ["conv2d_1", 2]]);
      expect(layer(opened, "layers/bidirectional/forward_layer/cell/vars/1")).toMatchObject({ kind: "gru", views: [{ part: "gate:z", recurrent: true }, {}, {}] });
    });
  });

  it("may be packed by another program", async () => {
    await withModel(file(archive({ "model.weights.h5": weights }, true), "model.keras"), async (opened) => {
      expect(await matrix(opened, "layers/dense_1/vars/0")).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]);
      await readAll(opened);
    });
  });

  it("may be HDF5 all the same, as Keras 2 wrote it under this ending", async () => {
    await withModel(file(weights, "model.keras"), (opened) => { expect(opened.layers.length).toBe(8); });
  });
});

describe("values", () => {
  const one = (tensor: object) => hdf5File({ root: { dense: { "kernel:0": { shape: [2, 3], values: [1, -2, 3, 4, 5, 6.5], ...tensor } } } });
  const read = (content: Buffer) => withModel(content, async (opened) => [...await opened.read(layer(opened, "dense/kernel:0").tensor)]);

  it("are the same in every type, byte order and layout", async () => {
    const expected = [1, -2, 3, 4, 5, 6.5];
    for (const type of ["float32", "float64"] as const) {
      for (const bigEndian of [false, true]) {
        for (const layout of [{}, { chunk: [2, 3] }, { chunk: [1, 2] }, { chunk: [2, 2], shuffle: true }]) expect(await read(one({ type, bigEndian, ...layout }))).toEqual(expected);
      }
    }
    expect(await read(one({ type: "float16", values: [0x3c00, 0xc000, 0x4200, 0x4400, 0x4500, 0x4680] }))).toEqual(expected);
    expect(await read(one({ type: "bfloat16", values: [0x3f80, 0xc000, 0x4040, 0x4080, 0x40a0, 0x40d0] }))).toEqual(expected);
  });

  it("of integers are no weights", async () => {
    await withModel(one({ type: "int32", values: [1, 2, 3, 4, 5, 6] }), (opened) => { expect(reason(opened, "dense/kernel:0")).toBe("int32: not a weight"); });
  });
});

const real = modelFiles(/\.(h5|hdf5)$/);
describeWithModels("every Keras model at hand", real, () => {
  it.each(real)("%s: opens, its weights can be read, and nothing is left out without a reason", async (name) => {
    await withModel(join(MODELS, name), async (opened) => {
      expect(opened.layers.length).toBeGreaterThan(2);
      expect(opened.layers.length + opened.skipped.length).toBe(opened.summary.tensors);
      expect(opened.skipped.every(({ reason: why }) => why.length > 0)).toBe(true);
      await readAll(opened);
    }, { smallestTensor: 16 });
  });
});
