import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileFor } from "../../../src/models/folder";
import { formatOf, openModel } from "../../../src/models/formats";
import { modelOfFolder } from "../../../src/shared/modelFolder";
import { f32, file, files, index } from "../safetensors/safetensorsFile";
import { folder } from "../support/folders";

const isModel = (name: string): boolean => formatOf(name) !== undefined;
const standing = (...names: string[]) => {
  const model = modelOfFolder(names, isModel);
  return model.found === "one" ? model.name : model.found;
};

describe("the file that stands for a folder", () => {
  it.each([
    ["a model of transformers", ["config.json", "model.safetensors", "tokenizer.json"], "model.safetensors"],
    ["a sharded one", ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"], "model.safetensors.index.json"],
    ["one in two formats", ["pytorch_model.bin", "model.safetensors"], "model.safetensors"],
    ["one of PyTorch alone", ["pytorch_model.bin", "training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth"], "pytorch_model.bin"],
    ["a sharded one of PyTorch", ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"], "pytorch_model.bin.index.json"],
    ["an adapter", ["adapter_config.json", "adapter_model.safetensors", "README.md"], "adapter_model.safetensors"],
    ["a part of a diffusion pipeline", ["config.json", "diffusion_pytorch_model.safetensors"], "diffusion_pytorch_model.safetensors"],
    ["one model of any name", ["net.onnx", "net.onnx.data", "README.md"], "net.onnx"],
    ["one in parts without an index", ["llama-00001-of-00002.gguf", "llama-00002-of-00002.gguf"], "llama-00001-of-00002.gguf"],
    ["names in capitals", ["MODEL.SAFETENSORS", "other.onnx"], "MODEL.SAFETENSORS"],
    ["several", ["a.onnx", "b.onnx"], "several"], ["shards without their index", ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"], "several"],
    ["nothing", ["config.json", "training_args.bin", "index.json"], "none"],
  ])("of %s", (_what, names, expected) => {
    expect(standing(...names)).toBe(expected);
  });
});

describe("a folder", () => {
  it("is opened as its model, with what lies beside it", async () => {
    const base = files({ "model.safetensors.index.json": index({ "a.weight": "model-00001-of-00001.safetensors" }), "model-00001-of-00001.safetensors": file({ "a.weight": f32([4, 4]) }) });
    const { summary, layers } = await openModel(base);
    expect(summary.path).toBe(join(base, "model.safetensors.index.json"));
    expect(layers.map(({ tensor }) => tensor.name)).toEqual(["a.weight"]);
  });

  it("and a file is opened as itself", async () => {
    const base = files({ "a.onnx": "x" });
    expect(await fileFor(join(base, "a.onnx"), isModel)).toBe(join(base, "a.onnx"));
    expect(await fileFor(join(base, "missing"), isModel)).toBe(join(base, "missing"));
  });

  it("that holds several models names them", async () => {
    const base = files(Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [`${name}.onnx`, "x"])));
    await expect(openModel(base)).rejects.toMatchObject({ code: "is-a-folder", message: expect.stringMatching(/ holds several models: a\.onnx, b\.onnx, c\.onnx, d\.onnx and 2 more\.$/) as string, next: "Open one of them." });
  });

  it("that holds folders with models names those", async () => {
    const base = files({ "unet/diffusion_pytorch_model.safetensors": "x", "vae/a.onnx": "x", "tokenizer/vocab.json": "{}", "model_index.json": "{}" });
    await expect(openModel(base)).rejects.toMatchObject({ code: "is-a-folder", message: expect.stringMatching(/ holds no model that RankLens reads\.$/) as string, next: "Open one of the folders in it: unet, vae." });
  });

  it("that holds nothing says what would make it a model", async () => {
    await expect(openModel(folder())).rejects.toMatchObject({ code: "is-a-folder", next: "A folder is a model when it has a file like model.safetensors or adapter_model.safetensors, or a single model file." });
  });

  it("of the name of a model file is a folder all the same", async () => {
    const base = join(folder(), "net.onnx");
    mkdirSync(base);
    writeFileSync(join(base, "model.safetensors"), file({ "a.weight": f32([4, 4]) }));
    expect((await openModel(base)).summary.format).toBe("safetensors");
  });
});
