import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openModel } from "../../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS, type Model, type Ranges, type Tensor } from "../../../src/models/model";
import { ggufFile } from "../gguf/ggufFile";
import { archive as kerasArchive } from "../keras/kerasFile";
import { hdf5File, type DatasetToWrite } from "../keras/hdf5Writer";
import { npy } from "../numpy/npyFile";
import { bytes, graph, int, intAttribute, model, node, tensor as initializer, text } from "../onnx/onnxFile";
import { archive, dict, legacy, pickle, tensor, typedTensor, type Code } from "../pytorch/pickleFile";
import { file as safetensorsFile, stored } from "../safetensors/safetensorsFile";
import { folder, written } from "../support/folders";
import { zipFile } from "../support/zipFile";

/** Axes that no power of two divides. */
const SHAPE = [7, 9] as const;
const COUNT = 63;

/** Bytes of a linear congruential generator: numbers of every type, NaN and infinities among them. */
function noise(length: number): Buffer {
  let state = 7;
  return Buffer.from(Uint8Array.from({ length }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24));
}

const torch = (value: Code, storage: Uint8Array, isBigEndian = false): string =>
  written(archive(pickle(dict(["fc.weight", value])), { 0: storage }, isBigEndian ? [{ name: "archive/byteorder", content: Buffer.from("big") }] : []), "m.pt");
const array = (descr: string, itemSize: number, order = "False", shape: readonly number[] = SHAPE): Buffer =>
  npy(`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape.join(", ")}), }`, noise(itemSize * shape.reduce((product, size) => product * size, 1)));
const weight = (dataType: number, bits: number, dims: readonly number[] = SHAPE): Buffer => initializer("W", dims, bytes(9, noise(Math.ceil((COUNT * bits) / 8))), dataType);
const multiplied = (...initializers: readonly Buffer[]): Buffer => model(graph({ nodes: [node("MatMul", ["x", "W"], ["y"])], initializers }));
const dequantized = (scales: readonly number[], dims: readonly number[], further: Readonly<Record<string, number>>, stored: Buffer): string => written(model(graph({
  nodes: [node("DequantizeLinear", ["W", "scale"], ["w"], Object.entries(further).map(([name, value]) => intAttribute(name, value))), node("MatMul", ["x", "w"], ["y"])],
  initializers: [stored, initializer("scale", dims, scales)],
})), "m.onnx");
const dataset = (more: Partial<DatasetToWrite>): string =>
  written(hdf5File({ root: { dense: { "kernel:0": { shape: SHAPE, values: Array.from({ length: COUNT }, (_, i) => Math.sin(i)), ...more } } } }), "m.h5");
const codes = Array.from({ length: COUNT }, (_, i) => (i * 1021) % 65536);

function externalOnnx(): string {
  const base = folder();
  const entries = Object.entries({ location: "w.bin", offset: "4", length: String(COUNT * 2) }).map(([key, value]) => bytes(13, text(1, key), text(2, value)));
  writeFileSync(join(base, "w.bin"), noise(4 + COUNT * 2));
  writeFileSync(join(base, "m.onnx"), multiplied(Buffer.concat([int(1, 7), int(1, 9), int(2, 16), text(8, "W"), ...entries, int(14, 1)])));
  return join(base, "m.onnx");
}

