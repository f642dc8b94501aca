import { resolve } from "node:path";
import { FileBytes } from "../fileBytes";
import { rangesOf, readValues } from "../hdf5/values";
import type { Format, Model, OpenOptions, ReadRange } from "../model";
import { openContainer } from "./container";
import { fromCudnn } from "./cudnn";
import { sortDatasets } from "./layers";

/** Keras: HDF5 of whole models and of weights, and the archives of Keras 3 (keras.io/api/models/model_saving_apis). */
export const keras: Format = {
  id: "keras",
  label: "Keras",
  endings: [".keras", ".h5", ".hdf5"],
  open: (path, options) => FileBytes.openFor(path, (file) => describe(file, options)),
};

async function describe(file: FileBytes, options: OpenOptions): Promise<Model> {
  const container = await openContainer(file);
  await file.assertUnchanged();
  const { layers, skipped, parameters } = sortDatasets(container, options);
  const readable = new Map(layers.map((entry) => [entry.layer.tensor.name, entry]));
  const own = resolve(file.path);
  return {
    summary: { path: own, format: keras.id, parameters, bytes: file.size, tensors: container.weights.datasets.length, notes: container.notes },
    layers: layers.map(({ layer }) => layer),
    skipped,
    files: [own],
    read: async ({ name }) => {
      const entry = readable.get(name);
      if (entry === undefined) throw new Error(`"${name}" is no tensor of a layer of this model`);
      const values = await readValues(container.weights.bytes, entry.dataset);
      await file.assertUnchanged();
      const [rows = 1, columns = 1] = entry.dataset.shape;
      return entry.cudnn === null ? values : fromCudnn(values, rows, columns, entry.cudnn);
    },
    ranges: ({ name }) => {
      const entry = readable.get(name);
      if (entry === undefined || entry.cudnn !== null) return null;
      const ranges = rangesOf(container.weights.bytes, entry.dataset);
      const read: ReadRange = async (start, count) => {
        const values = await ranges.read(start, count);
        await file.assertUnchanged();
        return values;
      };
      return { ...ranges, read };
    },
    close: () => file.close(),
  };
}
