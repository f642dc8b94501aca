import { resolve } from "node:path";
import type { SkippedTensor } from "../../shared/report";
import type { Format, Layer, Model, OpenOptions } from "../model";
import { StateDict } from "../stateDict";
import { rangesOf, readArray, type StoredArray } from "./arrays";
import { openNumpy } from "./files";
import { stateDictNameOf } from "./naming";

/** Arrays as numpy.save and numpy.savez write them (numpy/lib/format.py). */
export const numpy: Format = {
  id: "numpy",
  label: "NumPy",
  endings: [".npy", ".npz"],
  open: openArrays,
};

async function openArrays(path: string, options: OpenOptions): Promise<Model> {
  const { file, arrays, others } = await openNumpy(path);
  const stateDict = new StateDict(arrays.filter(({ reason }) => reason === null).map(({ name, shape }) => ({ name: stateDictNameOf(name), shape })), options);
  const layers = new Map<string, { layer: Layer; array: StoredArray }>();
  const skipped: SkippedTensor[] = [];
  for (const array of arrays) {
    const { name, dtype, shape } = array;
    const layer = array.reason ?? stateDict.layerOf({ name, dtype, shape }, { notes: notesOf(array), aliases: [] }, stateDictNameOf(name));
    if (typeof layer === "string") skipped.push({ name, dtype, shape, reason: layer });
    else layers.set(name, { layer, array });
  }
  const own = resolve(path);
  return {
    summary: {
      path: own,
      format: numpy.id,
      parameters: arrays.reduce((sum, { isFloat, shape }) => sum + (isFloat ? shape.reduce((product, size) => product * size, 1) : 0), 0),
      bytes: file.size,
      tensors: arrays.length + others.length,
      notes: [],
    },
    layers: [...layers.values()].map(({ layer }) => layer),
    skipped: [...skipped, ...others.map(({ name, reason }) => ({ name, shape: [], dtype: "unknown", reason }))],
    files: [own],
    read: async ({ name }) => {
      const found = layers.get(name);
      if (found === undefined) throw new Error(`"${name}" is no tensor of a layer of this model`);
      return file.whileOpen(() => readArray(found.array));
    },
    ranges: ({ name }) => {
      const found = layers.get(name), ranges = found === undefined ? null : rangesOf(found.array);
      return ranges && { ...ranges, read: (start, count) => file.whileOpen(() => ranges.read(start, count)) };
    },
    // The file is opened for each read.
    close: async () => undefined,
  };
}

function notesOf({ isFortranOrder, isBigEndian, shape }: StoredArray): string[] {
  return [...(isFortranOrder && shape.length > 1 ? ["stored in Fortran order"] : []), ...(isBigEndian ? ["stored big-endian"] : [])];
}
