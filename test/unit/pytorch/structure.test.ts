import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS, type Model } from "../../../src/models/model";
import { pytorch } from "../../../src/models/pytorch/format";
import { folder, written } from "../support/folders";
import { layer, reason } from "../support/opened";
import { ramp } from "../support/ramp";
import { zipFile } from "../support/zipFile";
import { archive, BUILD, call, dict, float, floats, global, int, join, legacy, list, NEWOBJ, no, none, object, pickle, PERSISTENT, raw, tensor, text, tuple, typedTensor, type Code } from "./pickleFile";

const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
const open = (bytes: Uint8Array, name = "model.pt"): Promise<Model> => pytorch.open(written(bytes, name), options);
const names = (model: Model): string[] => model.layers.map(({ tensor: { name } }) => name);
const weights = tensor({ shape: [4, 4] });
const content = { "0": floats(16) };
const read = async (model: Model, name: string): Promise<number[]> => Array.from(await model.read(layer(model, name).tensor));

describe("an archive", () => {
  it.each(["archive", "any name", "model_final.pt", "a/b"])("may call its folder \"%s\", and deflate its entries", async (root) => {
    for (const isDeflated of [false, true]) {
      const model = await open(zipFile([
        { name: `${root}/data.pkl`, content: pickle(dict(["w.weight", weights])), isDeflated },
        { name: `${root}/data/0`, content: floats(16), isDeflated }, { name: `${root}/version`, content: Buffer.from("3\n") },
      ]));
      expect(await read(model, "w.weight")).toEqual(ramp(16));
    }
  });

  it("may be zip64, as PyTorch writes all of them", async () => {
    const files = [{ name: "m/data.pkl", content: pickle(dict(["w.weight", weights])), isZip64: true }, { name: "m/data/0", content: floats(16), isZip64: true }];
    expect(await read(await open(zipFile(files, { isZip64: true })), "w.weight")).toEqual(ramp(16));
  });

  it("tells the order of its bytes", async () => {
    const big = Buffer.from(floats(16)).swap32();
    const model = await open(archive(pickle(dict(["w.weight", weights])), { "0": big }, [{ name: "archive/byteorder", content: Buffer.from("big") }]));
    expect(await read(model, "w.weight")).toEqual(ramp(16));
    expect(layer(model, "w.weight").notes).toContain("stored big-endian");
  });
});

