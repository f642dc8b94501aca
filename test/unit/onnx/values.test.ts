import { describe, expect, it } from "vitest";
import { layer, reason } from "../support/opened";
import { ramp } from "../support/ramp";
import { bytes, constant, file, float, floats, graph, int, int8Tensor, intAttribute, model, node, packed, tag, tensor, text } from "./onnxFile";
import { withModel } from "./opened";

/** A model that multiplies x by the one tensor `W`. */
const product = (weight: Buffer, further: readonly Buffer[] = []) =>
  model(graph({ nodes: [node("MatMul", ["x", "W"], ["y"], [], "product")], initializers: [weight, ...further], inputs: ["x"], outputs: ["y"] }));

async function valuesOf(content: Uint8Array): Promise<number[]> {
  return withModel(content, async (opened) => [...await opened.read(layer(opened, "W").tensor)]);
}

const VALUES = [1, -2, 0.5, 3];
/** The same four values as bits of narrower types (IEEE 754; OCP 8-bit floating point). */
const HALF_BITS = [0x3c00, 0xc000, 0x3800, 0x4200];
const BFLOAT_BITS = [0x3f80, 0xc000, 0x3f00, 0x4040];
const E4M3_BITS = [0x38, 0xc0, 0x30, 0x44];
const E5M2_BITS = [0x3c, 0xc0, 0x38, 0x42];
const words = (bits: readonly number[]) => bytes(9, Buffer.from(Uint16Array.from(bits).buffer));
const unpackedFloats = Buffer.concat(VALUES.map((value) => float(4, value)));

describe("a tensor's values", () => {
  it.each([
    ["float32 in raw_data", 1, bytes(9, floats(VALUES))],
    ["float32 in float_data, packed", 1, bytes(4, floats(VALUES))],
    ["float32 in float_data, one field each", 1, unpackedFloats],
    ["float32 in float_data, packed in two pieces", 1, Buffer.concat([bytes(4, floats(VALUES.slice(0, 1))), bytes(4, floats(VALUES.slice(1)))])],
    ["float64 in raw_data", 11, bytes(9, Buffer.from(Float64Array.from(VALUES).buffer))],
    ["float64 in double_data", 11, bytes(10, Buffer.from(Float64Array.from(VALUES).buffer))],
    ["float16 in raw_data", 10, words(HALF_BITS)],
    ["float16 in int32_data", 10, packed(5, HALF_BITS)],
    ["float16 in int32_data, one field each", 10, Buffer.concat(HALF_BITS.map((bits) => int(5, bits)))],
    ["bfloat16 in raw_data", 16, words(BFLOAT_BITS)],
    ["bfloat16 in int32_data", 16, packed(5, BFLOAT_BITS)],
    ["float8_e4m3fn in raw_data", 17, bytes(9, Buffer.from(E4M3_BITS))],
    ["float8_e5m2 in int32_data", 19, packed(5, E5M2_BITS)],
  ])("are read from %s", async (_what, dataType, data) => {
    expect(await valuesOf(product(tensor("W", [2, 2], data, dataType)))).toEqual(VALUES);
  });

  it("are read from dims that are packed", async () => {
    const weight = Buffer.concat([packed(1, [2, 2]), int(2, 1), text(8, "W"), bytes(9, floats(VALUES))]);
    expect(await valuesOf(product(weight))).toEqual(VALUES);
  });

  it("are read across the pieces in which long packed integers are decoded", async () => {
    const bits = Array.from({ length: 600_000 }, (_, index) => HALF_BITS[index % 4]!);
    const values = await valuesOf(product(tensor("W", [2, 300_000], packed(5, bits), 10)));
    expect(values.length).toBe(600_000);
    expect(values.every((value, index) => value === VALUES[index % 4])).toBe(true);
  });

  it("are not read where data and shape disagree, and the row says why", async () => {
    await withModel(product(tensor("W", [2, 3], bytes(9, floats(VALUES)))), (opened) => {
      expect(reason(opened, "W")).toBe("its data has 16 bytes, where its shape [2, 3] of float32 needs 24");
    });
    await withModel(product(tensor("W", [2, 2], Buffer.alloc(0))), (opened) => {
      expect(reason(opened, "W")).toBe("it has no data in the file");
    });
    await withModel(product(tensor("W", [2, 2], bytes(4, floats(VALUES)), 10)), (opened) => {
      expect(reason(opened, "W")).toBe("its data is not of its type, float16");
    });
  });

  it("fail with a fault where packed integers are fewer than they could be", async () => {
    await withModel(product(tensor("W", [2, 2], packed(5, [0x3c00, 0x3c00, 0x3c00]), 10)), async (opened) => {
      await expect(opened.read(layer(opened, "W").tensor)).rejects.toMatchObject({ name: "Fault", code: "malformed" });
    });
  });
});

