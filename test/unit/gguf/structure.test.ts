import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { epsilonOf } from "../../../src/models/dtypes";
import { matrixSize } from "../../../src/models/gather";
import { describeWithModels, modelFiles, MODELS } from "../../reference/models";
import { folder } from "../support/folders";
import { layer, reason } from "../support/opened";
import { file, floatTensor, ggufFile, withModel, Writer } from "./ggufFile";

const writer = new Writer();
const llama = [writer.textEntry("general.architecture", "llama"), writer.textEntry("general.name", "Tiny"), writer.texts("tokenizer.ggml.tokens", ["<s>", "a", "b"])];

describe("the layers of a transformer", () => {
  const tensors = [
    floatTensor("token_embd.weight", [8, 4]), floatTensor("blk.0.attn_norm.weight", [4]), floatTensor("blk.0.attn_q.weight", [4, 4]),
    floatTensor("blk.0.attn_qkv.weight", [8, 4]), floatTensor("blk.0.attn_output.weight", [4, 4]), floatTensor("blk.0.ffn_gate_exps.weight", [3, 6, 4]),
    floatTensor("blk.0.ffn_down_exps.weight", [3, 4, 6]), floatTensor("blk.0.ffn_gate_inp.weight", [3, 4]), floatTensor("blk.1.ssm_conv1d.weight", [6, 4]),
    floatTensor("blk.1.attn_q.bias", [4]),
  ];

  it("stand in their blocks, under their modules, with their axes outermost first", async () => {
    await withModel(ggufFile({ metadata: llama, tensors }), (model) => {
      expect(layer(model, "token_embd.weight")).toMatchObject({ kind: "embedding", block: null, module: "token_embd", tensor: { shape: [8, 4] } });
      expect(layer(model, "blk.0.attn_q.weight")).toMatchObject({ kind: "linear", block: "blk.0", module: "attn_q" });
      expect(layer(model, "blk.0.attn_q.weight").views[0]!.input).toBe("columns");
      expect(model.summary.notes).toEqual(["Tiny", "architecture llama", "GGUF version 3"]);
      expect(model.layers.length + model.skipped.length).toBe(tensors.length);
    });
  });

  it("split a fused q, k, v by what the output layer takes", async () => {
    await withModel(ggufFile({ metadata: llama, tensors }), (model) => {
      expect(layer(model, "blk.0.attn_qkv.weight").views.map(({ part }) => part)).toEqual([null, "q", "k", "v"]);
      expect(layer(model, "blk.0.attn_qkv.weight").views.map((view) => matrixSize(view).rows)).toEqual([8, 4, 2, 2]);
    });
  });

  it("are one matrix for each expert of a stack", async () => {
    await withModel(ggufFile({ metadata: llama, tensors }), (model) => {
      const { kind, views } = layer(model, "blk.0.ffn_gate_exps.weight");
      expect([kind, views.map(({ part }) => part), matrixSize(views[0]!)]).toEqual(["expert", ["expert:0", "expert:1", "expert:2"], { rows: 6, columns: 4 }]);
      expect(views[1]!.offset).toBe(24);
    });
  });

  it("are a kernel for each channel in a Mamba block", async () => {
    await withModel(ggufFile({ metadata: llama, tensors }), (model) => {
      expect(layer(model, "blk.1.ssm_conv1d.weight")).toMatchObject({ kind: "conv", views: [{ unfolding: "depthwise" }] });
    });
  });

  it("are tables of BERT, and heads' matrices of DeepSeek one above the other", async () => {
    await withModel(ggufFile({ tensors: [floatTensor("token_types.weight", [2, 4]), floatTensor("blk.0.attn_k_b.weight", [2, 3, 5]), floatTensor("a.conv1d.0.weight", [4, 3, 2])] }), (model) => {
      expect(layer(model, "token_types.weight").kind).toBe("embedding");
      expect(layer(model, "blk.0.attn_k_b.weight")).toMatchObject({ kind: "linear", notes: ["2 heads of [3, 5], one above the other"] });
      expect(matrixSize(layer(model, "blk.0.attn_k_b.weight").views[0]!)).toEqual({ rows: 6, columns: 5 });
      expect(layer(model, "a.conv1d.0.weight").kind).toBe("conv");
    });
  });

  it("leave out norms and biases, with the reason", async () => {
    await withModel(ggufFile({ metadata: llama, tensors }), (model) => {
      expect(reason(model, "blk.0.attn_norm.weight")).toBe("scale of a normalization");
      expect(reason(model, "blk.1.attn_q.bias")).toBe("bias");
    });
  });

  it("say that the table of tokens is the output layer too, where there is no other", async () => {
    const tied = "also used as the output layer: the file has no other";
    await withModel(ggufFile({ metadata: llama, tensors }), (model) => { expect(layer(model, "token_embd.weight").notes).toContain(tied); });
    const untied = [...tensors, floatTensor("output.weight", [8, 4])];
    await withModel(ggufFile({ metadata: llama, tensors: untied }), (model) => { expect(layer(model, "token_embd.weight").notes).not.toContain(tied); });
    const bert = [writer.textEntry("general.architecture", "nomic-bert")];
    await withModel(ggufFile({ metadata: bert, tensors }), (model) => { expect(layer(model, "token_embd.weight").notes).not.toContain(tied); });
  });
});