describe("a tensor", () => {
  it.each<[string, number[], number[], number, number[]]>([
    ["transposed", [4, 3], [1, 4], 0, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
    ["of every second column", [2, 2], [4, 2], 1, [1, 3, 5, 7]],
    ["of permuted axes", [2, 2, 3], [1, 6, 2], 0, [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]],
    ["that repeats a row", [3, 2], [0, 1], 2, [2, 3, 2, 3, 2, 3]],
  ])("%s is read in row-major order", async (_what, shape, strides, offset, expected) => {
    const model = await open(archive(pickle(dict(["w.weight", tensor({ shape, strides, offset, elements: 12 })])), { "0": floats(12) }));
    expect(await read(model, "w.weight")).toEqual(expected);
  });

  it("of a type without a storage of its own is read from bytes", async () => {
    // 0x38 is 1, 0x40 is 2, 0xc4 is −3 in E4M3 (Micikevicius et al., table 1).
    const model = await open(archive(pickle(dict(["w.weight", typedTensor("float8_e4m3fn", 4, [2, 2])])), { "0": Buffer.from([0x38, 0x40, 0xc4, 0x00]) }));
    expect(await read(model, "w.weight")).toEqual([1, 2, -3, 0]);
    expect(layer(model, "w.weight")).toMatchObject({ tensor: { dtype: "float8_e4m3fn" }, notes: ["float8_e4m3fn without a scale"] });
  });

  it("inside of Parameters and subclasses is found", async () => {
    const parameter = call(global("torch._utils", "_rebuild_parameter"), weights, no, none);
    const subclass = call(global("torch._tensor", "_rebuild_from_type_v2"), global("torch._utils", "_rebuild_tensor_v2"), global("mylib", "Tensor"), tuple(
      join(tuple(text("storage"), global("torch", "FloatStorage"), text("1"), text("cuda:0"), int(6)), PERSISTENT), int(0), tuple(int(2), int(3)), tuple(int(3), int(1)), no, none,
    ), dict());
    const model = await open(archive(pickle(dict(["a.weight", parameter], ["b.weight", subclass])), { "0": floats(16), "1": floats(6) }));
    expect(await read(model, "a.weight")).toEqual(ramp(16));
    expect(await read(model, "b.weight")).toEqual(ramp(6));
  });

  it("of integers with a scale is dequantized", async () => {
    const place = join(tuple(text("storage"), global("torch", "QInt8Storage"), text("0"), text("cpu"), int(4)), PERSISTENT);
    const q = (scheme: Code) => call(global("torch._utils", "_rebuild_qtensor"), place, int(0), tuple(int(2), int(2)), tuple(int(2), int(1)), scheme, no, none);
    const perTensor = q(tuple(global("torch", "per_tensor_affine"), float(0.5), int(1)));
    const perChannel = q(tuple(global("torch", "per_channel_affine"), list(float(2), float(4)), list(int(0), int(-1)), int(0)));
    const model = await open(archive(pickle(dict(["a.weight", perTensor], ["b.weight", perChannel])), { "0": Buffer.from([1, 2, 3, 0xff]) }));
    expect(await read(model, "a.weight")).toEqual([0, 0.5, 1, -1]);
    expect(await read(model, "b.weight")).toEqual([2, 4, 16, 0]);
    expect(layer(model, "b.weight").notes).toContain("int8, dequantized per axis 0");
  });

  it("that is the whole object has a name too", async () => {
    expect(names(await open(archive(pickle(weights), content)))).toEqual(["(unnamed tensor)"]);
  });

  it("of 2017 may be a view on another storage", async () => {
    const view = join(tuple(text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), int(16), tuple(text("v"), int(4), int(8))), PERSISTENT);
    const code = call(global("torch._utils", "_rebuild_tensor"), view, int(1), tuple(int(2), int(2)), tuple(int(2), int(1)));
    expect(await read(await open(legacy(dict(["w.weight", code]), content)), "w.weight")).toEqual([5, 6, 7, 8]);
  });
});

describe("names", () => {
  it.each<[string, Code, string[]]>([
    ["of a state dict are its keys", dict(["a.weight", weights]), ["a.weight"]],
    ["leave out the key of the model", dict(["state_dict", dict(["a.weight", weights])], ["epoch", int(3)]), ["a.weight"]],
    ["leave out the key of the model where scores and settings stand beside it", dict(
      ["state_dict", dict(["a.weight", weights])], ["best_acc1", tensor({ shape: [] })], ["hyper_parameters", dict(["class_weights", tensor({ shape: [2, 8] })])],
    ), ["a.weight"]],
    ["leave out keys in keys", dict(["model", dict(["state_dict", dict(["a.weight", weights])])]), ["a.weight"]],
    ["keep keys of parts that are several", dict(["generator", dict(["a.weight", weights])], ["critic", dict(["a.weight", tensor({ shape: [2, 8] })])]), ["generator.a.weight", "critic.a.weight"]],
    ["keep what is no holder", dict(["encoder", dict(["a.weight", weights])]), ["encoder.a.weight"]],
    ["keep a module that is called model", dict(["model.weight", weights]), ["model.weight"]],
    ["of lists are positions", list(weights, list(tensor({ shape: [2, 8] }))), ["0", "1.0"]],
    ["of attributes are theirs", object("__main__", "Net", dict(["_modules", dict(["fc", object("torch.nn", "Linear", dict(["_parameters", dict(["weight", weights])]))])])), ["fc.weight"]],
    ["keep a module's own modules, whatever they are called", dict(["model", object("__main__", "Net", dict(["_modules", dict(["model", object("torch.nn", "Linear", dict(["_parameters", dict(["weight", weights])]))])]))]), ["model.weight"]],
    ["of packed weights are those of their modules", dict(["fc._packed_params._packed_params", tuple(weights, none)]), ["fc.weight"]],
    ["of numbers as keys are those", dict([int(7), weights]), ["7"]],
  ])("%s", async (_what, code, expected) => {
    expect(names(await open(archive(pickle(code), content)))).toEqual(expected);
  });

  it("with module. before them stand at the same place of the map", async () => {
    const model = await open(archive(pickle(dict(["module.layers.3.fc.weight", weights])), content));
    expect(layer(model, "module.layers.3.fc.weight")).toMatchObject({ kind: "linear", block: "layers.3", module: "fc" });
  });
});

