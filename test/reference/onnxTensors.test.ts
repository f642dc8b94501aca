import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS, type Model } from "../../src/models/model";
import { onnx } from "../../src/models/onnx/format";
import { describeWithModels, modelFiles, MODELS } from "./models";

/**
 * Against the onnx package (Debian's python3-onnx): every tensor that it finds is in `layers` or `skipped`, and
 * values are equal bit for bit; dequantized ones equal (q − zero point) · scale in float32.
 */
const SCRIPT = join(import.meta.dirname, "onnx_tensors.py");
/** Tensors that are no initializer or Constant (an attribute's tensor): ours lists them, onnx has no such list. */
const ATTRIBUTE = /^attribute "/;

interface Reference {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  /** SHA-256 of float values, and of dequantized integers; null where there are none. */
  readonly sha: string | null;
  readonly dequantized: string | null;
}

const files = modelFiles(/\.onnx$/);

const referenceOf = (path: string): Reference[] => JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, path], { encoding: "utf8", maxBuffer: 2 ** 26 })) as Reference[];

const sha = (values: Float32Array | Float64Array) => createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");

async function withModel(file: string, body: (model: Model) => Promise<void> | void, smallestTensor = DEFAULT_OPEN_OPTIONS.smallestTensor): Promise<void> {
  const model = await onnx.open(join(MODELS, file), { ...DEFAULT_OPEN_OPTIONS, smallestTensor });
  try {
    await body(model);
  } finally {
    await model.close();
  }
}

