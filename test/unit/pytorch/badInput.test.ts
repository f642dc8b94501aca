import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/shared/fault";
import { DEFAULT_OPEN_OPTIONS, type Model } from "../../../src/models/model";
import { pytorch } from "../../../src/models/pytorch/format";
import { folder, written } from "../support/folders";
import { layer, reason } from "../support/opened";
import { zipFile } from "../support/zipFile";
import { archive, call, dict, floats, global, int, join, legacy, list, none, PERSISTENT, pickle, raw, tensor, text, tuple, type Code } from "./pickleFile";

const open = (bytes: Uint8Array, name = "model.pt"): Promise<Model> => pytorch.open(written(bytes, name), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
const refused = (bytes: Uint8Array, name = "model.pt") => expect(open(bytes, name)).rejects;
const weights = tensor({ shape: [4, 4] });
const state = dict(["a.weight", weights]);

describe("a file that is no whole model", () => {
  it.each([["zip archive", archive(pickle(state), { "0": floats(16) })], ["legacy file", legacy(state, { "0": floats(16) })]])("a %s gets a fault wherever it is cut off", async (_what, whole) => {
    for (let length = 0; length < whole.length; length++) {
      const outcome = await open(whole.subarray(0, length)).then((model) => reason(model, "a.weight"), (error: unknown) => {
        if (error instanceof Fault) return error.code;
        throw error;
      });
      expect(outcome).toMatch(/^(?:empty|truncated|malformed|unknown-format)$/);
    }
  });

  it.each([
    ["is a web page", Buffer.from("<!DOCTYPE html><html>"), "unknown-format", "a web page"],
    ["is a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\noid"), "unknown-format", "a Git LFS pointer"],
    ["is a GGUF model", Buffer.from("GGUF\x03\0\0\0\0"), "unknown-format", "a GGUF model"],
    ["is a GGML model", Buffer.from("lmgg\x03\0\0\0\0"), "unknown-format", "a model of GGML"],
    ["is safetensors", Buffer.concat([Buffer.from([20, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("{\"a\":{}}")]), "unknown-format", "a safetensors file"],
    ["is HDF5", Buffer.from("\x89HDF\r\n\x1a\n", "latin1"), "unknown-format", "an HDF5 file"],
    ["holds word vectors", Buffer.from("400000 300\nthe 0.1"), "unknown-format", "a table of word vectors"],
    ["is a tar archive", Buffer.concat([Buffer.alloc(257), Buffer.from("ustar\0")]), "unknown-format", "a tar archive"],
    ["is a checkpoint of TensorFlow 1", Buffer.concat([Buffer.alloc(100), Buffer.from("57fb808b247547db", "hex")]), "unknown-format", "a checkpoint of TensorFlow 1"],
    ["is TensorFlow's list of checkpoints", Buffer.from("model_checkpoint_path: \"model-3\"\n"), "unknown-format", "TensorFlow's list of checkpoints"],
    ["is numbers of another program", Buffer.alloc(64, 0x3f), "unknown-format", "neither a zip archive nor a pickle"],
    ["is a zip archive of NumPy", zipFile([{ name: "a.npy", content: Buffer.alloc(9) }]), "unsupported", "of NumPy arrays"],
    ["is a zip archive of model files", zipFile([{ name: "x/model.pt", content: archive(pickle(state)) }]), "unsupported", "that holds model files"],
    ["is an empty zip archive", zipFile([]), "unsupported", "no data.pkl"],
    ["has an unknown opcode", archive(pickle(raw("\xff"))), "malformed", "an unknown opcode 0xff"],
    ["has a pickle of protocol 9", archive(pickle(state, 9)), "unsupported", "protocol 9"],
    ["takes from an empty stack", archive(pickle(raw("0"))), "malformed", "lacks its operand"],
    ["takes from below a mark", archive(pickle(join(none, raw("(\x85")))), "malformed", "lacks its operand"],
    ["ends without its mark", archive(pickle(raw("t"))), "malformed", "lacks its mark"],
    ["refers to a value that it does not have", archive(pickle(raw("h\x07"))), "malformed", "a reference to value 7"],
    ["appends to a number", archive(pickle(join(int(1), int(2), raw("a")))), "malformed", "what is no list"],
    ["has a key without its value", archive(pickle(join(raw("}("), int(1), raw("u")))), "malformed", "a key without its value"],
    ["calls a number", archive(pickle(join(int(1), tuple(), raw("R")))), "unsupported", "no class or function"],
    ["names a class with a number", archive(pickle(join(int(1), int(2), raw("\x93")))), "malformed", "whose name is no text"],
    ["claims a text of 4 GB", archive(pickle(raw("X\xff\xff\xff\xff"))), "truncated", "inside of its pickle"],
    ["claims bytes of 2⁶³", archive(pickle(raw("\x8e\xff\xff\xff\xff\xff\xff\xff\x7f"))), "malformed", "a length beyond all files"],
    ["claims a string of negative length", archive(pickle(raw("T\xff\xff\xff\xff"))), "malformed", "a negative length"],
    ["has a number of 64 KiB", archive(pickle(join(raw("\x8b\0\0\x01\0"), Buffer.alloc(65_536)))), "malformed", "a whole number of 65536 bytes"],
    ["has a number that is none", archive(pickle(raw("Iabc\n"))), "malformed", "a whole number that is none"],
  ])("%s", async (_what, bytes, code, message) => {
    await refused(bytes, "model.bin").toMatchObject({ name: "Fault", code, message: expect.stringContaining(message) });
  });

  it("is a folder, or is not there", async () => {
    await expect(pytorch.open(folder(), DEFAULT_OPEN_OPTIONS)).rejects.toMatchObject({ code: "is-a-folder" });
    await expect(pytorch.open(`${folder()}/none.pt`, DEFAULT_OPEN_OPTIONS)).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("a file made to exhaust", () => {
  it("gets a fault for more operations, objects or remembered values than any model has", async () => {
    await refused(archive(pickle(Buffer.alloc(41_000_000, "N")), {}, [], true)).toMatchObject({ code: "too-large", message: expect.stringContaining("operations") });
    await refused(archive(pickle(Buffer.alloc(7_000_000, ")")), {}, [], true)).toMatchObject({ code: "too-large", message: expect.stringContaining("objects") });
    await refused(archive(pickle(join(none, Buffer.alloc(7_000_000, 0x94))), {}, [], true)).toMatchObject({ code: "too-large", message: expect.stringContaining("remembers") });
  }, 120_000);

  it("opens lists nested a million deep, and looks 64 deep", async () => {
    const depth = 1_000_000;
    const nested = join(Buffer.alloc(depth, "]"), weights, Buffer.alloc(depth, "a"));
    const model = await open(archive(pickle(dict(["a.weight", weights], ["deep", nested])), { "0": floats(16) }, [], true));
    expect(layer(model, "a.weight").kind).toBe("linear");
    expect(model.summary.notes).toContain("values nested too deep were not looked at");
  }, 60_000);

  it("opens what refers to itself, and what doubles 60 times", async () => {
    const cycle = join(raw("]q\x01"), raw("h\x01a"), weights, raw("a"));
    expect(layer(await open(archive(pickle(cycle), { "0": floats(16) })), "1").tensor.shape).toEqual([4, 4]);
    const doubled = join(weights, raw("q\x00"), ...Array.from({ length: 60 }, () => raw("2\x86")));
    const model = await open(archive(pickle(doubled), { "0": floats(16) }));
    expect(model.layers.length).toBe(1);
    expect(model.summary.parameters).toBe(16);
  });

  it("ends on scales of scales, which could double at each step", async () => {
    const place = join(tuple(text("storage"), global("torch", "QInt8Storage"), text("0"), text("cpu"), int(16)), PERSISTENT);
    const quantized = (scales: Code): Code => call(global("torch._utils", "_rebuild_qtensor"), place, int(0), tuple(int(4), int(4)), tuple(int(4), int(1)),
      tuple(global("torch", "per_channel_affine"), scales, scales, int(0)), raw("\x89"), none);
    let nested = quantized(tensor({ shape: [4] }));
    for (let depth = 0; depth < 8; depth++) nested = quantized(nested);
    const model = await open(archive(pickle(dict(["w.weight", nested])), { "0": floats(16) }));
    expect(reason(model, "w.weight")).toBe("its quantization scheme torch.per_channel_affine is not one that RankLens reads");
  });

  it("does not copy what many calls share", async () => {
    const shared = join(raw("](") , Buffer.alloc(1_000_000, "N"), raw("eq\x00"));
    const calls = Buffer.concat(Array.from({ length: 1000 }, () => join(global("collections", "OrderedDict"), raw("h\x00\x85R"))));
    await refused(archive(pickle(join(shared, calls)), {}, [], true)).toMatchObject({ code: "too-large" });
    const keywords = Buffer.concat(Array.from({ length: 1000 }, () => join(global("mylib", "Thing"), raw("h\x00}\x92"))));
    const items = join(raw("("), Buffer.alloc(1_000_000, "N"), raw("tq\x00"));
    await refused(archive(pickle(join(items, keywords)), {}, [], true)).toMatchObject({ code: "too-large" });
  }, 60_000);

  it("gets a fault for more tensors than any model has, or longer names", async () => {
    const repeated = join(raw("]("), weights, raw("q\x00"), Buffer.alloc(1_200_000, "h\x00"), raw("e"));
    await refused(archive(pickle(repeated), { "0": floats(16) }, [], true)).toMatchObject({ code: "too-large", message: "model.pt holds more than 500000 tensors." });
    const long = join(raw("]("), weights, raw("q\x00"), Buffer.alloc(200_000, "h\x00"), raw("e"));
    const named = dict(["x".repeat(1000), dict(["y".repeat(1000), long])]);
    await refused(archive(pickle(named), { "0": floats(16) }, [], true)).toMatchObject({ code: "too-large", message: "model.pt names its tensors with more than 100000000 characters." });
  }, 60_000);

  it("does not unpack a bomb", async () => {
    const bomb = Buffer.alloc(200_000_000);
    await refused(zipFile([{ name: "a/data.pkl", content: bomb, isDeflated: true }])).toMatchObject({ code: "unsupported", message: expect.stringContaining("no weights pack so well") });
    const huge = tensor({ shape: [7000, 7000] });
    const model = await open(zipFile([{ name: "a/data.pkl", content: pickle(dict(["w.weight", huge])) }, { name: "a/data/0", content: bomb, isDeflated: true }]));
    expect(reason(model, "w.weight")).toMatch(/claim to unpack to 200000000: no weights pack so well/);
  }, 60_000);

  it("does not make elements that the file does not hold", async () => {
    const expanded = tensor({ shape: [30_000, 30_000], strides: [0, 0], elements: 1 });
    const model = await open(archive(pickle(dict(["w.weight", expanded])), { "0": floats(1) }));
    expect(reason(model, "w.weight")).toBe("its 900000000 elements repeat the 1 of its storage: an expanded tensor");
  });

  it("does not trust sizes in the directory", async () => {
    const claims = { name: "a/data/0", content: floats(16), claims: { size: 2 ** 31, packedSize: 2 ** 31 } };
    const model = await open(zipFile([{ name: "a/data.pkl", content: pickle(state) }, claims]));
    expect(reason(model, "a.weight")).toMatch(/cannot be read: it would end at byte \d+ of a file of \d+/);
    const longer = { name: "a/data/0", content: floats(15), isDeflated: true, claims: { size: 64 } };
    const short = await open(zipFile([{ name: "a/data.pkl", content: pickle(state) }, longer]));
    await expect(short.read(short.layers[0]!.tensor)).rejects.toMatchObject({ code: "malformed", message: expect.stringContaining("unpacks to 60 bytes, where 64 were expected") });
  });
});

describe("a tensor that cannot be read", () => {
  it.each([
    ["has no storage in the archive", tensor({ shape: [4, 4], key: "9" }), "its data, archive/data/9, is not in the archive"],
    ["reaches beyond its storage", tensor({ shape: [4, 4], offset: 3, elements: 16 }), "it reaches to element 19 of a storage of 16"],
    ["has a storage that is too short", tensor({ shape: [5, 5] }), "its data, archive/data/0, has 64 of 100 bytes"],
    ["has a shape whose product overflows", tensor({ shape: [2 ** 31, 2 ** 31], elements: 16 }), "its shape [2147483648, 2147483648] has too large a product"],
    ["has fewer strides than axes", tensor({ shape: [4, 4], strides: [1] }), "its shape, strides or place are damaged"],
    ["has a negative axis", tensor({ shape: [-4, 4], elements: 16 }), "its shape, strides or place are damaged"],
    ["has a storage that is none", call(global("torch._utils", "_rebuild_tensor_v2"), none, int(0), tuple(int(2), int(2)), tuple(int(2), int(1))), "its storage is not one that the file holds"],
    ["has a type of quarter bytes", tensor({ shape: [4, 4], storage: "QUInt2x4Storage" }), "quint2x4: a type that RankLens does not read"],
    ["has no values", call(global("torch._utils", "_rebuild_meta_tensor_no_storage"), global("torch", "float32"), tuple(int(4), int(4)), tuple(int(4), int(1)), raw("\x89")), "a tensor on the meta device: it has no values"],
  ])("because it %s is listed with the reason", async (_what, code: Code, why) => {
    const model = await open(archive(pickle(dict(["x.weight", code])), { "0": floats(16) }));
    expect(reason(model, "x.weight")).toBe(why);
  });

  it("keeps tensors of one name apart", async () => {
    const model = await open(archive(pickle(dict(["a", dict(["b", weights])], ["a.b", tensor({ shape: [2, 8] })])), { "0": floats(16) }));
    expect(model.layers.map(({ tensor: { name } }) => name)).toEqual(["a.b", "a.b (2)"]);
  });

  it("is told from a file that changed after it was opened", async () => {
    const path = written(archive(pickle(state), { "0": floats(16) }), "model.pt");
    const model = await pytorch.open(path, DEFAULT_OPEN_OPTIONS);
    const { appendFileSync } = await import("node:fs");
    appendFileSync(path, "more");
    await expect(model.read(model.layers[0]!.tensor)).rejects.toMatchObject({ code: "changed-while-read" });
  });

  it("is found when the count before a legacy storage is not the tensor's", async () => {
    const bytes = legacy(state, { "0": floats(16) });
    bytes.writeUInt8(15, bytes.length - 64 - 8);
    const model = await open(bytes);
    await expect(model.read(model.layers[0]!.tensor)).rejects.toMatchObject({ code: "malformed", message: expect.stringContaining("has 15 elements") });
  });

  it("has a list of storages that fits, or the file is refused", async () => {
    const bytes = legacy(list(text("x")), { "0": floats(16) });
    await refused(bytes).toMatchObject({ code: "malformed", message: expect.stringContaining("which no tensor uses") });
  });
});