describe("shared storages", () => {
  it("are one layer where all elements are the same, several where they are not", async () => {
    const model = await open(archive(pickle(dict(["embed.weight", weights], ["head.weight", weights], ["copy.weight", tensor({ shape: [4, 4] })], ["rows.weight", tensor({ shape: [2, 4], offset: 8, elements: 16 })])), content));
    expect(names(model)).toEqual(["embed.weight", "rows.weight"]);
    expect(layer(model, "embed.weight").notes).toEqual(["also used as head.weight", "also used as copy.weight"]);
    expect(reason(model, "head.weight")).toBe("shares its data with embed.weight");
    expect(await read(model, "rows.weight")).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });
});

describe("a module that two others share", () => {
  it("gives its tensors both names", async () => {
    const shared = join(object("torch.nn", "Linear", dict(["_parameters", dict(["weight", weights])])), raw("q\x20"));
    const model = await open(archive(pickle(dict(["a", shared], ["b", raw("h\x20")])), content));
    expect(names(model)).toEqual(["a.weight"]);
    expect(reason(model, "b.weight")).toBe("shares its data with a.weight");
  });
});

describe("what is no tensor, and holds numbers", () => {
  it("is listed with the reason", async () => {
    const array = join(call(global("numpy.core.multiarray", "_reconstruct"), global("numpy", "ndarray"), tuple(int(0)), text("b")), tuple(int(1), tuple(int(3), int(5)), none, no, text("")), BUILD);
    const place = join(tuple(text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), int(16)), PERSISTENT);
    const model = await open(archive(pickle(dict(["w.weight", weights], ["array", array], ["storage", place])), content));
    expect(model.skipped.map(({ name, shape, reason: why }) => [name, shape, why])).toEqual([
      ["array", [3, 5], "a NumPy array inside of the pickle: save it as a tensor"], ["storage", [16], "a storage without a tensor"],
    ]);
  });
});

describe("a TorchScript archive", () => {
  const script = object("__torch__.net.Net", "Net", dict(["training", no], ["fc", object("__torch__.torch.nn.Linear", "Linear", dict(["weight", weights]))]));

  it("gives its attributes as a state dict has them, and its constants", async () => {
    const constants = zipFile([
      { name: "net/data.pkl", content: pickle(script) }, { name: "net/data/0", content: floats(16) },
      { name: "net/constants.pkl", content: pickle(tuple(tensor({ shape: [2, 3] }))) }, { name: "net/constants/0", content: floats(6) },
      { name: "net/code/__torch__/net.py", content: Buffer.from("import os; os.system('false')") },
    ]);
    const model = await open(constants);
    expect(names(model)).toEqual(["fc.weight", "constants.0"]);
    expect(await read(model, "constants.0")).toEqual(ramp(6));
    expect(model.summary.notes).toContain("TorchScript archive");
  });
});