/** A file of one tensor each. */
const STORED: readonly (readonly [what: string, make: () => string])[] = [
  ["float32 of PyTorch", () => torch(tensor({ shape: SHAPE }), noise(252))],
  ["float64 of PyTorch", () => torch(tensor({ shape: SHAPE, storage: "DoubleStorage" }), noise(504))],
  ["float16 of PyTorch", () => torch(tensor({ shape: SHAPE, storage: "HalfStorage" }), noise(126))],
  ["bfloat16 of PyTorch", () => torch(tensor({ shape: SHAPE, storage: "BFloat16Storage" }), noise(126))],
  ["float8 of PyTorch", () => torch(typedTensor("float8_e4m3fn", COUNT, SHAPE), noise(COUNT))],
  ["big-endian float32 of PyTorch", () => torch(tensor({ shape: SHAPE }), noise(252), true)],
  ["a transposed tensor of PyTorch", () => torch(tensor({ shape: SHAPE, strides: [1, 7] }), noise(252))],
  ["a part of another tensor of PyTorch", () => torch(tensor({ shape: [3, 4], strides: [9, 2], offset: 11, elements: COUNT }), noise(252))],
  ["a permuted tensor of PyTorch", () => torch(tensor({ shape: [3, 7, 3], strides: [1, 9, 3] }), noise(252))],
  ["a legacy file of PyTorch", () => written(legacy(dict(["fc.weight", tensor({ shape: SHAPE })]), { 0: noise(252) }), "m.pth")],
  ["float32 of NumPy", () => written(array("<f4", 4), "w.npy")],
  ["float16 of NumPy", () => written(array("<f2", 2), "w.npy")],
  ["big-endian float64 of NumPy", () => written(array(">f8", 8), "w.npy")],
  ["Fortran order of NumPy", () => written(array("<f8", 8, "True"), "w.npy")],
  ["three axes in Fortran order", () => written(array("<f4", 4, "True", [3, 7, 3]), "w.npy")],
  ["an entry of an archive of NumPy", () => written(zipFile([{ name: "w.npy", content: array("<f4", 4) }]), "w.npz")],
  ["float32 of ONNX", () => written(multiplied(weight(1, 32)), "m.onnx")],
  ["float64 of ONNX", () => written(multiplied(weight(11, 64)), "m.onnx")],
  ["float16 of ONNX", () => written(multiplied(weight(10, 16)), "m.onnx")],
  ["float8 of ONNX", () => written(multiplied(weight(19, 8)), "m.onnx")],
  ["bfloat16 in external data", externalOnnx],
  ["int8 of ONNX with one scale", () => dequantized([0.3], [], {}, weight(3, 8))],
  ["uint8 of ONNX with a scale for each row", () => dequantized([1, 2, 3, 4, 5, 6, 7], [7], { axis: 0 }, weight(2, 8))],
  ["int16 of ONNX with a scale for each column", () => dequantized([1, 2, 3, 4, 5, 6, 7, 8, 9], [9], { axis: 1 }, weight(5, 16))],
  ["int4 of ONNX in blocks of columns", () => dequantized(Array.from({ length: 21 }, (_, i) => i + 1), [7, 3], { axis: 1, block_size: 3 }, weight(22, 4))],
  ["uint4 of ONNX in blocks of rows", () => dequantized(Array.from({ length: 36 }, (_, i) => i + 1), [4, 9], { axis: 0, block_size: 2 }, weight(21, 4))],
  ["int2 of ONNX", () => dequantized([0.5], [], {}, weight(26, 2))],
  ["float32 of HDF5", () => dataset({})],
  ["float64 of HDF5", () => dataset({ type: "float64" })],
  ["big-endian float32 of HDF5", () => dataset({ bigEndian: true })],
  ["float16 of HDF5", () => dataset({ type: "float16", values: codes })],
  ["chunks of HDF5", () => dataset({ chunk: [3, 4] })],
  ["shuffled chunks of HDF5", () => dataset({ type: "float64", chunk: [2, 9], shuffle: true })],
  ["an archive of Keras", () => written(kerasArchive({ "model.weights.h5": hdf5File({ root: { layers: { dense: { vars: { 0: { shape: SHAPE, values: codes } } } } } }) }), "m.keras")],
  ["bfloat16 of safetensors", () => written(safetensorsFile({ w: stored("BF16", SHAPE, noise(126)) }), "m.safetensors")],
  ["q8_0 of GGUF", () => written(ggufFile({ tensors: [{ name: "blk.0.ffn_up.weight", dims: [32, 7], type: 8, data: noise(34 * 7) }] }), "m.gguf")],
];

async function opened<T>(path: string, body: (model: Model, tensor: Tensor, ranges: Ranges) => Promise<T>): Promise<T> {
  const found = await openModel(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
  try {
    const tensor = found.layers[0]?.tensor ?? expect.fail(`no layer, but ${JSON.stringify(found.skipped)}`);
    return await body(found, tensor, found.ranges?.(tensor) ?? expect.fail("it can only be read whole"));
  } finally {
    await found.close();
  }
}

/** By element in row-major order: which value of the stored ones it is. */
const placesOf = (shape: readonly number[], strides: readonly number[]): number[] =>
  shape.reduce<number[]>((all, size, axis) => all.flatMap((base) => Array.from({ length: size }, (_, i) => base + i * strides[axis]!)), [0]);

describe("parts of a tensor", () => {
  it.each(STORED)("are those of the whole, from any start and of any length: %s", async (_what, make) => {
    await opened(make(), async (found, tensor, { strides, read }) => {
      const whole = await found.read(tensor), places = placesOf(tensor.shape, strides);
      const end = Math.max(...places) + 1;
      for (const [start, count] of [[0, end], [0, 1], [1, 1], [3, 5], [5, 12], [8, end - 8], [end - 1, 1], [end - 3, 2]] as const) {
        const part = await read(start, count);
        expect([part.constructor, part.length]).toEqual([whole.constructor, count]);
        places.forEach((place, element) => { if (place >= start && place < start + count) expect(part[place - start]).toBe(whole[element]); });
      }
    });
  });

  it.each(STORED)("fail as the whole does when the file was cut off after it was opened: %s", async (_what, make) => {
    const path = make();
    await opened(path, async (found, tensor, { strides, read }) => {
      const count = Math.max(...placesOf(tensor.shape, strides)) + 1;
      // Where the values are in a file beside the model, that one is cut off.
      truncateSync(found.files.at(-1)!, 40);
      const [ofWhole, ...ofParts] = await Promise.all([found.read(tensor), read(0, count), read(0, 1), read(count - 3, 2)].map((reading) => reading.then(() => null, (error: unknown) => error)));
      expect(ofWhole).toMatchObject({ name: "Fault", code: "changed-while-read" });
      for (const fault of ofParts) expect(fault).toEqual(ofWhole);
    });
  });

  it("are not read of what is packed or kept as numbers of variable length", async () => {
    for (const path of [
      written(zipFile([{ name: "w.npy", content: array("<f4", 4), isDeflated: true }]), "w.npz"),
      written(archive(pickle(dict(["fc.weight", tensor({ shape: SHAPE })])), { 0: noise(252) }, [], true), "m.pt"),
      written(multiplied(initializer("W", SHAPE, bytes(4, noise(252)))), "m.onnx"),
    ]) {
      const found = await openModel(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
      expect(found.ranges?.(found.layers[0]!.tensor)).toBeNull();
      await found.close();
    }
  });
});
