import { truncateSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { folder } from "../support/folders";
import { layer, reason } from "../support/opened";
import { file, floatTensor, ggufFile, withModel, Writer, type FileToWrite } from "./ggufFile";

const writer = new Writer();
const refused = (content: Uint8Array | string) => expect(withModel(content, () => undefined)).rejects;
const whole = () => ggufFile({ metadata: [writer.textEntry("general.architecture", "llama")], tensors: [floatTensor("a.weight", [2, 3]), floatTensor("b.weight", [3, 2])] });

describe("a file that is no GGUF", () => {
  it.each([
    ["of another format", Buffer.from("PK\x03\x04 not a model"), { code: "malformed", message: "model.gguf does not begin as a GGUF file does." }],
    ["of three bytes", Buffer.from("GGU"), { code: "malformed" }],
    ["of the format before GGUF", Buffer.from("tjgg\x03\0\0\0"), { code: "unsupported", message: "model.gguf is of the format GGJT, which GGUF replaced in 2023." }],
    ["of version 1", Buffer.concat([Buffer.from("GGUF"), Buffer.from([1, 0, 0, 0]), Buffer.alloc(24)]), { code: "unsupported", message: expect.stringContaining("version 1, which llama.cpp reads no longer") }],
    ["of version 99", ggufFile({ version: 99 }), { code: "unsupported", message: "model.gguf is GGUF version 99." }],
    ["that is a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), { next: "Run \"git lfs pull\" in its repository." }],
    ["that is empty", Buffer.alloc(0), { code: "empty" }],
  ])("%s gets a sentence", async (_what, content, expected) => { await refused(content).toMatchObject(expected); });

  it("that is a folder, or is not there", async () => {
    await refused(folder()).toMatchObject({ code: "is-a-folder" });
    await refused(`${folder()}/none.gguf`).toMatchObject({ code: "not-found" });
  });
});

describe("a file that is cut off", () => {
  it("gets a fault wherever it ends", async () => {
    const content = whole();
    for (let length = 4; length < content.length - 8; length += 3) await refused(content.subarray(0, length)).toMatchObject({ code: "truncated" });
  });

  it("names the last tensor and how much is missing", async () => {
    const content = whole();
    await refused(content.subarray(0, content.length - 32)).toMatchObject({ message: "model.gguf ends 24 bytes before the end of its last tensor, \"b.weight\"." });
  });
});

describe("a header that claims too much", () => {
  const one = (over: Partial<FileToWrite["tensors"] extends readonly (infer T)[] | undefined ? T : never>) =>
    ggufFile({ tensors: [{ ...floatTensor("a.weight", [2, 3]), ...over }] });

  it.each([
    ["more tensors than it has bytes for", ggufFile({ tensorCount: 900_000n }), "truncated"],
    ["a million million tensors", ggufFile({ tensorCount: 10n ** 12n }), "too-large"],
    ["2⁶⁴ − 1 tensors", ggufFile({ tensorCount: 2n ** 64n - 1n }), "too-large"],
    ["more metadata than it has", ggufFile({ metadataCount: 100n }), "truncated"],
    ["2⁶³ entries of metadata", ggufFile({ metadataCount: 2n ** 63n }), "too-large"],
    ["a key of 2⁶⁰ bytes", ggufFile({ metadata: [Buffer.concat([writer.u64(2n ** 60n), writer.u32(4)])] }), "malformed"],
    ["a text of 2⁴⁰ bytes", ggufFile({ metadata: [writer.entry("t", 8, writer.u64(2n ** 40n))] }), "truncated"],
    ["a list of 2⁵⁰ numbers", ggufFile({ metadata: [writer.entry("t", 9, Buffer.concat([writer.u32(4), writer.u64(2n ** 50n)]))] }), "truncated"],
    ["a list of 2⁴⁰ texts", ggufFile({ metadata: [writer.entry("t", 9, Buffer.concat([writer.u32(8), writer.u64(2n ** 40n)]))] }), "truncated"],
    ["a value of an unknown type", ggufFile({ metadata: [writer.entry("t", 77, Buffer.alloc(8))] }), "malformed"],
    ["an alignment that is no power of two", ggufFile({ metadata: [writer.numberEntry("general.alignment", 33)] }), "malformed"],
    ["an alignment of 0", ggufFile({ metadata: [writer.numberEntry("general.alignment", 0)] }), "malformed"],
    ["an alignment that is a text", ggufFile({ metadata: [writer.textEntry("general.alignment", "32")] }), "malformed"],
    ["five axes", one({ dims: [1, 1, 1, 1, 6] }), "malformed"],
    ["a shape whose product overflows", one({ dims: [2 ** 30, 2 ** 30] }), "malformed"],
    ["a shape that overflows behind a zero", one({ dims: [0, 2 ** 50, 2 ** 50] }), "malformed"],
    ["a size of 2⁶⁴ − 1", one({ dims: [2n ** 64n - 1n] }), "malformed"],
    ["a tensor larger than the file", one({ dims: [2 ** 20, 2 ** 20] }), "truncated"],
    ["data beyond all files", one({ offset: 2n ** 63n }), "malformed"],
    ["data after the end", one({ offset: 2 ** 40 }), "truncated"],
    ["data that are not aligned", one({ offset: 5 }), "malformed"],
    ["rows that are no whole blocks", one({ type: 12, dims: [200, 2] }), "malformed"],
    ["too long a name", one({ name: "x".repeat(70_000) }), "malformed"],
  ])("%s gets a fault", async (_what, content, code) => { await refused(content).toMatchObject({ code }); });

  it("lists nested beyond all sense get a fault", async () => {
    let list = Buffer.concat([writer.u32(4), writer.u64(0)]);
    for (let depth = 0; depth < 1000; depth++) list = Buffer.concat([writer.u32(9), writer.u64(1), list]);
    await refused(ggufFile({ metadata: [writer.entry("t", 9, list)] })).toMatchObject({ code: "malformed" });
  });

  it("two tensors that overlap, or share a name, get a fault that names them", async () => {
    const overlapping = [floatTensor("a.weight", [4, 4]), { ...floatTensor("b.weight", [4, 4]), offset: 32 }];
    await refused(ggufFile({ tensors: overlapping })).toMatchObject({ code: "malformed", message: expect.stringContaining("\"b.weight\" overlap \"a.weight\"") });
    await refused(ggufFile({ tensors: [floatTensor("a", [2, 2]), floatTensor("a", [2, 2])] })).toMatchObject({ message: expect.stringContaining("the name \"a\" a second time") });
  });

  it("costs no more memory than the file has", async () => {
    const path = file(ggufFile({ tensors: [{ ...floatTensor("a.weight", [2, 3]), dims: [2 ** 14, 2 ** 14] }] }));
    truncateSync(path, 2 ** 30 + 4096);
    const before = process.memoryUsage().arrayBuffers;
    await withModel(path, (model) => {
      expect(layer(model, "a.weight").tensor.shape).toEqual([2 ** 14, 2 ** 14]);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
    });
  });
});

