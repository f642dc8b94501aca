import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Fault } from "../shared/fault";
import { FileBytes } from "../models/fileBytes";
import { ExternalData } from "../models/onnx/external";
import { TensorReader } from "../models/onnx/read";
import { DATA_TYPES } from "../models/onnx/schema";
import { parseTensor } from "../models/onnx/tensorProto";
import { WireReader } from "../models/onnx/wire";
import type { Values } from "../models/model";

/** A tensor of test data. */
export interface ProtoInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Values;
}

/** As the ONNX model zoo lays test data out: test_data_set_0/input_0.pb, input_1.pb, … */
const INPUT = /^input_(\d+)\.pb$/i;
const DATA_SET = /^test_data_set_(\d+)$/i;

/** Whether a path is of test data in ONNX's own form: a .pb file, or a folder of such. */
export async function isProtoData(path: string): Promise<boolean> {
  return path.toLowerCase().endsWith(".pb") || stat(path).then((found) => found.isDirectory(), () => false);
}

/**
 * The inputs of each batch, in the graph's order: of a file's own folder where it is one of several, of a folder, or of all data
 * sets in it.
 * @throws Fault not-found where a folder has none, and those of the files
 */
export async function protoInputs(path: string): Promise<ProtoInput[][]> {
  if (!(await stat(path)).isDirectory()) {
    return [INPUT.test(basename(path)) ? await inputsIn(dirname(path)) : [await readInput(path)]];
  }
  const batches = await Promise.all((await setsOf(path)).map(inputsIn));
  if (batches.every((batch) => batch.length === 0)) throw new Fault("not-found", `${basename(path)} holds no test data: no input_0.pb, and no test_data_set_0 with one.`, "Name another folder, or a .npz file.");
  return batches.filter((batch) => batch.length > 0);
}

/** The folders of a folder's data sets, in order; the folder itself where it has none. */
async function setsOf(path: string): Promise<string[]> {
  const sets = (await readdir(path)).filter((name) => DATA_SET.test(name)).sort((a, b) => Number(DATA_SET.exec(a)![1]) - Number(DATA_SET.exec(b)![1]));
  return sets.length > 0 ? sets.map((name) => join(path, name)) : [path];
}

/** Every file that data of a person's own is read from, in order. @throws Fault not-found */
export async function dataFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new Fault("not-found", `There is no ${basename(path)}.`, "Check the path.");
  if (found.isDirectory()) return (await Promise.all((await setsOf(path)).map(filesIn))).flat();
  return INPUT.test(basename(path)) ? filesIn(dirname(path)) : [path];
}

async function inputsIn(folder: string): Promise<ProtoInput[]> {
  const inputs: ProtoInput[] = [];
  for (const path of await filesIn(folder)) inputs.push(await readInput(path));
  return inputs;
}

async function filesIn(folder: string): Promise<string[]> {
  const found = (await readdir(folder)).flatMap((name) => {
    const number = INPUT.exec(name)?.[1];
    return number === undefined ? [] : [{ name, number: Number(number) }];
  });
  return found.sort((a, b) => a.number - b.number).map(({ name }) => join(folder, name));
}

/** A file that is one TensorProto. @throws Fault malformed, unsupported, and those of reading */
async function readInput(path: string): Promise<ProtoInput> {
  const file = await FileBytes.open(path);
  try {
    const record = await parseTensor(new WireReader(file), { start: 0, end: file.size }, 0);
    const type = DATA_TYPES.get(record.dataType);
    if (type === undefined || (type.name !== "bool" && !/^(?:u?int|float|bfloat)\d+$/.test(type.name))) {
      throw new Fault("unsupported", `${basename(path)} holds no numbers that could be an input (${type?.name ?? `type ${record.dataType}`}).`, "Give data that numpy.savez wrote.");
    }
    return { name: record.name, shape: record.shape, values: await new TensorReader(file, new ExternalData(path, false)).read(record, null) };
  } finally {
    await file.close();
  }
}
