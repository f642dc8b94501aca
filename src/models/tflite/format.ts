import { basename, resolve } from "node:path";
import { FileBytes } from "../fileBytes";
import type { Format, Model, OpenOptions } from "../model";
import { PagedBytes } from "../pagedBytes";
import { readGraph, type Graph } from "./graph";
import { sortConstants } from "./layers";
import { readValues } from "./values";

/** TensorFlow Lite (LiteRT) models: FlatBuffers of tensorflow/compiler/mlir/lite/schema/schema.fbs. */
export const tflite: Format = {
  id: "tflite",
  label: "TensorFlow Lite",
  endings: [".tflite"],
  open: (path, options) => FileBytes.openFor(path, (file) => describe(file, options)),
};

async function describe(file: FileBytes, options: OpenOptions): Promise<Model> {
  const bytes = new PagedBytes({ name: basename(file.path), size: file.size, read: (offset, length) => file.read(offset, length) }, 0);
  const graph = await readGraph(bytes);
  await file.assertUnchanged();
  const { layers, skipped, parameters } = sortConstants(graph, options);
  const readable = new Map(layers.map(({ layer, constant }) => [layer.tensor.name, constant]));
  const own = resolve(file.path);
  return {
    summary: { path: own, format: tflite.id, parameters, bytes: file.size, tensors: graph.constants.length, notes: notesOf(graph) },
    layers: layers.map(({ layer }) => layer),
    skipped,
    files: [own],
    read: async ({ name }) => {
      const constant = readable.get(name);
      if (constant === undefined) throw new Error(`"${name}" is no tensor of a layer of this model`);
      const values = await readValues(bytes, constant);
      await file.assertUnchanged();
      return values;
    },
    close: () => file.close(),
  };
}

/** Longest description that is repeated. */
const LONGEST_DESCRIPTION = 80;

function notesOf({ description, subgraphs }: Graph): string[] {
  return [...(description === "" ? [] : [description.slice(0, LONGEST_DESCRIPTION)]), ...(subgraphs > 1 ? [`${subgraphs} subgraphs`] : [])];
}
