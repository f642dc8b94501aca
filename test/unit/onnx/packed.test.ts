import { createRequire } from "node:module";
import type { InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { layer, reason } from "../support/opened";
import { uniform } from "../support/matrices";
import { bytes, file, floats, graph, int, int8Tensor, intAttribute, node, packed, tensor, text, typedValue, uint8Tensor } from "./onnxFile";
import { withModel } from "./opened";

/** Every value that RankLens unpacks equals what ONNX Runtime makes of it: its operator on an identity matrix gives the weight. */
const ort = createRequire(import.meta.url)("onnxruntime-node") as { InferenceSession: { create(path: string): Promise<InferenceSession> }; Tensor: typeof RuntimeTensor };
const MICROSOFT = bytes(8, text(1, "com.microsoft"), int(2, 1));
const FLOAT = 1, INT64 = 7, UINT4 = 21, INT4 = 22;

interface Made {
  readonly nodes: readonly Buffer[];
  readonly tensors: readonly Buffer[];
  readonly input: { readonly type: number; readonly shape: readonly number[] };
}

function written({ nodes, tensors, input }: Made, output: readonly number[]): string {
  const body = Buffer.concat([graph({ nodes, initializers: tensors }), bytes(11, typedValue("x", input.type, input.shape)), bytes(12, typedValue("y", FLOAT, output))]);
  return file(Buffer.concat([int(1, 10), bytes(7, body), bytes(8, int(2, 21)), MICROSOFT]));
}

async function run(path: string, x: RuntimeTensor): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(path);
  const { y } = await session.run({ x });
  await session.release();
  return y!.data as Float32Array;
}

const identity = (size: number): RuntimeTensor => new ort.Tensor("float32", Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)), [size, size]);
const some = (count: number, seed: number) => { const next = uniform(seed); return Array.from({ length: count }, () => Math.floor(next() * 256)); };
const scales = (count: number, seed: number) => { const next = uniform(seed); return Array.from({ length: count }, () => 0.01 + next()); };
const operator = (opType: string, inputs: readonly string[], attributes: Readonly<Record<string, number>>) =>
  node(opType, inputs, ["y"], Object.entries(attributes).map(([name, value]) => intAttribute(name, value)), "", "com.microsoft");

/** RankLens' values of W, and the runtime's of x·Wᵀ with x the identity, turned round. */
async function both(made: Made, rows: number, columns: number): Promise<{ ours: number[]; theirs: number[] }> {
  const path = written(made, [columns, rows]);
  const product = await run(path, identity(columns));
  const theirs = Array.from({ length: rows * columns }, (_, at) => product[(at % columns) * rows + Math.floor(at / columns)]!);
  return withModel(path, async (opened) => ({ ours: [...await opened.read(layer(opened, "W").tensor)], theirs }));
}

function expectSame({ ours, theirs }: { ours: number[]; theirs: number[] }): void {
  expect(ours.length).toBe(theirs.length);
  const largest = Math.max(...theirs.map(Math.abs));
  expect(Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]!)))).toBeLessThanOrEqual(1e-6 * largest);
}

