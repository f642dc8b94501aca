import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "../support/folders";
import { layer, reason } from "../support/opened";
import { f32, file, files, index, withModel } from "./safetensorsFile";

const INDEX = "model.safetensors.index.json";
const FIRST = "model-00001-of-00002.safetensors", SECOND = "model-00002-of-00002.safetensors";
const first = file({ "layers.0.fc.weight": f32([2, 3]) }, { format: "pt" });
const second = file({ "layers.1.fc.weight": f32([2, 3], [6, 5, 4, 3, 2, 1]), "norm.weight": f32([3]) }, { format: "pt" });
const map = { "layers.0.fc.weight": FIRST, "layers.1.fc.weight": SECOND, "norm.weight": SECOND };
const whole = { [INDEX]: index(map), [FIRST]: first, [SECOND]: second };
const refused = (base: string) => expect(withModel(join(base, INDEX), () => null)).rejects;

describe("a sharded checkpoint", () => {
  it("is one model, read from all its shards", async () => {
    const base = files(whole);
    await withModel(join(base, INDEX), async (opened) => {
      expect(opened.layers.map(({ tensor, block }) => [tensor.name, block])).toEqual([["layers.0.fc.weight", "layers.0"], ["layers.1.fc.weight", "layers.1"]]);
      expect([...await opened.read(layer(opened, "layers.1.fc.weight").tensor)]).toEqual([6, 5, 4, 3, 2, 1]);
      expect(opened.files).toEqual([INDEX, FIRST, SECOND].map((name) => join(base, name)));
      expect(opened.summary).toMatchObject({ tensors: 3, parameters: 15, bytes: first.length + second.length + index(map).length, notes: ["2 shards", "saved from PyTorch"] });
    });
  });

  it("gives parts of a tensor, which are those of the whole", async () => {
    await withModel(join(files(whole), INDEX), async (opened) => {
      const { tensor } = layer(opened, "layers.1.fc.weight");
      const { read: range } = opened.ranges!(tensor)!;
      expect([...await range(0, 6)]).toEqual([6, 5, 4, 3, 2, 1]);
      expect([...await range(2, 3)]).toEqual([4, 3, 2]);
      expect([...await range(5, 1)]).toEqual([1]);
      expect(opened.ranges!({ ...tensor, name: "none" })).toBeNull();
    });
  });

  it("opened by one shard is that shard, and says where the rest is", async () => {
    const base = files(whole);
    await withModel(join(base, SECOND), (opened) => {
      expect(opened.layers.length).toBe(1);
      expect(opened.summary.notes).toContain(`shard 2 of 2: open ${INDEX} for the whole model`);
    });
    await withModel(join(files({ [FIRST]: first }), FIRST), (opened) => { expect(opened.summary.notes).toContain("shard 1 of 2"); });
  });

  it("with a shard missing lists its tensors, and opens the rest", async () => {
    await withModel(join(files({ [INDEX]: index(map), [FIRST]: first }), INDEX), (opened) => {
      expect(opened.layers.map(({ tensor }) => tensor.name)).toEqual(["layers.0.fc.weight"]);
      expect(reason(opened, "layers.1.fc.weight")).toBe(`its shard ${SECOND} is missing`);
      expect(opened.summary).toMatchObject({ tensors: 3 });
      expect(opened.summary.notes).toContain(`1 of 2 shards are missing: ${SECOND}`);
    });
  });

  it("with all shards missing gets a fault", async () => {
    await refused(files({ [INDEX]: index(map) })).toMatchObject({ code: "not-found", message: expect.stringContaining("None of the 2 files") });
  });

  it("with a damaged shard says which", async () => {
    await refused(files({ ...whole, [SECOND]: second.subarray(0, -1) })).toMatchObject({ code: "truncated", message: expect.stringContaining(SECOND) });
    await refused(files({ ...whole, [SECOND]: "" })).toMatchObject({ code: "empty", message: expect.stringContaining(SECOND) });
  });

  it("whose index and shards disagree lists every tensor once", async () => {
    const base = files({
      [INDEX]: index({ a: FIRST, b: SECOND, lost: FIRST, twice: SECOND }),
      [FIRST]: file({ a: f32([2, 2]), twice: f32([2, 2]), unnamed: f32([2, 2]) }), [SECOND]: file({ b: f32([2, 2]), twice: f32([2, 2], [9, 8, 7, 6]) }),
    });
    await withModel(join(base, INDEX), (opened) => {
      expect(opened.layers.map(({ tensor }) => tensor.name).sort()).toEqual(["a", "b", "unnamed"]);
      expect(reason(opened, "lost")).toBe(`not in ${FIRST}, where the index has it`);
      expect(reason(opened, "twice")).toBe(`the index names ${SECOND} for it, not ${FIRST}`);
      expect(reason(opened, "twice (2)")).toContain("another shard has a tensor of this name");
    });
  });

  it("that changes after it was opened is not read", async () => {
    const base = files(whole);
    await withModel(join(base, INDEX), async (opened) => {
      rmSync(join(base, SECOND));
      writeFileSync(join(base, SECOND), Buffer.concat([second, second]));
      await expect(opened.read(layer(opened, "layers.1.fc.weight").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
      expect((await opened.read(layer(opened, "layers.0.fc.weight").tensor)).length).toBe(6);
    });
  });
});

describe("an index", () => {
  it.each([
    ["that is no JSON", "weights", "malformed"], ["that is a list", "[]", "malformed"], ["that is cut off", index(map).slice(0, 80), "malformed"],
    ["without a weight_map", "{\"metadata\": {}}", "malformed"], ["with an empty weight_map", index({}), "malformed"],
    ["with a number for a file", "{\"weight_map\": {\"a\": 1}}", "malformed"],
    ["that names a tensor twice", `{"weight_map": {"a": "${FIRST}", "a": "${SECOND}"}}`, "malformed"],
    ["of PyTorch files", index({ a: "pytorch_model-00001-of-00002.bin" }), "unsupported"],
    ["of 5,000 shards", index(Object.fromEntries(Array.from({ length: 5000 }, (_, number) => [`t${number}`, `${number}.safetensors`]))), "too-large"],
    ["nested a million deep", `{"metadata": ${"[".repeat(1_000_000)}`, "malformed"],
  ])("%s gets a fault", async (_what, content, code) => {
    await refused(files({ ...whole, [INDEX]: content })).toMatchObject({ name: "Fault", code });
  });
});

describe("a shard outside of the index's folder", () => {
  const outside = (name: string) => index({ "layers.0.fc.weight": name });

  it.each([["up", "../x.safetensors"], ["up further in", "a/../../x.safetensors"], ["up by backslashes", "..\\x.safetensors"], ["absolute", "/etc/x.safetensors"], ["on another drive", "C:\\x.safetensors"]])(
    "named by a path that is %s is refused", async (_what, name) => {
      await refused(files({ [INDEX]: outside(name) })).toMatchObject({ code: "external-data-refused" });
    });

  it("is refused behind a link, and read behind one that stays inside", async () => {
    const elsewhere = files({ "x.safetensors": first });
    const base = files({ [INDEX]: outside("x.safetensors"), "data/real.safetensors": first });
    symlinkSync(join(elsewhere, "x.safetensors"), join(base, "x.safetensors"));
    await refused(base).toMatchObject({ code: "external-data-refused", next: expect.stringContaining("Move that file") });
    await withModel(join(base, INDEX), (opened) => { expect(opened.layers.length).toBe(1); }, { allowExternalDataOutside: true });
    rmSync(join(base, "x.safetensors"));
    symlinkSync("data/real.safetensors", join(base, "x.safetensors"));
    await withModel(join(base, INDEX), (opened) => { expect(opened.layers.length).toBe(1); });
  });

  it("is read from the blobs of a Hugging Face cache, of the same model alone", async () => {
    const cache = folder();
    for (const model of ["models--a--b", "models--c--d"]) {
      mkdirSync(join(cache, model, "blobs"), { recursive: true });
      mkdirSync(join(cache, model, "snapshots/0123abcd/unet"), { recursive: true });
      writeFileSync(join(cache, model, "blobs/sha1"), outside(FIRST));
      writeFileSync(join(cache, model, "blobs/sha2"), first);
      symlinkSync("../../blobs/sha1", join(cache, model, "snapshots/0123abcd", INDEX));
      symlinkSync("../../blobs/sha2", join(cache, model, "snapshots/0123abcd", FIRST));
      symlinkSync("../../../blobs/sha1", join(cache, model, "snapshots/0123abcd/unet", INDEX));
      symlinkSync("../../../blobs/sha2", join(cache, model, "snapshots/0123abcd/unet", FIRST));
    }
    const snapshot = join(cache, "models--a--b/snapshots/0123abcd");
    for (const at of [snapshot, join(snapshot, "unet")]) {
      await withModel(join(at, INDEX), async (opened) => {
        expect((await opened.read(layer(opened, "layers.0.fc.weight").tensor)).length).toBe(6);
        expect(opened.summary.path).toBe(join(at, INDEX));
      });
    }
    renameSync(join(snapshot, FIRST), join(snapshot, "old"));
    symlinkSync("../../../models--c--d/blobs/sha2", join(snapshot, FIRST));
    await refused(snapshot).toMatchObject({ code: "external-data-refused" });
    rmSync(join(snapshot, FIRST));
    symlinkSync("/etc/hostname", join(snapshot, FIRST));
    await refused(snapshot).toMatchObject({ code: "external-data-refused" });
  });
});
