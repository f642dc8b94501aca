import { resolve } from "node:path";
import { clipped } from "../clipped";
import type { Format, Model, OpenOptions } from "../model";
import { sortTensors } from "./layers";
import { rangesOf, readValues } from "./read";
import { openFiles, type OpenedFiles } from "./shards";

/** github.com/ggml-org/ggml, docs/gguf.md; one file, or several named -00001-of-00003.gguf. */
export const gguf: Format = {
  id: "gguf",
  label: "GGUF",
  endings: [".gguf"],
  open: openGguf,
};

async function openGguf(path: string, options: OpenOptions): Promise<Model> {
  const files = await openFiles(path);
  // Of a split model, its first file has the metadata.
  const metadata = files.shards[0]!.metadata;
  const { layers, skipped, parameters } = sortTensors(files.tensors, metadata, options);
  const tensors = new Map(layers.map(({ layer, tensor }) => [layer.tensor.name, tensor]));
  const own = resolve(path);
  return {
    summary: {
      path: own,
      format: gguf.id,
      parameters,
      bytes: files.shards.reduce((sum, { size }) => sum + size, 0),
      tensors: files.tensors.length,
      notes: notesOf(files),
    },
    layers: layers.map(({ layer }) => layer),
    skipped,
    files: [own, ...files.shards.map((shard) => shard.path).filter((file) => file !== own)],
    read: async ({ name }) => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new Error(`"${name}" is no tensor of a layer of this model`);
      return readValues(tensor);
    },
    ranges: ({ name }) => {
      const tensor = tensors.get(name);
      return tensor === undefined ? null : rangesOf(tensor);
    },
    metadata,
    // Files are opened for each read.
    close: async () => undefined,
  };
}

/** Missing files that are named; the rest is counted. */
const MOST_MISSING = 3;

function notesOf({ shards, missing, tensors }: OpenedFiles): string[] {
  const { version, littleEndian, metadata } = shards[0]!;
  const architecture = metadata.get("general.architecture"), name = metadata.get("general.name");
  const total = shards.length + missing.length;
  const expected = metadata.get("split.tensors.count");
  const absent = typeof expected === "number" && expected > tensors.length ? `, with ${expected - tensors.length} tensors` : "";
  return [
    ...(typeof name === "string" && name !== "" ? [clipped(name)] : []),
    ...(typeof architecture === "string" ? [`architecture ${clipped(architecture)}`] : []),
    `GGUF version ${version}${littleEndian ? "" : ", big-endian"}`,
    ...(total > 1 ? [`${total} files`] : []),
    ...(missing.length === 0 ? [] : [`${missing.length} of ${total} files ${missing.length === 1 ? "is" : "are"} missing${absent}: ${missing.slice(0, MOST_MISSING).join(", ")}${missing.length > MOST_MISSING ? ", …" : ""}`]),
  ];
}