describe("MatMulNBits, against ONNX Runtime", () => {
  const N = 5;
  const made = (bits: number, K: number, blockSize: number, further: { zero?: Buffer; order?: Buffer } = {}): Made => {
    const blocks = Math.ceil(K / blockSize), blob = (blockSize * bits) / 8;
    const inputs = ["x", "W", "scale", further.zero ? "zero" : "", further.order ? "order" : ""];
    return {
      nodes: [operator("MatMulNBits", inputs, { K, N, bits, block_size: blockSize })],
      tensors: [uint8Tensor("W", [N, blocks, blob], some(N * blocks * blob, bits + K)), tensor("scale", [N * blocks], scales(N * blocks, K)), ...Object.values(further)],
      input: { type: FLOAT, shape: [K, K] },
    };
  };

  it.each([[4, 32, 16], [4, 64, 32], [4, 40, 32], [8, 64, 32], [8, 48, 32], [2, 64, 32]])("%i bits, %i inputs in blocks of %i", async (bits, K, blockSize) => {
    expectSame(await both(made(bits, K, blockSize), N, K));
  });

  it("with packed zero points, whose rows begin at whole bytes", async () => {
    expectSame(await both(made(4, 96, 32, { zero: uint8Tensor("zero", [N * 2], some(N * 2, 3)) }), N, 96));
    expectSame(await both(made(8, 96, 32, { zero: uint8Tensor("zero", [N * 3], some(N * 3, 4)) }), N, 96));
  });

  it("with zero points of floats", async () => {
    expectSame(await both(made(4, 64, 32, { zero: tensor("zero", [N * 2], scales(N * 2, 5).map((value) => 15 * value)) }), N, 64));
  });

  it("with an order of groups", async () => {
    const order = tensor("order", [64], packed(5, Array.from({ length: 64 }, (_, i) => i % 2)), 6);
    expectSame(await both(made(4, 64, 32, { order }), N, 64));
  });

  it("is a linear layer of the matrix that it stands for", async () => {
    await withModel(written(made(4, 40, 32), [40, N]), (opened) => {
      const { tensor: weight, kind, views, notes } = layer(opened, "W");
      expect([weight.shape, weight.dtype, kind, views[0]!.input]).toEqual([[5, 40], "uint4", "linear", "columns"]);
      expect(notes).toContain("4 bits, dequantized in blocks of 32 along the rows");
      expect(opened.summary.parameters).toBe(200);
      expect(reason(opened, "scale")).toBe("one axis, used as scale of com.microsoft.MatMulNBits: no matrix");
    });
  });

  it.each<[string, Made]>([
    ["numbers of 3 bits, which RankLens does not read", { ...made(4, 64, 32), nodes: [operator("MatMulNBits", ["x", "W", "scale"], { K: 64, N, bits: 3, block_size: 32 })] }],
    ["its size and its scales do not fit the attributes of MatMulNBits", { ...made(4, 64, 32), nodes: [operator("MatMulNBits", ["x", "W", "scale"], { K: 65, N, bits: 4, block_size: 32 })] }],
    ["its size and its scales do not fit the attributes of MatMulNBits", { ...made(4, 64, 32), nodes: [operator("MatMulNBits", ["x", "W", "scale"], { K: -1, N: -1, bits: 4, block_size: 0 })] }],
    ["whose scale, zero point or order of groups is not found in the file", { ...made(4, 64, 32), nodes: [operator("MatMulNBits", ["x", "W", "x"], { K: 64, N, bits: 4, block_size: 32 })] }],
  ])("that cannot be read has the reason: %s", async (why, broken) => {
    await withModel(written(broken, [64, N]), (opened) => { expect(reason(opened, "W")).toBe(why); });
  });

  it("with an order that names a block that does not exist fails with a fault", async () => {
    const order = tensor("order", [64], packed(5, Array.from({ length: 64 }, () => 2)), 6);
    await withModel(written(made(4, 64, 32, { order }), [64, N]), async (opened) => {
      await expect(opened.read(layer(opened, "W").tensor)).rejects.toMatchObject({ code: "malformed" });
    });
  });
});

describe("MatMulBnb4, against ONNX Runtime", () => {
  it.each([["FP4", 0], ["NF4", 1]])("%s", async (name, type) => {
    const [N, K, size] = [6, 48, 32];
    const made: Made = {
      nodes: [operator("MatMulBnb4", ["x", "W", "scale"], { K, N, block_size: size, quant_type: type })],
      tensors: [uint8Tensor("W", [(N * K) / 2], some((N * K) / 2, 9)), tensor("scale", [(N * K) / size], scales((N * K) / size, 8))],
      input: { type: FLOAT, shape: [K, K] },
    };
    expectSame(await both(made, N, K));
    await withModel(written(made, [K, N]), (opened) => { expect(layer(opened, "W").notes).toContain(`bitsandbytes ${name}, dequantized in blocks of 32`); });
  });
});

