import { truncateSync, utimesSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { folder } from "../support/folders";
import { layer, readAll, reason } from "../support/opened";
import { hdf5File, u64, type GroupToWrite } from "./hdf5Writer";
import { archive, config, dataset, file, withModel } from "./kerasFile";

const refused = (content: Uint8Array | string) => expect(withModel(content, readAll)).rejects;
const whole = () => hdf5File({ root: { dense: { dense: { "kernel:0": dataset(4, 6), "bias:0": dataset(6) } } } });

/** The file with `bytes` in place of those that begin where `marker` does. */
function patched(content: Buffer, marker: Buffer, offset: number, bytes: Buffer): Buffer {
  const at = content.indexOf(marker);
  if (at < 0) throw new Error("no such bytes");
  const out = Buffer.from(content);
  bytes.copy(out, at + offset);
  return out;
}

describe("a file that is no Keras model", () => {
  it.each([
    ["is of another format", Buffer.from("just some text, and more of it until it is long enough to be looked at"), { code: "malformed", message: "model.h5 is not an HDF5 file." }],
    ["is a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), { next: "Run \"git lfs pull\" in its repository." }],
    ["is empty", Buffer.alloc(0), { code: "empty" }],
    ["is cut off inside its signature", Buffer.from("\x89HDF", "latin1"), { code: "truncated" }],
    ["is another zip archive", archive({ "a.txt": Buffer.from("a") }), { code: "malformed", message: "model.h5 is a zip archive without model.weights.h5: it is no Keras model." }],
    ["is an archive whose weights are no HDF5", archive({ "model.weights.h5": Buffer.alloc(200) }), { code: "malformed", message: "model.weights.h5 of model.h5 is not an HDF5 file." }],
  ])("%s", async (_what, content, expected) => { await refused(content).toMatchObject(expected); });

  it("is a folder, or is not there", async () => {
    await refused(folder()).toMatchObject({ code: "is-a-folder" });
    await refused(`${folder()}/none.h5`).toMatchObject({ code: "not-found" });
  });
});

describe("a damaged file", () => {
  it("gets a fault wherever it ends", async () => {
    const content = whole();
    for (let length = 8; length < content.length - 8; length += 16) await refused(content.subarray(0, length)).toMatchObject({ code: "truncated" });
  });

  it.each([
    ["a group that contains itself", patched(whole(), Buffer.from("SNOD"), 16, u64(0)), "malformed"],
    ["a tree of names that leads to itself", patched(whole(), Buffer.from("TREE"), 32, u64(whole().indexOf("TREE"))), "malformed"],
    ["a heap of 2⁵⁰ bytes", patched(whole(), Buffer.from("HEAP"), 8, u64(2 ** 50)), "malformed"],
    ["a superblock of version 9", patched(whole(), Buffer.from("HDF"), 7, Buffer.from([9])), "unsupported"],
    ["addresses of 4 bytes", patched(whole(), Buffer.from("HDF"), 12, Buffer.from([4])), "unsupported"],
  ])("with %s gets a fault", async (_what, content, code) => { await refused(content).toMatchObject({ code }); });

  it("with a group inside itself ends", async () => {
    const content = whole();
    const root = Number(content.readBigUInt64LE(64));
    // The innermost group's first name leads to the root.
    await withModel(patched(content, Buffer.from("SNOD"), 16, u64(root)), (model) => { expect(model.summary.tensors).toBe(1); });
  });

  it("whose tensor claims more than the file has lists it, with the reason", async () => {
    const dims = Buffer.concat([u64(4), u64(6)]);
    const claims = (sizes: readonly (number | bigint)[]) => patched(whole(), dims, 0, Buffer.concat(sizes.map(u64)));
    await withModel(claims([2 ** 20, 2 ** 20]), (model) => { expect(reason(model, "dense/dense/kernel:0")).toBe("its values pass the end of the file"); });
    await withModel(claims([2 ** 40, 2 ** 40]), (model) => { expect(reason(model, "dense/dense/kernel:0")).toContain("has too large a product"); });
    await withModel(claims([0, 2n ** 63n]), (model) => { expect(reason(model, "dense/dense/kernel:0")).toContain("has too large a product"); });
    await withModel(claims([0, 6]), (model) => { expect(reason(model, "dense/dense/kernel:0")).toBe("no elements"); });
  });

  it("whose chunks claim to unpack to a thousand times the file lists the tensor, with the reason", async () => {
    const content = hdf5File({ root: { dense: { "kernel:0": { ...dataset(4, 6), chunk: [4, 6] } } } });
    await withModel(patched(content, Buffer.concat([u64(4), u64(6)]), 0, Buffer.concat([u64(100_000), u64(100_000)])), (model) => {
      expect(reason(model, "dense/kernel:0")).toContain("no weights pack so well");
    });
  });

  it("whose chunk does not unpack gets a fault when it is read", async () => {
    const content = hdf5File({ root: { dense: { "kernel:0": { ...dataset(4, 6), chunk: [4, 6] } } } });
    const at = content.indexOf(Buffer.from([0x78, 0x9c]));
    content.fill(0xff, at + 4, at + 12);
    await withModel(content, async (model) => {
      await expect(model.read(layer(model, "dense/kernel:0").tensor)).rejects.toMatchObject({ code: "malformed", message: expect.stringContaining("does not unpack to its 96 bytes") });
    });
  });
});

