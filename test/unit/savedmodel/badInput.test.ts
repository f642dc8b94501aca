import { mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { savedmodel } from "../../../src/models/savedmodel/format";
import { folder } from "../support/folders";
import { openMutated } from "../support/mutations";
import { layer, readAll, reason } from "../support/opened";
import { bundle, dataName, savedModel, tableFile, variable, varint, withModel, type TensorToWrite } from "./bundleFile";

const refused = (path: string) => expect(withModel(path, readAll)).rejects;
const indexOnly = (content: Uint8Array): string => {
  const path = join(folder(), "variables.index");
  writeFileSync(path, content);
  return path;
};
const whole = () => bundle({ tensors: [variable("dense/kernel", 4, 3), variable("dense/bias", 3)] }).index;

describe("a model without its variables", () => {
  it("gets a sentence where the folder is not there", async () => {
    const path = savedModel({ tensors: [variable("dense/kernel", 4, 3)] });
    rmSync(join(dirname(path), "variables"), { recursive: true });
    await refused(path).toMatchObject({ code: "not-found", message: expect.stringContaining("no variables/variables.index beside its saved_model.pb") });
  });

  it("gets a sentence where the program or the index is not there, or a folder", async () => {
    await refused(join(folder(), "saved_model.pb")).toMatchObject({ code: "not-found" });
    await refused(join(folder(), "variables.index")).toMatchObject({ code: "not-found" });
    const path = join(folder(), "saved_model.pb");
    mkdirSync(path);
    await refused(path).toMatchObject({ code: "is-a-folder" });
  });
});

describe("a damaged index", () => {
  it.each([
    ["is empty", Buffer.alloc(0), "empty"], ["is another thing", Buffer.from("not an index, whatever it is, and long enough to have a footer of its own"), "malformed"],
    ["is a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), "malformed"],
    ["is cut off", whole().subarray(0, 100), "malformed"], ["is cut off at its front", whole().subarray(20), "malformed"],
    ["claims a block of 2⁴⁰ bytes", tableWith({ offset: 0, size: 2 ** 40 }), "malformed"], ["claims a block far outside", tableWith({ offset: 2 ** 50, size: 5 }), "malformed"],
    ["has an entry that is no message", tableFile([["", Buffer.from([8, 1])], ["w", Buffer.from([0xff, 0xff])]]), "malformed"],
    ["claims a million files of values", tableFile([["", Buffer.concat([varint(8), varint(1_000_000)])]]), "too-large"],
  ])("that %s gets a fault", async (_what, content, code) => { await refused(indexOnly(content)).toMatchObject({ code }); });

  it("whose packed block claims to unpack to gigabytes gets a fault", async () => {
    const content = Buffer.from(bundle({ tensors: [variable("dense/kernel", 4, 3)], packed: true }).index);
    // The unpacked length is a block's first number.
    varint(2 ** 34).copy(content, 0);
    await refused(indexOnly(content)).toMatchObject({ code: "malformed" });
  });

  it("without entries opens, with nothing in it", async () => {
    await withModel(indexOnly(tableFile([])), (model) => { expect([model.layers, model.skipped]).toEqual([[], []]); });
  });
});

function tableWith({ offset, size }: { offset: number; size: number }): Buffer {
  const footer = Buffer.alloc(48);
  Buffer.concat([varint(0), varint(0), varint(offset), varint(size)]).copy(footer);
  footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40);
  return Buffer.concat([Buffer.alloc(64), footer]);
}

describe("a tensor that claims too much", () => {
  const one = (fields: Partial<TensorToWrite>) => savedModel({ tensors: [{ ...variable("dense/kernel", 4, 3), ...fields }] });

  it.each([
    ["a shape larger than its bytes", { shape: [4000, 3000] }, "its 48 bytes are not those of its shape, [4000, 3000]"], ["a shape whose product overflows", { shape: [2 ** 40, 2 ** 40] }, "too large a product"],
    ["to be in slices", { isSliced: true }, "stored in slices, which RankLens does not put together"], ["no elements", { shape: [0, 3], data: new Uint8Array(0) }, "no elements"],
    ["a type of the future", { type: 99 }, "type 99: not a weight"],
  ])("%s is listed, with the reason", async (_what, fields, expected) => {
    await withModel(one(fields), (model) => { expect(reason(model, "dense/kernel")).toContain(expected); });
  });

  it("bytes after the end of its file gets a fault that says how many are missing", async () => {
    await refused(one({ claimed: { offset: 100 } })).toMatchObject({ code: "truncated", message: "variables.data-00000-of-00001 ends 100 bytes before the end of \"dense/kernel\"." });
  });
});

it("A hundred thousand tensors open, each listed, and names of markup are text", async () => {
  const tensors = Array.from({ length: 100_000 }, (_, index) => ({ ...variable(index === 0 ? "<img src=x onerror=alert(1)>/kernel" : `layer_${index}/kernel`, 1, 1), data: new Uint8Array(index === 0 ? 4 : 0), claimed: { offset: 0, size: 4 } }));
  await withModel(savedModel({ tensors }), (model) => {
    expect(model.layers.length).toBe(100_000);
    expect(layer(model, "<img src=x onerror=alert(1)>/kernel").kind).toBe("linear");
  });
}, 120_000);

it("A file of values that changes after the model was opened is not read", async () => {
  const path = savedModel({ tensors: [variable("dense/kernel", 4, 3)] });
  const data = join(dirname(path), "variables", dataName(0, 1));
  await withModel(path, async (model) => {
    utimesSync(data, new Date(1_000_000), new Date(1_000_000));
    await expect(model.read(layer(model, "dense/kernel").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
    truncateSync(data, 4);
    await expect(model.read(layer(model, "dense/kernel").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
  });
});

describe("a mutated index", () => {
  it.each([["plain", false], ["packed", true]])("that is %s opens or gets a fault", async (_what, packed) => {
    const names = { "a/kernel": "dense/kernel", "b/kernel": "conv2d/kernel" };
    const { index } = bundle({ tensors: [variable("a/kernel", 4, 3), variable("a/bias", 3), variable("b/kernel", 3, 3, 2, 2), { key: "count", shape: [], type: 9, data: new Uint8Array(8) }], names, packed });
    // The values are not beside it: tensors are listed as missing.
    const codes = await openMutated(savedmodel, "variables.index", index, [...index.keys()], [0, 1, 2, 5, 7, 8, 0x0a, 0x12, 0x20, 0x28, 0x7f, 0x80, 0xff]);
    expect(codes.get("opened")).toBeGreaterThan(0);
    expect(codes.get("malformed")).toBeGreaterThan(0);
  }, 600_000);
});
