import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/shared/fault";
import { folder } from "../support/folders";
import { layer, reason } from "../support/opened";
import { ramp } from "../support/ramp";
import {
  bytes, constant, file, floats, graph, graphAttribute, int, int64Tensor, intAttribute, model, node, packed, tensor, text, varint, tag,
} from "./onnxFile";
import { withModel } from "./opened";

const W = (name = "W") => tensor(name, [2, 3], ramp(6));
const small = model(graph({ nodes: [node("MatMul", ["x", "W"], ["y"])], initializers: [W()], inputs: ["x"], outputs: ["y"] }), [bytes(14, text(1, "k"), text(2, "v"))]);
const refused = (content: Uint8Array | string) => expect(withModel(content, () => null)).rejects;

describe("a file that is no whole model", () => {
  it("gets a fault wherever it is cut off, or is the model that is left", async () => {
    const codes = new Set<string>();
    for (let length = 1; length < small.length; length++) {
      const code = await withModel(small.subarray(0, length), (opened) => (opened.layers.length === 1 ? "opened" : "lost")).catch((error: unknown) => {
        if (error instanceof Fault) return error.code;
        throw error;
      });
      codes.add(code);
    }
    expect([...codes].sort()).toEqual(["malformed", "opened", "truncated"]);
  });

  it.each([
    ["is empty", Buffer.alloc(0), "empty"],
    ["is a text file", Buffer.from("{ \"model\": \"not this\" }\n"), "malformed"],
    ["is a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), "malformed"],
    ["is all zeros", Buffer.alloc(100), "malformed"],
    ["is a zip file", Buffer.from("504b0304140000000800aaaaaaaa", "hex"), "malformed"],
    ["holds no graph", Buffer.concat([int(1, 8), text(2, "test")]), "malformed"],
    ["has its graph as a number", Buffer.concat([int(1, 8), int(7, 3)]), "malformed"],
    ["claims a graph longer than itself", Buffer.concat([int(1, 8), tag(7, 2), varint(2n ** 40n), W()]), "truncated"],
    ["claims a tensor longer than its graph", Buffer.concat([int(1, 8), bytes(7, tag(5, 2), varint(500), W()), bytes(14, Buffer.alloc(1000))]), "malformed"],
    ["has a varint of more than ten bytes", Buffer.concat([tag(1, 0), Buffer.alloc(12, 0x80), Buffer.from([0])]), "malformed"],
    ["names a tensor with 20 KiB", model(graph({ initializers: [W("n".repeat(20_480))] })), "malformed"],
    ["has a tensor of 1,000 axes", model(graph({ initializers: [tensor("W", ramp(1000), [])] })), "malformed"],
    ["has a negative axis", model(graph({ initializers: [tensor("W", [-2, 3], ramp(6))] })), "malformed"],
    ["has a shape whose product overflows", model(graph({ initializers: [tensor("W", [2n ** 31n, 2n ** 31n], ramp(6))] })), "malformed"],
    ["has an axis of 2⁶³ − 1", model(graph({ initializers: [tensor("W", [2n ** 63n - 1n], ramp(6))] })), "malformed"],
  ])("%s", async (_what, content, code) => {
    await refused(content).toMatchObject({ name: "Fault", code });
  });

  it("is a folder, or is not there", async () => {
    await refused(folder()).toMatchObject({ code: "is-a-folder" });
    await refused(`${folder()}/none.onnx`).toMatchObject({ code: "not-found" });
  });

  it("tells what a Git LFS pointer needs", async () => {
    await refused(Buffer.from("version https://git-lfs.github.com/spec/v1\n")).toMatchObject({ next: "Run \"git lfs pull\" in its repository." });
  });
});

describe("a file made to exhaust", () => {
  it("gets a fault for graphs nested beyond protobuf's own limit", async () => {
    let inner = graph({ nodes: [node("Identity", ["x"], ["y"])] });
    for (let depth = 0; depth < 60; depth++) inner = graph({ nodes: [node("If", ["c"], ["y"], [graphAttribute("then_branch", inner)])] });
    await refused(model(inner)).toMatchObject({ code: "malformed", message: expect.stringContaining("nested more than 100 deep") });
  });

  it("gets a fault for more than a million nodes", async () => {
    const nodes = Buffer.alloc(3_000_000, Buffer.from([0x0a, 0x00]));
    await refused(model(nodes)).toMatchObject({ code: "too-large" });
  }, 60_000);

  it("opens with 100,000 initializers, each listed", async () => {
    const initializers = Array.from({ length: 100_000 }, (_, index) => tensor(`w${index}`, [1, 1], bytes(9, floats([index]))));
    const nodes = Array.from({ length: 100_000 }, (_, index) => node("MatMul", ["x", `w${index}`], [`y${index}`]));
    await withModel(model(graph({ nodes, initializers })), (opened) => {
      expect(opened.layers.length + opened.skipped.length).toBe(100_000);
    });
  }, 60_000);

  it("ends where nodes form a cycle", async () => {
    const nodes = [
      node("Identity", ["W"], ["a"]), node("Identity", ["b"], ["a"]), node("Identity", ["a"], ["b"]), node("Cast", ["b"], ["b"]),
      node("DequantizeLinear", ["W", "b"], ["d"]), node("MatMul", ["x", "b"], ["y"]),
    ];
    await withModel(model(graph({ nodes, initializers: [W()] })), (opened) => { expect(layer(opened, "W").kind).toBe("linear"); });
  });

  it("ends where functions call themselves", async () => {
    const body = bytes(25, text(1, "F"), text(10, "mine"), text(4, "w"), text(5, "b"), bytes(7, node("F", ["w"], ["b"], [], "", "mine")));
    await withModel(model(graph({ nodes: [node("F", ["W"], ["y"], [], "", "mine")], initializers: [W()] }), [body]), (opened) => {
      expect(reason(opened, "W")).toBe("used by no node");
    });
  });

  it("ends on long chains and wide fans, and says that it stopped", async () => {
    const chain = Array.from({ length: 5000 }, (_, index) => node("Identity", [index === 0 ? "W" : `v${index}`], [`v${index + 1}`]));
    await withModel(model(graph({ nodes: [...chain, node("MatMul", ["x", "v5000"], ["y"])], initializers: [W()] })), (opened) => {
      expect(reason(opened, "W")).toContain("used further on than RankLens follows");
    });
    const fan = Array.from({ length: 5000 }, (_, index) => node("MatMul", ["x", "W"], [`y${index}`]));
    await withModel(model(graph({ nodes: fan, initializers: [W()] })), (opened) => {
      expect(layer(opened, "W").notes).toContain("used in more places than were followed");
    });
  });
});

describe("a model that breaks ONNX's rules", () => {
  it("lists both tensors of one name", async () => {
    await withModel(model(graph({ nodes: [node("MatMul", ["x", "W"], ["y"])], initializers: [W(), W()] })), (opened) => {
      expect(layer(opened, "W").kind).toBe("linear");
      expect(reason(opened, "W (2)")).toBe("another tensor has the same name, which ONNX does not allow");
    });
  });

  it("gives 20,000 tensors of one name names of their own", async () => {
    const nodes = Array.from({ length: 20_000 }, () => constant("W", W()));
    await withModel(model(graph({ nodes })), (opened) => {
      expect(new Set(opened.skipped.map(({ name }) => name)).size).toBe(20_000);
    });
  });

  it("lists tensors without a name or of a type that ONNX does not have", async () => {
    await withModel(model(graph({ initializers: [tensor("", [2, 2], ramp(4)), tensor("odd", [2, 2], ramp(4), 99)] })), (opened) => {
      expect(opened.skipped.map(({ name, dtype, reason: why }) => [name, dtype, why])).toEqual([
        ["(unnamed tensor 0)", "float32", "used by no node"], ["odd", "type 99", "type 99, used by no node: not a weight"],
      ]);
    });
  });

  it.each([
    ["no groups", "Conv", intAttribute("group", 0)], ["a negative count of groups", "Conv", intAttribute("group", -3)],
    ["more groups than channels", "Conv", intAttribute("group", 1000)], ["groups that do not divide", "ConvTranspose", intAttribute("group", 3)],
  ])("opens a convolution with %s", async (_what, opType, attribute) => {
    const content = model(graph({ nodes: [node(opType, ["x", "W"], ["y"], [attribute])], initializers: [tensor("W", [4, 2, 2, 2], ramp(32))] }));
    await withModel(content, (opened) => { expect(opened.layers.length + opened.skipped.length).toBe(1); });
  });

  it.each([
    ["an LSTM whose gates do not divide its rows", [node("LSTM", ["x", "W"], ["y"])], [1, 7, 3]],
    ["an LSTM with a matrix of two axes", [node("LSTM", ["x", "W"], ["y"])], [8, 3]],
    ["a convolution of two axes", [node("Conv", ["x", "W"], ["y"])], [8, 3]],
    ["a MatMul of five axes", [node("MatMul", ["x", "W"], ["y"])], [2, 2, 2, 2, 2]],
    ["an axis of size 0", [node("MatMul", ["x", "W"], ["y"])], [0, 3]],
    ["a reshape to another size", [constant("s", int64Tensor("", [7, 7])), node("Reshape", ["W", "s"], ["m"]), node("MatMul", ["x", "m"], ["y"])], [2, 3]],
    ["a reshape to nothing", [constant("s", int64Tensor("", [0, -1, -1])), node("Reshape", ["W", "s"], ["m"]), node("MatMul", ["x", "m"], ["y"])], [2, 3]],
    ["an Unsqueeze far outside", [constant("s", int64Tensor("", [900])), node("Unsqueeze", ["W", "s"], ["m"]), node("MatMul", ["x", "m"], ["y"])], [2, 3]],
  ])("opens %s", async (_what, nodes, dims) => {
    const count = dims.reduce((product, size) => product * size, 1);
    await withModel(model(graph({ nodes, initializers: [tensor("W", dims, ramp(count))] })), async (opened) => {
      expect([...opened.layers.map(({ tensor: { name } }) => name), ...opened.skipped.map(({ name }) => name)]).toContain("W");
      for (const { tensor: weight, views } of opened.layers) {
        const values = await opened.read(weight);
        for (const view of views) {
          const last = [...view.rows, ...view.columns].reduce((at, { size, stride }) => at + (size - 1) * stride, view.offset);
          expect(last).toBeLessThan(values.length);
        }
      }
    });
  });

  it("skips fields that are not in ONNX's schema, everywhere", async () => {
    const unknown = Buffer.concat([int(900, 1), text(901, "new"), tag(902, 3), int(1, 1), tag(902, 4)]);
    const content = model(Buffer.concat([
      bytes(1, node("MatMul", ["x", "W"], ["y"]), unknown), bytes(5, W(), unknown), unknown,
    ]), [unknown, bytes(25, unknown), bytes(20, unknown)]);
    await withModel(content, (opened) => { expect(layer(opened, "W").kind).toBe("linear"); });
  });

  it("takes a name that is not UTF-8, and one of markup, as text", async () => {
    const odd = Buffer.concat([packed(1, [2, 3]), int(2, 1), bytes(8, Buffer.from([0xff, 0xfe])), bytes(9, floats(ramp(6)))]);
    await withModel(model(graph({ initializers: [odd, W("<img src=x onerror=alert(1)>")] })), (opened) => {
      expect(opened.skipped.map(({ name }) => name)).toEqual(["\ufffd\ufffd", "<img src=x onerror=alert(1)>"]);
    });
  });
});

it("A file of headers is read as headers: 1 GiB of weights costs a few reads", async () => {
  const { truncateSync, openSync, writeSync, closeSync, statSync } = await import("node:fs");
  const weightBytes = 2 ** 30;
  const head = Buffer.concat([int(1, 16_384), int(1, 16_384), int(2, 1), text(8, "W"), tag(9, 2), varint(weightBytes)]);
  const first = bytes(1, node("MatMul", ["x", "W"], ["y"]));
  const start = Buffer.concat([int(1, 8), tag(7, 2), varint(first.length + tag(5, 2).length + varint(head.length + weightBytes).length + head.length + weightBytes), first, tag(5, 2), varint(head.length + weightBytes), head]);
  const path = file(start);
  truncateSync(path, start.length + weightBytes);
  const end = openSync(path, "r+");
  writeSync(end, bytes(8, int(2, 17)), 0, undefined, start.length + weightBytes);
  closeSync(end);
  expect(statSync(path).size).toBeGreaterThan(weightBytes);
  const before = process.memoryUsage().arrayBuffers;
  await withModel(path, (opened) => {
    expect(layer(opened, "W").tensor.shape).toEqual([16_384, 16_384]);
    expect(opened.summary.notes).toContain("opset 17");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  });
});
