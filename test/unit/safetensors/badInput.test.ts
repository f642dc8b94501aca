import { appendFileSync, chmodSync, closeSync, ftruncateSync, mkdirSync, openSync, rmSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/shared/fault";
import { folder, written } from "../support/folders";
import { layer, reason } from "../support/opened";
import { entry, f32, file, raw, stored, withModel } from "./safetensorsFile";

const NOBODY = 65534;
const refused = (content: Uint8Array | string) => expect(withModel(content, () => null)).rejects;
/** A file of one header and as many zeros as data. */
const headed = (tensors: Readonly<Record<string, unknown>>, dataBytes: number) => raw(JSON.stringify(tensors), new Uint8Array(dataBytes));
const small = file({ "a.weight": f32([2, 3]), "a.bias": f32([2]) }, { format: "pt" });

describe("a file that is no whole model", () => {
  it("gets a fault wherever it is cut off", async () => {
    for (let length = 0; length < small.length; length++) {
      const fault: unknown = await withModel(small.subarray(0, length), () => null).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(Fault);
      expect((fault as Fault).code).toBe(length === 0 ? "empty" : "truncated");
    }
    await withModel(small, (opened) => { expect(opened.layers.length + opened.skipped.length).toBe(2); });
  });

  it("says how much of the data is missing", async () => {
    await refused(small.subarray(0, -5)).toMatchObject({ message: "model.safetensors ends 5 bytes before the end of its last tensor, \"a.bias\".", next: expect.stringContaining("fetch the file again") });
  });

  it.each([
    ["is a text file", Buffer.from("this is not a model"), "malformed"],
    ["is JSON without a length", Buffer.from("{\"a\": 1, \"b\": {}}"), "malformed"],
    ["is a zip file", Buffer.from("504b0304140000000800aaaaaaaa", "hex"), "malformed"],
    ["is all zeros", Buffer.alloc(100), "malformed"],
    ["is a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), "malformed"],
    ["claims a header longer than itself", raw("{}", new Uint8Array(), 1000n), "truncated"],
    ["claims a header of more than 100 MB", raw("{}", new Uint8Array(), 100_000_001n), "too-large"],
    ["claims a header of 2⁶⁴ − 1 bytes", raw("{}", new Uint8Array(), 2n ** 64n - 1n), "too-large"],
    ["has an empty header", raw(""), "malformed"],
    ["has a header that is a list", raw("[]"), "malformed"],
    ["has a header that ends early", raw("{\"a\": {\"dtype\""), "malformed"],
    ["has text after its header", raw("{} {}"), "malformed"],
    ["has a header that is not UTF-8", raw(Buffer.concat([Buffer.from("{\""), Buffer.from([0xff, 0xfe]), Buffer.from("\": {}}")])), "malformed"],
    ["has a name that is half a character", raw("{\"\\ud800\": {}}"), "malformed"],
    ["has a line break inside a name", raw("{\"a\nb\": {}}"), "malformed"],
    ["has a tensor that is a number", raw("{\"a\": 3}"), "malformed"],
    ["has a tensor without a shape", headed({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), "malformed"],
    ["has a tensor without offsets", headed({ a: { dtype: "F32", shape: [1] } }, 0), "malformed"],
    ["has one offset", headed({ a: { dtype: "F32", shape: [1], data_offsets: [0] } }, 4), "malformed"],
    ["has three offsets", headed({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, 4), "malformed"],
    ["has a negative axis", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", new Uint8Array(4)), "malformed"],
    ["has an axis of 1.5", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", new Uint8Array(4)), "malformed"],
    ["has an axis of 1e0", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[1e0],\"data_offsets\":[0,4]}}", new Uint8Array(4)), "malformed"],
    ["has an axis of 01", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[01],\"data_offsets\":[0,4]}}", new Uint8Array(4)), "malformed"],
    ["has an axis of 2⁶⁴", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551616],\"data_offsets\":[0,4]}}", new Uint8Array(4)), "malformed"],
    ["has 1,000 axes", headed({ a: entry("F32", new Array<number>(1000).fill(1), 0, 4) }, 4), "malformed"],
    ["has a shape whose product overflows", headed({ a: entry("F32", [2 ** 40, 2 ** 40], 0, 4) }, 4), "malformed"],
    ["hides an overflow behind an axis of 0", headed({ a: entry("F32", [2 ** 40, 2 ** 40, 0], 0, 0) }, 0), "malformed"],
    ["has fewer bytes than a shape needs", headed({ a: entry("F32", [2, 2], 0, 12) }, 12), "malformed"],
    ["has more bytes than a shape needs", headed({ a: entry("F32", [2, 2], 0, 20) }, 20), "malformed"],
    ["has half a byte", headed({ a: entry("F4", [3], 0, 1) }, 1), "malformed"],
    ["has offsets in the wrong order", headed({ a: entry("F32", [1], 4, 0) }, 4), "malformed"],
    ["has tensors that overlap", headed({ a: entry("F32", [2], 0, 8), b: entry("F32", [2], 4, 12) }, 12), "malformed"],
    ["has one tensor inside another", headed({ a: entry("F32", [3], 0, 12), b: entry("F32", [1], 4, 8) }, 12), "malformed"],
    ["has a hole between tensors", headed({ a: entry("F32", [1], 0, 4), b: entry("F32", [1], 8, 12) }, 12), "malformed"],
    ["has a hole before its first tensor", headed({ a: entry("F32", [1], 4, 8) }, 8), "malformed"],
    ["has data after its last tensor", headed({ a: entry("F32", [1], 0, 4) }, 5), "malformed"],
    ["has data and no tensor", headed({}, 4), "malformed"],
    ["has offsets beyond 2⁵³", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9007199254740992,9007199254740996]}}"), "malformed"],
    ["ends before a tensor's data", headed({ a: entry("F32", [1], 0, 4), b: entry("F32", [100], 4, 404) }, 8), "truncated"],
    ["names a tensor twice", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", new Uint8Array(8)), "malformed"],
    ["names a tensor twice, once with an escape", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", new Uint8Array(8)), "malformed"],
    ["gives a shape twice", raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}", new Uint8Array(4)), "malformed"],
    ["has metadata that is a list", raw("{\"__metadata__\":[]}"), "malformed"],
    ["has a name of a megabyte", headed({ ["n".repeat(1_000_000)]: entry("F32", [1], 0, 4) }, 4), "malformed"],
  ])("%s", async (_what, content, code) => {
    await refused(content).toMatchObject({ name: "Fault", code, message: expect.stringMatching(/^.{20,300}\.$/s), next: expect.stringMatching(/\.$/) });
  });

  it("is a folder, or is not there", async () => {
    await refused(folder()).toMatchObject({ code: "is-a-folder" });
    await refused(`${folder()}/none.safetensors`).toMatchObject({ code: "not-found" });
  });

  it("may not be read by this user", async () => {
    const path = written(small, "model.safetensors");
    chmodSync(path, 0);
    // The superuser may read everything: it becomes another user meanwhile.
    const isSuperuser = process.geteuid?.() === 0;
    if (isSuperuser) {
      chmodSync(join(path, ".."), 0o755);
      process.seteuid?.(NOBODY);
    }
    try {
      await refused(path).toMatchObject({ code: "no-permission" });
    } finally {
      if (isSuperuser) process.seteuid?.(0);
    }
  });
});

describe("a file made to exhaust", () => {
  it("gets a fault for values nested a million deep", async () => {
    await refused(raw(`{"a": {"x": ${"[".repeat(1_000_000)}`)).toMatchObject({ code: "malformed", message: expect.stringContaining("nested more than 32 deep") });
    await refused(raw(`{"__metadata__": {"x": ${"{\"y\":".repeat(1_000_000)}`)).toMatchObject({ code: "malformed" });
  });

  it("opens with 100,000 tensors, each listed", async () => {
    const tensors = Object.fromEntries(Array.from({ length: 100_000 }, (_, number) => [`layers.${number}.fc.weight`, entry("F32", [2, 2], number * 16, number * 16 + 16)]));
    await withModel(headed(tensors, 1_600_000), (opened) => {
      expect(opened.layers.length).toBe(100_000);
      expect(opened.layers[12_345]!.block).toBe("layers.12345");
    });
  }, 60_000);

  it("gets a fault for more than a million tensors", async () => {
    const parts = Array.from({ length: 1_000_001 }, (_, number) => `"${number}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`);
    await refused(raw(`{${parts.join(",")}}`)).toMatchObject({ code: "too-large" });
  }, 60_000);

  it("opens with 50,000 tensors on the same data, named once", async () => {
    const tensors = Object.fromEntries(Array.from({ length: 50_000 }, (_, number) => [`w${number}.weight`, entry("F32", [2, 2], 0, 16)]));
    await withModel(headed(tensors, 16), (opened) => {
      expect([opened.layers.length, opened.skipped.length]).toEqual([1, 49_999]);
      expect(layer(opened, "w0.weight").notes.join().length).toBeLessThan(300);
    });
  }, 60_000);

  it("of 20 GB is read as a header alone", async () => {
    const tensors = Object.fromEntries(Array.from({ length: 100 }, (_, number) => [`${number}.weight`, entry("F32", [10_000, 5_000], number * 2e8, (number + 1) * 2e8)]));
    const path = written(headed(tensors, 0), "model.safetensors");
    const handle = openSync(path, "r+");
    ftruncateSync(handle, headed(tensors, 0).length + 2e10);
    closeSync(handle);
    const before = process.memoryUsage().arrayBuffers;
    await withModel(path, (opened) => {
      expect(opened.summary).toMatchObject({ parameters: 5e9, tensors: 100 });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20);
    });
  });
});

describe("an odd file that can be read", () => {
  it("holds no tensors, or empty ones", async () => {
    await withModel(raw("{}"), (opened) => { expect(opened.layers).toEqual([]); });
    await withModel(file({ a: f32([0, 3]), b: f32([2, 2]) }), (opened) => {
      expect(reason(opened, "a")).toBe("no elements");
      expect(layer(opened, "b").views.length).toBe(1);
    });
  });

  it("has types that RankLens does not read: they are listed", async () => {
    const content = file({
      c: stored("C64", [2, 2], new Uint8Array(32)), six: stored("F6_E2M3", [4, 4], new Uint8Array(12)), odd: stored("F128", [2, 2], new Uint8Array(64)),
      i: stored("I64", [4], new Uint8Array(32)), u: stored("BOOL", [4, 4], new Uint8Array(16)), four: stored("F4", [4, 4], new Uint8Array(8)),
    });
    await withModel(content, (opened) => {
      expect(Object.fromEntries(opened.skipped.map(({ name, dtype, reason: why }) => [name, [dtype, why]]))).toEqual({
        c: ["complex64", "complex64: complex numbers are not measured"],
        six: ["float6_e2m3", "float6_e2m3: a type that RankLens does not read"],
        odd: ["f128", "f128: a type that RankLens does not read"],
        i: ["int64", "int64: not a weight"], u: ["bool", "bool: not a weight"],
        four: ["float4_e2m1", "float4_e2m1 without a scale: not a weight"],
      });
    });
  });

  it("keeps names of markup, control characters and other scripts as text", async () => {
    const names = ["<img src=x onerror=alert(1)>", "a\u0000b\u202e", "層.重み", "__proto__", "constructor", ""];
    await withModel(raw(JSON.stringify(Object.fromEntries(names.map((name, at) => [name === "__proto__" ? "proto" : name, entry("F32", [2, 2], at * 16, at * 16 + 16)]))).replace("\"proto\"", "\"__proto__\""), new Uint8Array(names.length * 16)), (opened) => {
      expect(opened.layers.map(({ tensor }) => tensor.name).sort()).toEqual([...names].sort());
    });
  });

  it("has white space after its header, unknown keys, and metadata that is no text", async () => {
    const header = JSON.stringify({ __metadata__: { a: "b", n: 1, deep: { x: [true, null, -1.5e-3, "y"] } }, w: { ...entry("F32", [2, 2], 0, 16), comment: ["new", {}] } });
    await withModel(raw(`${header}\n   \t`, new Uint8Array(16)), (opened) => { expect(opened.layers.length).toBe(1); });
  });
});

describe("a file that changes after it was opened", () => {
  const changed = { code: "changed-while-read" };

  it("is not read as if nothing had happened", async () => {
    const path = written(file({ "a.weight": f32([2, 2]) }), "model.safetensors");
    await withModel(path, async (opened) => {
      const { tensor } = layer(opened, "a.weight");
      expect([...await opened.read(tensor)]).toEqual([0, 1, 2, 3]);
      utimesSync(path, new Date(), new Date(Date.now() - 10_000));
      await expect(opened.read(tensor)).rejects.toMatchObject(changed);
      appendFileSync(path, "more");
      await expect(opened.read(tensor)).rejects.toMatchObject(changed);
      writeFileSync(path, "");
      await expect(opened.read(tensor)).rejects.toMatchObject({ name: "Fault", code: "empty" });
      rmSync(path);
      await expect(opened.read(tensor)).rejects.toMatchObject({ code: "not-found" });
      mkdirSync(path);
      await expect(opened.read(tensor)).rejects.toMatchObject({ code: "is-a-folder" });
    });
  });

  it("is not read when it is written to in between", async () => {
    const path = join(folder(), "model.safetensors");
    writeFileSync(path, file({ "a.weight": f32([2, 2]) }));
    utimesSync(path, 1000, 1000);
    await withModel(path, async (opened) => {
      const handle = openSync(path, "r+");
      writeSync(handle, Buffer.from([1]), 0, 1, 100);
      closeSync(handle);
      await expect(opened.read(layer(opened, "a.weight").tensor)).rejects.toMatchObject(changed);
    });
  });
});