describe("GatherBlockQuantized, against ONNX Runtime", () => {
  const [V, D, size] = [7, 64, 16];
  const scale = tensor("scale", [V, D / size], scales((V * D) / size, 6));
  const attributes = { gather_axis: 0, quantize_axis: 1, block_size: size };
  it.each<[string, number, readonly string[], readonly Buffer[], Readonly<Record<string, number>>]>([
    ["uint4 with zero points", UINT4, ["zero"], [tensor("zero", [V, D / size], bytes(9, Buffer.from(some((V * D) / size / 2, 2))), UINT4)], {}],
    ["uint4 without", UINT4, [], [], {}],
    ["int4", INT4, [], [], {}],
    ["bytes of two numbers each", 2, [], [], { bits: 4 }],
    ["bytes with packed zero points", 2, ["zero"], [uint8Tensor("zero", [V, D / size / 2], some((V * D) / size / 2, 3))], { bits: 4 }],
    ["bytes", 2, [], [], { bits: 8 }],
  ])("%s", async (_what, type, zero, further, more) => {
    const count = V * D, isWide = more["bits"] === 8, length = isWide ? count : count / 2;
    const made: Made = {
      nodes: [operator("GatherBlockQuantized", ["W", "x", "scale", ...zero], { ...attributes, ...more })],
      tensors: [tensor("W", type === 2 ? [V, length / V] : [V, D], bytes(9, Buffer.from(some(length, 5))), type), scale, ...further],
      input: { type: INT64, shape: [V] },
    };
    const path = written(made, [V, D]);
    const theirs = [...await run(path, new ort.Tensor("int64", BigInt64Array.from({ length: V }, (_, i) => BigInt(i)), [V]))];
    await withModel(path, async (opened) => {
      const { tensor: weight, kind } = layer(opened, "W");
      expect([weight.shape, kind]).toEqual([[V, D], "embedding"]);
      expectSame({ ours: [...await opened.read(weight)], theirs });
    });
  });
});

describe("DequantizeLinear, against ONNX Runtime", () => {
  /** x · dequantized W, with x the identity. */
  const dequantized = (weight: Buffer, rows: number, attributes: readonly Buffer[], further: readonly Buffer[]): Made => ({
    nodes: [node("DequantizeLinear", ["W", "scale", ...(further.length > 1 ? ["zero"] : [])], ["w"], attributes), node("MatMul", ["x", "w"], ["y"])],
    tensors: [weight, ...further], input: { type: FLOAT, shape: [rows, rows] },
  });
  const compare = async (made: Made, rows: number, columns: number): Promise<void> => {
    const path = written(made, [rows, columns]);
    const theirs = [...await run(path, identity(rows))];
    await withModel(path, async (opened) => expectSame({ ours: [...await opened.read(layer(opened, "W").tensor)], theirs }));
  };

  it.each([["int4", INT4], ["uint4", UINT4]])("%s in blocks, with zero points", async (_name, type) => {
    const [rows, columns, size] = [8, 6, 4];
    const weight = tensor("W", [rows, columns], bytes(9, Buffer.from(some((rows * columns) / 2, 1))), type);
    const zero = tensor("zero", [2, columns], bytes(9, Buffer.from(some(columns, 2))), type);
    await compare(dequantized(weight, rows, [intAttribute("axis", 0), intAttribute("block_size", size)], [tensor("scale", [2, columns], scales(2 * columns, 3)), zero]), rows, columns);
  });

  it("int8 per axis", async () => {
    const weight = int8Tensor("W", [4, 3], some(12, 1).map((value) => value - 128));
    await compare(dequantized(weight, 4, [intAttribute("axis", 1)], [tensor("scale", [3], scales(3, 2)), int8Tensor("zero", [3], [1, -2, 3])]), 4, 3);
  });

  it.each([["e4m3fn", 17, [0x38, 0xc0, 0x30, 0x7e]], ["e5m2", 19, [0x3c, 0xc0, 0x38, 0x42]]])("float8 %s is scaled too", async (_name, type, codes) => {
    const path = written(dequantized(tensor("W", [2, 2], bytes(9, Buffer.from(codes)), type), 2, [], [tensor("scale", [], bytes(9, floats([0.5])))]), [2, 2]);
    const theirs = [...await run(path, identity(2))];
    await withModel(path, async (opened) => expectSame({ ours: [...await opened.read(layer(opened, "W").tensor)], theirs }));
  });
});
