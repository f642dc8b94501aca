import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { archive as kerasArchive } from "../../unit/keras/kerasFile";
import { hdf5File } from "../../unit/keras/hdf5Writer";
import { npy } from "../../unit/numpy/npyFile";
import { bytes, graph, int, intAttribute, model, node, tensor as initializer, text } from "../../unit/onnx/onnxFile";
import { archive, dict, legacy, pickle, tensor } from "../../unit/pytorch/pickleFile";
import { zipFile } from "../../unit/support/zipFile";

/** A tall matrix of more values than are held in memory, which has one value in each of its columns, far apart. */
export const ROWS = 102_400, COLUMNS = 512;
/** Its singular values, each for a quarter of the columns. */
export const LEVELS = [0.5, 1, 1.5, 2] as const;

const HALVES = [0x3800, 0x3c00, 0x3e00, 0x4000], BRAIN_HALVES = [0x3f00, 0x3f80, 0x3fc0, 0x4000];
const TALL = [ROWS, COLUMNS], WIDE = [COLUMNS, ROWS];
const COUNT = ROWS * COLUMNS;

/** Calls `put` with the places of all values that are not zero, row by row, and the number of their level. */
function eachValue(put: (place: number, level: number) => void): void {
  for (let column = 0; column < COLUMNS; column++) put(column * (ROWS / COLUMNS) * COLUMNS + column, column % LEVELS.length);
}

function halves(codes: readonly number[] = HALVES): Buffer {
  const out = Buffer.alloc(2 * COUNT);
  eachValue((place, level) => out.writeUInt16LE(codes[level]!, 2 * place));
  return out;
}

/** Twice the levels, to be halved by a scale. */
function doubled(): Buffer {
  const out = Buffer.alloc(COUNT);
  eachValue((place, level) => out.writeInt8(2 * LEVELS[level]!, place));
  return out;
}

/** Doubles behind a header, of which the disk holds no more than those that are not zero. */
function sparseDoubles(path: string, head: Buffer): string {
  const file = openSync(path, "w");
  writeSync(file, head);
  ftruncateSync(file, head.length + 8 * COUNT);
  eachValue((place, level) => writeSync(file, Buffer.from(Float64Array.of(LEVELS[level]!).buffer), 0, 8, head.length + 8 * place));
  closeSync(file);
  return path;
}

const header = (descr: string, order: string, shape: readonly number[]): string => `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape.join(", ")}), }`;
const multiplied = (...initializers: readonly Buffer[]): Buffer => model(graph({ nodes: [node("MatMul", ["x", "W"], ["y"])], initializers }));

function externalWeight(dims: readonly number[], dataType: number): Buffer {
  return Buffer.concat([...dims.map((size) => int(1, size)), int(2, dataType), text(8, "W"), bytes(13, text(1, "location"), text(2, "w.bin")), bytes(13, text(1, "offset"), text(2, "64")), int(14, 1)]);
}

/** What is analyzed, its dtype, and how a file of it is written into a folder. */
export const LARGE_FILES: readonly (readonly [what: string, dtype: string, write: (folder: string) => string])[] = ([
  ["an archive of PyTorch", "bfloat16", "m.pt", () => archive(pickle(dict(["fc.weight", tensor({ shape: TALL, storage: "BFloat16Storage" })])), { 0: halves(BRAIN_HALVES) })],
  ["a transposed tensor of PyTorch", "float16", "m.pt", () => archive(pickle(dict(["fc.weight", tensor({ shape: WIDE, strides: [1, COLUMNS], storage: "HalfStorage" })])), { 0: halves() })],
  ["a legacy file of PyTorch", "float16", "m.pth", () => legacy(dict(["fc.weight", tensor({ shape: TALL, storage: "HalfStorage" })]), { 0: halves() }, { 0: 2 })],
  ["raw data of ONNX", "float16", "m.onnx", () => multiplied(initializer("W", TALL, bytes(9, halves()), 10))],
  ["integers of ONNX with a scale for each column", "int8", "m.onnx", () => model(graph({
    nodes: [node("DequantizeLinear", ["W", "scale"], ["w"], [intAttribute("axis", 1)]), node("MatMul", ["x", "w"], ["y"])],
    initializers: [initializer("W", TALL, bytes(9, doubled()), 3), initializer("scale", [COLUMNS], new Array<number>(COLUMNS).fill(0.5))],
  }))],
  ["an archive of NumPy", "float16", "w.npz", () => zipFile([{ name: "w.npy", content: npy(header("<f2", "False", TALL), halves()) }])],
  ["HDF5", "float16", "m.h5", () => hdf5File({ root: { dense: { "kernel:0": { shape: TALL, values: [], bytes: halves(), type: "float16" } } } })],
  ["an archive of Keras", "bfloat16", "m.keras", () => kerasArchive({ "model.weights.h5": hdf5File({ root: { layers: { dense: { vars: { 0: { shape: TALL, values: [], bytes: halves(BRAIN_HALVES), type: "bfloat16" } } } } } }) })],
] as const).map(([what, dtype, name, make]) => [what, dtype, (folder: string) => {
  const path = join(folder, name);
  writeFileSync(path, make());
  return path;
}] as const);

/** The same of files that are mostly holes. */
export const LARGE_SPARSE_FILES: typeof LARGE_FILES = [
  ["NumPy in C order", "float64", (folder) => sparseDoubles(join(folder, "w.npy"), npy(header("<f8", "False", TALL), Buffer.alloc(0)))],
  ["NumPy in Fortran order", "float64", (folder) => sparseDoubles(join(folder, "w.npy"), npy(header("<f8", "True", WIDE), Buffer.alloc(0)))],
  ["external data of ONNX", "float64", (folder) => {
    sparseDoubles(join(folder, "w.bin"), Buffer.alloc(64));
    writeFileSync(join(folder, "m.onnx"), multiplied(externalWeight(TALL, 11)));
    return join(folder, "m.onnx");
  }],
];