describe("a module that was saved whole", () => {
  it("with its source code, as legacy files have it, is read by its attributes", async () => {
    const source = join(tuple(text("module"), global("__main__", "Net"), text("net.py"), text("class Net: ...")), PERSISTENT);
    const net = join(source, tuple(), NEWOBJ, dict(["_parameters", dict(["weight", weights])]), BUILD);
    expect(names(await open(legacy(net, content)))).toEqual(["weight"]);
  });
});

describe("a sharded checkpoint", () => {
  const shard = (name: string, offset = 0): Buffer => archive(pickle(dict([name, weights])), { "0": Buffer.from(Float32Array.from(ramp(16), (value) => value + offset).buffer) });

  function checkpoint(map: Record<string, string>, shards: Record<string, Uint8Array>): string {
    const home = folder();
    const path = joinPath(home, "pytorch_model.bin.index.json");
    writeFileSync(path, JSON.stringify({ metadata: { total_size: 128 }, weight_map: map }));
    for (const [name, bytes] of Object.entries(shards)) writeFileSync(joinPath(home, name), bytes);
    return path;
  }

  it("is one model", async () => {
    const path = checkpoint({ "a.weight": "m-1.bin", "b.weight": "m-2.bin" }, { "m-1.bin": shard("a.weight"), "m-2.bin": shard("b.weight", 100) });
    const model = await pytorch.open(path, options);
    expect(names(model)).toEqual(["a.weight", "b.weight"]);
    expect(await read(model, "b.weight")).toEqual(ramp(16).map((value) => value + 100));
    expect(model.files.length).toBe(3);
    expect(model.summary.notes).toContain("2 shards");
  });

  it("tells which shards are missing, and which tensors no shard has", async () => {
    const path = checkpoint({ "a.weight": "m-1.bin", "b.weight": "m-2.bin", "c.weight": "m-1.bin" }, { "m-1.bin": shard("a.weight") });
    const model = await pytorch.open(path, options);
    expect(reason(model, "b.weight")).toBe("its shard m-2.bin is missing");
    expect(reason(model, "c.weight")).toBe("not in m-1.bin, where the index has it");
    await expect(pytorch.open(checkpoint({ a: "m-1.bin" }, {}), options)).rejects.toMatchObject({ code: "not-found" });
  });

  it("lists a name that two shards have", async () => {
    const model = await pytorch.open(checkpoint({ "a.weight": "m-1.bin", "b.weight": "m-2.bin" }, { "m-1.bin": shard("a.weight"), "m-2.bin": shard("a.weight") }), options);
    expect(reason(model, "a.weight (2)")).toBe("another shard has a tensor of this name; this one is in m-2.bin");
  });

  it.each(["../m-1.bin", "/tmp/m-1.bin", "sub/../../m-1.bin"])("may not reach out of its folder: %s", async (name) => {
    await expect(pytorch.open(checkpoint({ "a.weight": name }, {}), options)).rejects.toMatchObject({ code: "external-data-refused" });
  });

  it("may not reach out of its folder by a link", async () => {
    const outside = written(shard("a.weight"), "outside.bin");
    const path = checkpoint({ "a.weight": "m-1.bin" }, {});
    symlinkSync(outside, joinPath(path, "../m-1.bin"));
    await expect(pytorch.open(path, options)).rejects.toMatchObject({ code: "external-data-refused" });
  });

  it("may name shards in folders below", async () => {
    const path = checkpoint({ "a.weight": "sub/m-1.bin" }, {});
    mkdirSync(joinPath(path, "../sub"));
    writeFileSync(joinPath(path, "../sub/m-1.bin"), shard("a.weight"));
    expect(names(await pytorch.open(path, options))).toEqual(["a.weight"]);
  });
});

describe("text in old pickles", () => {
  it("is read with its escapes", async () => {
    const old = raw("(dp0\nS'it\\'s.weight'\np1\n");
    const model = await open(archive(join(old, weights, raw("sV\\u00e4.weight\n"), tensor({ shape: [2, 8] }), raw("s."),), content));
    expect(names(model)).toEqual(["it's.weight", "ä.weight"]);
  });
});
