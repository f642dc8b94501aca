import { basename, dirname, join, resolve } from "node:path";
import { Fault } from "../../shared/fault";
import { decode } from "../dtypes";
import { FileBytes } from "../fileBytes";
import { fromCudnn } from "../keras/cudnn";
import type { Format, Model, OpenOptions, Values } from "../model";
import { openBundle, readData, type Bundle, type BundleEntry } from "./bundle";
import { sortEntries } from "./layers";
import { variableNames } from "./objectGraph";
import { typeOf } from "./schema";

const PROGRAM = "saved_model.pb", INDEX = "variables.index";

/** TensorFlow SavedModel: its variables, in the form of all of TensorFlow's checkpoints (tensorflow/core/util/tensor_bundle). */
export const savedmodel: Format = {
  id: "savedmodel",
  label: "TensorFlow SavedModel",
  endings: [PROGRAM, INDEX],
  open: openSavedModel,
};

async function openSavedModel(path: string, options: OpenOptions): Promise<Model> {
  const isProgram = path.toLowerCase().endsWith(PROGRAM);
  const program = isProgram ? await sizeOf(path) : 0;
  const bundle = await openVariables(isProgram ? join(dirname(path), "variables", INDEX) : path, isProgram);
  const { layers, skipped, parameters } = sortEntries(bundle, await variableNames(bundle), options);
  const readable = new Map(layers.map((readableLayer) => [readableLayer.layer.tensor.name, readableLayer]));
  const own = resolve(path);
  const present = bundle.data.filter(({ found }) => found !== null);
  return {
    summary: {
      path: own, format: savedmodel.id, parameters, tensors: bundle.entries.length, notes: notesOf(bundle),
      bytes: program + bundle.index.size + present.reduce((sum, { found }) => sum + (found?.size ?? 0), 0),
    },
    layers: layers.map(({ layer }) => layer),
    skipped,
    files: [own, ...[bundle.index.path, ...bundle.data.map((file) => file.path)].map((file) => resolve(file)).filter((file) => file !== own)],
    read: async ({ name }) => {
      const found = readable.get(name);
      if (found === undefined) throw new Error(`"${name}" is no tensor of a layer of this model`);
      const values = await readValues(bundle, found.entry);
      const [rows = 1, columns = 1] = found.entry.shape;
      return found.cudnn === null ? values : fromCudnn(values, rows, columns, found.cudnn);
    },
    // Files are opened for each read.
    close: async () => undefined,
  };
}

async function sizeOf(path: string): Promise<number> {
  const file = await FileBytes.open(path);
  await file.close();
  return file.size;
}

async function openVariables(path: string, besideProgram: boolean): Promise<Bundle> {
  try {
    return await openBundle(path);
  } catch (error) {
    if (!besideProgram || !(error instanceof Fault) || error.code !== "not-found") throw error;
    throw new Fault("not-found", `The model has no variables/${INDEX} beside its ${PROGRAM}: its weights are not there, or are part of its program.`, "Fetch the whole folder of the model, or save it again with its variables.");
  }
}

async function readValues({ data, littleEndian }: Bundle, { shard, offset, size, type, shape }: BundleEntry): Promise<Values> {
  const file = data[shard];
  if (file === undefined) throw new Error(`no file ${shard} of ${data.length}`);
  const bytes = await readData(file, offset, size);
  const { name, bytes: each } = typeOf(type);
  if (!littleEndian) for (let at = 0; at < bytes.length; at += each) bytes.subarray(at, at + each).reverse();
  return decode(name, bytes, shape.reduce((product, axis) => product * axis, 1));
}

/** Missing files that are named; the rest is counted. */
const MOST_MISSING = 3;

function notesOf({ data, littleEndian }: Bundle): string[] {
  const missing = data.filter(({ found }) => found === null).map(({ path }) => basename(path));
  return [
    ...(data.length > 1 ? [`${data.length} files of variables`] : []),
    ...(littleEndian ? [] : ["big-endian"]),
    ...(missing.length === 0 ? [] : [`${missing.length} of ${data.length} files of variables ${missing.length === 1 ? "is" : "are"} missing: ${missing.slice(0, MOST_MISSING).join(", ")}${missing.length > MOST_MISSING ? ", …" : ""}`]),
  ];
}