describe("an odd but honest file", () => {
  it("opens with a config that is no JSON, and says so", async () => {
    await withModel(hdf5File({ root: { dense: { "kernel:0": dataset(2, 2) } }, texts: { model_config: "{\"class_name\": \"Seq" } }), (model) => {
      expect(model.summary.notes).toEqual(["its config cannot be read: kinds of layers are taken from names and shapes"]);
      expect(layer(model, "dense/kernel:0").kind).toBe("linear");
    });
  });

  it("opens with a config nested beyond all sense", async () => {
    const deep = `{"class_name":"Functional","config":${"{\"layers\":[{\"class_name\":\"Functional\",\"config\":".repeat(5000)}{}${"}]}".repeat(5000)}}`;
    await withModel(hdf5File({ root: { dense: { "kernel:0": dataset(2, 2) } }, texts: { model_config: deep } }), (model) => { expect(model.layers.length).toBe(1); });
  });

  it("opens without anything in it, and with scalars and empty groups", async () => {
    await withModel(hdf5File({ root: {} }), (model) => { expect([model.layers, model.skipped]).toEqual([[], []]); });
    await withModel(hdf5File({ root: { empty: {}, seed: { shape: [], values: [1] } } }), (model) => { expect(reason(model, "seed")).toBe("a single number"); });
  });

  it("opens with 20,000 layers", async () => {
    const root: GroupToWrite = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`dense_${index}`, { "kernel:0": dataset(1, 2) }]));
    await withModel(hdf5File({ root }), (model) => { expect(model.layers.length).toBe(20_000); });
  }, 60_000);

  it("keeps names of markup as text, and takes those of Object for names", async () => {
    const root = { "<img src=x onerror=alert(1)>": { "kernel:0": dataset(2, 2) }, constructor: { toString: dataset(2, 2) } };
    await withModel(hdf5File({ root, texts: { model_config: config(["Dense", "constructor"], ["__proto__", "toString"]) } }), (model) => {
      expect(model.layers.map(({ tensor }) => tensor.name).sort()).toEqual(["<img src=x onerror=alert(1)>/kernel:0", "constructor/toString"]);
    });
  });
});

it("A file that changes after it was opened is not read", async () => {
  const path = file(whole());
  await withModel(path, async (model) => {
    utimesSync(path, new Date(1_000_000), new Date(1_000_000));
    await expect(model.read(layer(model, "dense/dense/kernel:0").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
    truncateSync(path, 100);
    await expect(model.read(layer(model, "dense/dense/kernel:0").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
  });
});
