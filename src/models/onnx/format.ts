import { resolve } from "node:path";
import { FileBytes } from "../fileBytes";
import type { Format, Model, OpenOptions } from "../model";
import { ExternalData } from "./external";
import { linkModel, type LinkedModel } from "./graph";
import { sortTensors } from "./layers";
import { parseModel, type ModelRecord } from "./modelProto";
import { TensorReader } from "./read";
import { WireReader } from "./wire";

/** ONNX models: github.com/onnx/onnx, docs/IR.md. */
export const onnx: Format = {
  id: "onnx",
  label: "ONNX",
  endings: [".onnx"],
  open: (path, options) => FileBytes.openFor(path, (file) => describe(file, options)),
};

async function describe(file: FileBytes, options: OpenOptions): Promise<Model> {
  const model = await parseModel(file);
  const linked = await linkModel(new WireReader(file), model);
  const external = new ExternalData(file.path, options.allowExternalDataOutside);
  const { layers, skipped, parameters } = await sortTensors(linked, external, options);
  const reader = new TensorReader(file, external);
  const readable = new Map(layers.map((entry) => [entry.layer.tensor.name, entry]));
  const files = external.files;
  return {
    summary: {
      path: resolve(file.path),
      format: onnx.id,
      parameters,
      bytes: file.size + files.reduce((sum, { size }) => sum + size, 0),
      tensors: linked.tensors.length,
      notes: [...notesOf(model, linked, files.length), ...external.problems],
    },
    layers: layers.map(({ layer }) => layer),
    skipped,
    files: [resolve(file.path), ...files.map((found) => found.path)],
    read: async (tensor) => {
      const entry = readable.get(tensor.name);
      if (entry === undefined) throw new Error(`"${tensor.name}" is no tensor of a layer of this model`);
      return reader.read(entry.record, entry.quantization, entry.packing);
    },
    ranges: ({ name }) => {
      const entry = readable.get(name);
      return entry === undefined ? null : reader.ranges(entry.record, entry.quantization, entry.packing);
    },
    close: () => file.close(),
  };
}

/** Domains that are named in the notes. */
const MOST_DOMAINS = 5;

function notesOf({ producer, opsets, irVersion, functions }: ModelRecord, { domains }: LinkedModel, externalFiles: number): string[] {
  const own = opsets.find(({ domain }) => domain === "" || domain === "ai.onnx");
  return [
    ...(producer === "" ? [] : [`producer ${producer}`]),
    ...(own === undefined ? [] : [`opset ${own.version}`]),
    ...(irVersion === null ? [] : [`IR version ${irVersion}`]),
    ...(domains.size === 0 ? [] : [`operators of ${[...domains].slice(0, MOST_DOMAINS).join(", ")}${domains.size > MOST_DOMAINS ? " and others" : ""}`]),
    ...(functions.length === 0 ? [] : [`${functions.length} local functions`]),
    ...(externalFiles === 0 ? [] : [`external data in ${externalFiles} ${externalFiles === 1 ? "file" : "files"}`]),
  ];
}