/** What the names of one file's tensors become where two graphs use one name. */
const plain = (name: string) => name.replace(/^.*_branch\//, "").replace(/ \(\d+\)$/, "");

describeWithModels("every ONNX model at hand", files, () => {
  it.each(files)("%s: holds the tensors that onnx finds, none missing, none invented", async (file) => {
    const expected = referenceOf(join(MODELS, file)).map(({ name, shape }) => `${name} [${shape.join(",")}]`);
    await withModel(file, (model) => {
      const listed = [
        ...model.layers.map(({ tensor: { name, shape } }) => ({ name, shape })),
        ...model.skipped.filter(({ reason }) => !ATTRIBUTE.test(reason)),
      ];
      const names = new Set([...model.layers.map(({ tensor }) => tensor.name), ...model.skipped.map(({ name }) => name)]);
      expect(names.size).toBe(model.layers.length + model.skipped.length);
      expect(listed.map(({ name, shape }) => `${plain(name)} [${shape.join(",")}]`).sort()).toEqual(expected.sort());
      expect(model.skipped.every(({ reason }) => reason.length > 0)).toBe(true);
    });
  });

  it.each(files)("%s: has the values that onnx reads, bit for bit", async (file) => {
    const reference = new Map(referenceOf(join(MODELS, file)).map((tensor) => [tensor.name, tensor]));
    await withModel(file, async (model) => {
      for (const { tensor, views } of model.layers) {
        const expected = reference.get(plain(tensor.name))!;
        const values = await model.read(tensor);
        expect([tensor.name, sha(values)]).toEqual([tensor.name, expected.sha ?? expected.dequantized]);
        expect(views.length).toBeGreaterThan(0);
        for (const view of views) {
          const last = [...view.rows, ...view.columns].reduce((at, { size, stride }) => at + (size - 1) * stride, view.offset);
          expect(last).toBeLessThan(values.length);
        }
      }
    }, 1);
  });
});

/** [kind, parts, [rows, columns] of the first matrix, input side] of one layer. */
function described(model: Model, name: string) {
  const layer = model.layers.find(({ tensor }) => tensor.name === name);
  if (layer === undefined) throw new Error(`no layer ${name}`);
  const size = (axes: readonly { size: number }[]) => axes.reduce((product, axis) => product * axis.size, 1);
  const [first] = layer.views;
  return { kind: layer.kind, parts: layer.views.map(({ part }) => part), matrix: [size(first!.rows), size(first!.columns)], input: first!.input, notes: layer.notes, block: layer.block, module: layer.module };
}

describeWithModels("known layers", files, () => {
  it("silero v6: all weights are in Constant nodes of nested If branches, gates in PyTorch's order", async () => {
    await withModel("onnx/silero_vad_v6.onnx", (model) => {
      expect(model.layers.length).toBe(16);
      expect(described(model, "If_0_then_branch__Inline_0__decoder.rnn.weight_hh")).toMatchObject({ kind: "lstm", matrix: [128, 128] });
      expect(described(model, "If_0_then_branch__Inline_0__decoder.rnn.weight_hh").parts.map((part) => part?.split(":").at(-1))).toEqual(["i", "f", "c", "o"]);
      expect(described(model, "If_0_else_branch__Inline_0__encoder.0.reparam_conv.weight")).toMatchObject({ kind: "conv" });
    });
  });

  it("silero op18 ifless: an unrolled LSTM is four Gemm with transB", async () => {
    await withModel("onnx/silero_vad_op18_ifless.onnx", (model) => {
      expect(described(model, "model.decoder.rnn.weight_ih")).toMatchObject({ kind: "linear", matrix: [512, 128], input: "columns" });
    });
  });

  it("PP-OCR: transposed and depthwise convolutions from Constant nodes", async () => {
    await withModel("onnx/ppocr_mobile_v1.1_det.onnx", (model) => {
      expect(described(model, "conv2d_transpose_0.w_0").kind).toBe("conv_transpose");
      expect(described(model, "conv8_depthwise_weights")).toMatchObject({ kind: "conv", matrix: [120, 9] });
      expect(model.layers.filter(({ kind }) => kind === "conv_transpose").length).toBe(2);
    });
  });

  it("DTLN: each gate of its LSTMs, in ONNX's order", async () => {
    await withModel("onnx/dtln_model_1.onnx", (model) => {
      const { kind, parts, matrix } = described(model, "lstm_4_W");
      expect([kind, matrix]).toEqual(["lstm", [128, 257]]);
      expect(parts.map((part) => part?.split(":").at(-1))).toEqual(["i", "o", "f", "c"]);
    });
  });

  it("silero v3 mini: attention weights that lost their names take the place of their biases", async () => {
    await withModel("onnx/silero_v3_model_mini.onnx", (model) => {
      expect(described(model, "741")).toMatchObject({ kind: "linear", matrix: [32, 96], input: "rows" });
      expect(described(model, "741").notes).toContain("weight of MatMul_103, whose bias is encoder.1.attention.QKV.bias");
    });
  });

  it.each(["fp32", "fp16weights", "extdata", "dynint8"])("TinyStories %s: 16 matrices by their scopes, the same parameters in every variant", async (variant) => {
    await withModel(`derived/onnx/tinystories_656k_${variant}.onnx`, (model) => {
      expect(model.layers.map(({ kind }) => kind)).toEqual(["embedding", ...Array.from({ length: 15 }, () => "linear")]);
      expect(model.layers.slice(1, 4).map(({ block, module }) => [block, module])).toEqual([["layers.0", "self_attn.q_proj"], ["layers.0", "self_attn.k_proj"], ["layers.0", "self_attn.v_proj"]]);
      expect(model.layers.at(-1)!.module).toBe("lm_head");
      expect(model.summary.parameters).toBe(935_570);
    });
  });

  it("ultraface, quantized: int8 with a scale for each channel, as many parameters as before", async () => {
    await withModel("derived/onnx/ultraface_slim-320_qdq_int8.onnx", (model) => {
      expect(model.layers.every(({ notes }) => notes.includes("int8, dequantized per axis 0"))).toBe(true);
      expect(model.layers.length).toBe(42);
      expect(model.summary.parameters).toBe(257_916);
    });
  });

  it("CNTK's MNIST: a weight of four axes is the matrix that its Reshape makes of it", async () => {
    await withModel("onnx/ort_mnist_cnn.onnx", (model) => {
      expect(described(model, "Parameter193")).toMatchObject({ kind: "linear", matrix: [256, 10], input: "rows" });
    });
  });

  it("without its external data: every tensor is listed, and the model says what is missing", async () => {
    await withModel("control/silero_op18_ifless_MISSING_EXTERNAL_DATA.onnx", (model) => {
      expect(model.layers).toEqual([]);
      expect(model.skipped.length).toBe(45);
      expect(model.skipped.find(({ name }) => name === "model.decoder.rnn.weight_hh")!.reason).toBe("external data file temp_16.onnx.data is missing");
      expect(model.summary.notes).toContain("external data file temp_16.onnx.data is missing");
    });
  });
});