describe("an odd but honest file", () => {
  it("opens with no tensors, empty tensors and scalars, each listed", async () => {
    await withModel(ggufFile({}), (model) => { expect(model.layers).toEqual([]); });
    const tensors = [floatTensor("empty", [0, 4]), { name: "scalar", dims: [], type: 0, data: writer.f32s([1]) }, floatTensor("a.weight", [2, 2])];
    await withModel(ggufFile({ tensors }), (model) => {
      expect([reason(model, "empty"), reason(model, "scalar")]).toEqual(["no elements", "a single number"]);
    });
  });

  it("lists a tensor of a type that ggml removed, or did not have yet, and reads its neighbours", async () => {
    const tensors = [{ ...floatTensor("old.weight", [2, 2]), type: 31 }, { ...floatTensor("new.weight", [2, 2]), type: 1000 }, floatTensor("a.weight", [2, 2])];
    await withModel(ggufFile({ tensors }), async (model) => {
      expect([reason(model, "old.weight"), reason(model, "new.weight")]).toEqual(["type 31 of ggml, which RankLens does not read", "type 1000 of ggml, which RankLens does not read"]);
      expect([...await model.read(layer(model, "a.weight").tensor)]).toEqual([1, 2, 3, 4]);
    });
  });

  it("opens with 100,000 tensors", async () => {
    const tensors = Array.from({ length: 100_000 }, (_, index) => floatTensor(`blk.${index}.ffn_up.weight`, [1, 1]));
    await withModel(ggufFile({ tensors }), (model) => { expect(model.layers.length).toBe(100_000); });
  }, 60_000);

  it("keeps a name of markup as text", async () => {
    await withModel(ggufFile({ tensors: [floatTensor("<img src=x onerror=alert(1)>.weight", [2, 2])] }), (model) => {
      expect(model.layers[0]!.tensor.name).toBe("<img src=x onerror=alert(1)>.weight");
    });
  });

  it("reads NaN and infinite scales as what they are", async () => {
    const data = Buffer.concat([Buffer.from([0x00, 0x7e]), Buffer.alloc(16, 0x99), Buffer.from([0x00, 0x7c]), Buffer.alloc(16, 0x99)]);
    await withModel(ggufFile({ tensors: [{ name: "a.weight", dims: [32, 2], type: 2, data }] }), async (model) => {
      const values = await model.read(layer(model, "a.weight").tensor);
      expect([values[0], values[32]]).toEqual([NaN, Infinity]);
    });
  });
});

it("A file that changes after it was opened is not read", async () => {
  const path = file(whole());
  await withModel(path, async (model) => {
    writeFileSync(path, whole());
    utimesSync(path, new Date(1_000_000), new Date(1_000_000));
    await expect(model.read(layer(model, "a.weight").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
  });
  const shorter = file(whole());
  await withModel(shorter, async (model) => {
    truncateSync(shorter, 100);
    await expect(model.read(layer(model, "a.weight").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
  });
});