it("A model's numbers have an ε that falls with their bits", () => {
  const byBits = ["q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "q8_0"].map(epsilonOf);
  expect(byBits).toEqual([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 128]);
});

it("Versions 2 and 3, and metadata of every type, open", async () => {
  const metadata = [
    ...[0, 1, 7].map((type) => writer.entry(`b${type}`, type, Buffer.from([1]))), ...[2, 3].map((type) => writer.entry(`h${type}`, type, Buffer.alloc(2))),
    ...[4, 5, 6].map((type) => writer.entry(`w${type}`, type, Buffer.alloc(4))), ...[10, 11, 12].map((type) => writer.entry(`d${type}`, type, Buffer.alloc(8))),
    writer.entry("nested", 9, Buffer.concat([writer.u32(9), writer.u64(1), writer.u32(4), writer.u64(2), Buffer.alloc(8)])),
    writer.textEntry("long", "x".repeat(600_000)), writer.numberEntry("general.alignment", 64),
  ];
  for (const version of [2, 3]) {
    await withModel(ggufFile({ version, metadata, alignment: 64, tensors: [floatTensor("a.weight", [2, 3]), floatTensor("b.weight", [3, 2])] }), async (model) => {
      expect([...await model.read(layer(model, "b.weight").tensor)]).toEqual([1, 2, 3, 4, 5, 6]);
      expect(model.summary.notes).toEqual([`GGUF version ${version}`]);
    });
  }
});

describe("a model in several files", () => {
  const split = (number: number) => [writer.entry("split.no", 2, Buffer.from([number, 0])), writer.entry("split.count", 2, Buffer.from([3, 0])), writer.entry("split.tensors.count", 5, writer.u32(3))];
  const write = (into: string, number: number, name = `blk.${number}.ffn_up.weight`) =>
    file(ggufFile({ metadata: split(number), tensors: [floatTensor(name, [2, 2 + number])] }), `m-0000${number + 1}-of-00003.gguf`, into);

  it("is one model, whichever of them is opened", async () => {
    const into = folder();
    const paths = [0, 1, 2].map((number) => write(into, number));
    for (const path of paths) {
      await withModel(path, async (model) => {
        expect(model.layers.map(({ tensor: { name } }) => name)).toEqual(["blk.0.ffn_up.weight", "blk.1.ffn_up.weight", "blk.2.ffn_up.weight"]);
        expect((await model.read(layer(model, "blk.2.ffn_up.weight").tensor)).length).toBe(8);
        expect(model.files[0]).toBe(path);
        expect([...model.files].sort()).toEqual(paths);
        expect(model.summary.notes).toContain("3 files");
      });
    }
  });

  it("opens without a file that is missing, and says which", async () => {
    const into = folder();
    const path = write(into, 0);
    write(into, 2);
    await withModel(path, (model) => {
      expect(model.layers.length).toBe(2);
      expect(model.summary.notes).toContain("1 of 3 files is missing, with 1 tensors: m-00002-of-00003.gguf");
    });
  });

  it("gets a fault when two files have a tensor of one name", async () => {
    const into = folder();
    const path = write(into, 0);
    write(into, 1, "blk.0.ffn_up.weight");
    await expect(withModel(path, () => undefined)).rejects.toMatchObject({ code: "malformed", message: expect.stringContaining("is both in m-00001-of-00003.gguf and in m-00002-of-00003.gguf") });
  });
});

describeWithModels("a real model", modelFiles(/\.gguf$/), () => {
  it.each(["gguf/stories260K.gguf", "derived/gguf/stories260K-q8_0.gguf", "derived/gguf/stories260K-q4_0.gguf"])("%s: five blocks of seven matrices between a table of tokens and an output layer", async (path) => {
    await withModel(join(MODELS, path), (model) => {
      expect(model.layers.filter(({ block }) => block !== null).length).toBe(35);
      expect(new Set(model.layers.map(({ block }) => block)).size).toBe(6);
      expect(layer(model, "token_embd.weight").kind).toBe("embedding");
      expect(model.layers.length + model.skipped.length).toBe(model.summary.tensors);
    });
  });
});