describe("a quantized tensor's values", () => {
  const scale = tensor("scale", [2], [0.5, 0.25]);
  const dequantize = (attributes: readonly Buffer[], weight: Buffer, zero: readonly Buffer[] = []) => model(graph({
    nodes: [
      node("DequantizeLinear", ["W", "scale", ...(zero.length > 0 ? ["zero"] : [])], ["w"], attributes),
      node("MatMul", ["x", "w"], ["y"]),
    ],
    initializers: [weight, scale, ...zero],
  }));

  it("are (q − zero point) · scale along the axis of DequantizeLinear", async () => {
    const zero = int8Tensor("zero", [2], [1, -1]);
    await withModel(dequantize([], int8Tensor("W", [3, 2], [1, 2, 3, 4, -128, 127]), [zero]), async (opened) => {
      const { tensor: weight, notes } = layer(opened, "W");
      expect([...await opened.read(weight)]).toEqual([0, 0.75, 1, 1.25, -64.5, 32]);
      expect(notes).toContain("int8, dequantized per axis 1");
      expect(reason(opened, "scale")).toBe("one axis, used as scale of DequantizeLinear: no matrix");
    });
    await withModel(dequantize([intAttribute("axis", -2)], int8Tensor("W", [2, 3], [1, 2, 3, 4, 5, 6])), async (opened) => {
      expect([...await opened.read(layer(opened, "W").tensor)]).toEqual([0.5, 1, 1.5, 1, 1.25, 1.5]);
    });
  });

  it("are unpacked from int4, low half first, from raw_data and from int32_data", async () => {
    for (const data of [bytes(9, Buffer.from([0x21, 0xf8])), packed(5, [0x21, 0xf8])]) {
      await withModel(dequantize([intAttribute("axis", 0)], tensor("W", [2, 2], data, 22)), async (opened) => {
        expect([...await opened.read(layer(opened, "W").tensor)]).toEqual([0.5, 1, -2, -0.25]);
      });
    }
  });

  it("are scaled in blocks along an axis", async () => {
    const blocks = tensor("scale", [2, 2], [1, 10, 100, 1000]);
    const content = model(graph({
      nodes: [node("DequantizeLinear", ["W", "scale"], ["w"], [intAttribute("axis", 0), intAttribute("block_size", 2)]), node("MatMul", ["x", "w"], ["y"])],
      initializers: [int8Tensor("W", [3, 2], [1, 2, 3, 4, 5, 6]), blocks],
    }));
    await withModel(content, async (opened) => {
      expect([...await opened.read(layer(opened, "W").tensor)]).toEqual([1, 20, 3, 40, 500, 6000]);
      expect(layer(opened, "W").notes).toContain("int8, dequantized in blocks of 2 along axis 0");
    });
  });

  it("take the scale that follows an integer product (dynamic quantization)", async () => {
    const content = model(graph({
      nodes: [
        node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]), node("Mul", ["xs", "scale"], ["both"]),
        node("MatMulInteger", ["xq", "W", "xz", "zero"], ["product"]), node("Cast", ["product"], ["cast"]), node("Mul", ["cast", "both"], ["y"]),
      ],
      initializers: [int8Tensor("W", [2, 2], [3, 4, 5, 6]), scale, int8Tensor("zero", [2], [1, 2])],
    }));
    await withModel(content, async (opened) => {
      expect([...await opened.read(layer(opened, "W").tensor)]).toEqual([1, 0.5, 2, 1]);
    });
  });

  it("take the scale of QLinearConv for each output channel", async () => {
    const content = model(graph({
      nodes: [node("QLinearConv", ["x", "xs", "xz", "W", "scale", "zero"], ["y"])],
      initializers: [int8Tensor("W", [2, 1, 1, 2], [1, 2, 3, 4]), scale, int8Tensor("zero", [2], [0, 1])],
    }));
    await withModel(content, async (opened) => {
      expect([...await opened.read(layer(opened, "W").tensor)]).toEqual([0.5, 1, 0.5, 0.75]);
    });
  });

  it("are told to be without a scale where the file has none", async () => {
    const content = model(graph({ nodes: [node("MatMulInteger", ["x", "W"], ["y"], [], "product")], initializers: [int8Tensor("W", [2, 2], ramp(4))] }));
    await withModel(content, (opened) => {
      expect(reason(opened, "W")).toContain("int8 whose scale is not found in the file");
    });
  });

  it("are told to have an unusable scale where it does not fit", async () => {
    const content = dequantize([intAttribute("axis", 0)], int8Tensor("W", [3, 2], ramp(6)));
    await withModel(content, (opened) => {
      expect(reason(opened, "W")).toContain("int8 whose scale is not found in the file");
    });
  });
});

