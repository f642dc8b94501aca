import { utimesSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tflite } from "../../../src/models/tflite/format";
import { folder } from "../support/folders";
import { openMutated } from "../support/mutations";
import { layer, readAll, reason } from "../support/opened";
import { activation, constant, file, tfliteFile, withModel, type TensorToWrite } from "./tfliteFile";

const FULLY_CONNECTED = 9;
const refused = (content: Uint8Array | string) => expect(withModel(content, readAll)).rejects;
const whole = (tensor: Partial<TensorToWrite> = {}) => tfliteFile({ tensors: [activation("x", 1, 3), { ...constant("w", 4, 3), ...tensor }], operators: [{ code: FULLY_CONNECTED, inputs: ["x", "w"] }] });

describe("a file that is no TensorFlow Lite model", () => {
  it.each([
    ["is of another format", Buffer.from("PK\x03\x04 something else"), { code: "malformed", message: "model.tflite is not a TensorFlow Lite file: \"TFL3\" is not at byte 4." }],
    ["is a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), { next: "Run \"git lfs pull\" in its repository." }],
    ["is empty", Buffer.alloc(0), { code: "empty" }], ["has five bytes", Buffer.from("\0\0\0\0T"), { code: "truncated" }],
    ["is nothing but its first bytes", Buffer.from("\x10\0\0\0TFL3"), { code: "malformed" }],
  ])("%s", async (_what, content, expected) => { await refused(content).toMatchObject(expected); });

  it("is a folder, or is not there", async () => {
    await refused(folder()).toMatchObject({ code: "is-a-folder" });
    await refused(`${folder()}/none.tflite`).toMatchObject({ code: "not-found" });
  });
});

describe("a damaged file", () => {
  it("opens or gets a fault wherever it ends", async () => {
    const content = whole();
    const codes = new Set<string>();
    for (let length = 1; length < content.length; length += 4) {
      await withModel(content.subarray(0, length), readAll).then(() => codes.add("opened"), (error: { code: string }) => codes.add(error.code));
    }
    expect([...codes].every((code) => ["opened", "malformed", "truncated"].includes(code))).toBe(true);
    expect(codes.has("malformed")).toBe(true);
  });

  it.each([
    ["a shape larger than its data", { shape: [4000, 3000] }, "its 48 bytes are not those of its shape, [4000, 3000]"],
    ["a shape whose product overflows", { shape: [2 ** 30, 2 ** 30, 2 ** 30] }, "has too large a product"],
    ["a negative shape", { shape: [-1, 3] }, "its shape, [-1, 3], is not fixed"],
    ["a type of the future", { type: 99 }, "type 99: not a weight"],
  ])("with %s lists the tensor, with the reason", async (_what, fields, expected) => {
    await withModel(whole(fields), (model) => { expect(reason(model, "w")).toContain(expected); });
  });

  it("with operators that take tensors it does not have opens", async () => {
    await withModel(tfliteFile({ tensors: [constant("w", 4, 3)], operators: [{ code: FULLY_CONNECTED, inputs: ["nothing", "w", "nothing"] }] }), (model) => { expect(layer(model, "w").kind).toBe("linear"); });
  });

  it("whose 100,000 subgraphs are all one ends, with a fault", async () => {
    const tensors = Array.from({ length: 100 }, (_, index) => constant(`w${index}`, 2, 2));
    await refused(tfliteFile({ tensors, operators: [], copies: 100_000 })).toMatchObject({ code: "too-large" });
  }, 60_000);
});

it("Twenty thousand tensors open, each listed, and names of markup are text", async () => {
  const tensors = Array.from({ length: 20_000 }, (_, index) => constant(index === 0 ? "<img src=x onerror=alert(1)>" : `w${index % 100}`, 1, 2));
  await withModel(tfliteFile({ tensors, operators: tensors.slice(0, 100).map(({ name }) => ({ code: FULLY_CONNECTED, inputs: ["", name] })) }), (model) => {
    const names = [...model.layers.map(({ tensor }) => tensor.name), ...model.skipped.map((skipped) => skipped.name)];
    expect([names.length, new Set(names).size]).toEqual([20_000, 20_000]);
    expect(names).toContain("<img src=x onerror=alert(1)>");
  });
}, 60_000);

it("A file that changes after it was opened is not read", async () => {
  const path = file(whole());
  await withModel(path, async (model) => {
    utimesSync(path, new Date(1_000_000), new Date(1_000_000));
    await expect(model.read(layer(model, "w").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
  });
});

describe("a mutated file", () => {
  it("opens or gets a fault, and its weights can be read or get a fault", async () => {
    const content = tfliteFile({
      tensors: [
        activation("x", 1, 3), constant("w", 4, 3), { name: "q", shape: [2, 4], type: 9, data: new Uint8Array(8).fill(3), scales: [1, 2], zeroPoints: [0, 1], axis: 0 }, constant("c", 2, 2, 2, 3),
        { name: "h", shape: [2, 2], type: 1, data: new Uint8Array(8) }, activation("d", 2, 2), constant("b", 4), { name: "s", shape: [2], type: 2, data: new Uint8Array(8) },
      ],
      operators: [
        { code: FULLY_CONNECTED, inputs: ["x", "w", "b"] }, { code: FULLY_CONNECTED, inputs: ["x", "q"] }, { code: 3, inputs: ["x", "c"] }, { code: 6, inputs: ["h"], outputs: ["d"] }, { code: 126, inputs: ["x", "d"], adjoint: true },
        { code: 22, inputs: ["x", "s"] },
      ],
    });
    const codes = await openMutated(tflite, "model.tflite", content, [...content.keys()], [0, 1, 2, 3, 4, 8, 9, 17, 0x40, 0x7f, 0x80, 0xf0, 0xfc, 0xff]);
    expect(codes.get("opened")).toBeGreaterThan(0);
    expect(codes.get("malformed")).toBeGreaterThan(0);
  }, 600_000);
});