describe("a Constant node", () => {
  it("is a weight as an initializer is, named after its output", async () => {
    const content = model(graph({ nodes: [constant("W", tensor("", [2, 2], VALUES)), node("MatMul", ["x", "W"], ["y"])] }));
    expect(await valuesOf(content)).toEqual(VALUES);
  });

  it("lists numbers, lists and sparse values as tensors with a reason", async () => {
    const attribute = (name: string, ...fields: readonly Buffer[]) => Buffer.concat([text(1, name), ...fields]);
    const sparse = bytes(22, bytes(1, tensor("", [1], [1])), bytes(2, tensor("", [1], packed(7, [0]), 7)), int(3, 4), int(3, 4));
    const content = model(graph({
      nodes: [
        node("Constant", [], ["one"], [attribute("value_float", float(2, 1))]),
        node("Constant", [], ["some"], [attribute("value_floats", float(7, 1), float(7, 2), float(7, 3))]),
        node("Constant", [], ["axis"], [attribute("value_int", int(3, 1))]),
        node("Constant", [], ["axes"], [attribute("value_ints", int(8, 0), int(8, 1))]),
        node("Constant", [], ["sparse"], [attribute("sparse_value", sparse)]),
        node("Constant", [], ["words"], [attribute("value_string", text(4, "no tensor"))]),
        node("Add", ["one", "some"], ["y"]), node("Squeeze", ["x", "axes"], ["z"]),
      ],
    }));
    await withModel(content, (opened) => {
      expect(opened.skipped.map(({ name, shape, dtype, reason: why }) => [name, shape, dtype, why])).toEqual([
        ["one", [], "float32", "a single number, used by Add"],
        ["some", [3], "float32", "one axis, used by Add: no matrix"],
        ["axis", [], "int64", "int64, used by no node: not a weight"],
        ["axes", [2], "int64", "int64, used by Squeeze: not a weight"],
        ["sparse", [4, 4], "float32", "used by no node"],
      ]);
    });
  });
});

describe("a sparse tensor", () => {
  const sparse = (shape: readonly number[], values: readonly number[], indices: readonly number[], dims: readonly number[]) =>
    Buffer.concat([bytes(1, tensor("W", [values.length], values)), bytes(2, tensor("", dims, packed(7, indices), 7)), ...shape.map((size) => int(3, size))]);
  const withSparse = (weight: Buffer) => model(Buffer.concat([graph({ nodes: [node("MatMul", ["x", "W"], ["y"], [], "product")] }), bytes(15, weight)]));

  it.each([["one index each", [1, 5], [2]], ["an index for each axis", [0, 1, 1, 2], [2, 2]]])("is written out by %s", async (_what, indices, dims) => {
    await withModel(withSparse(sparse([2, 3], [7, 8], indices, dims)), async (opened) => {
      const { kind, notes } = layer(opened, "W");
      expect(kind).toBe("linear");
      expect(notes).toContain("sparse: 2 of 6 weights are stored, the others are zero");
      expect([...await opened.read(layer(opened, "W").tensor)]).toEqual([0, 7, 0, 0, 0, 8]);
    });
  });

  it.each([[[1, 6], [2]], [[1, -1], [2]], [[0, 1, 2, 0], [2, 2]]])("with an index outside of its shape fails with a fault: %j", async (indices, dims) => {
    await withModel(withSparse(sparse([2, 3], [7, 8], indices, dims)), async (opened) => {
      await expect(opened.read(layer(opened, "W").tensor)).rejects.toMatchObject({ name: "Fault", code: "malformed" });
    });
  });

  it.each<[string, Buffer]>([
    ["its sparse values and their indices do not fit each other", sparse([2, 3], [7, 8], [1], [1])],
    ["sparse, and 10000000000 weights when it is written out: more than the 33554432 that RankLens does", sparse([100_000, 100_000], [7, 8], [1, 2], [2])],
    ["it has no data in the file", Buffer.concat([bytes(1, tensor("W", [1], [1])), int(3, 4), int(3, 4)])],
  ])("that cannot be read has the reason: %s", async (why, weight) => {
    await withModel(withSparse(weight), (opened) => { expect(reason(opened, "W")).toBe(why); });
  });
});

it("A file that grew after it was opened is not read as if nothing had happened", async () => {
  const path = file(product(tensor("W", [2, 2], VALUES)));
  await withModel(path, async (opened) => {
    const { appendFileSync } = await import("node:fs");
    appendFileSync(path, Buffer.concat([tag(100, 0), int(1, 1)]));
    await expect(opened.read(layer(opened, "W").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
  });
});
