import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { clipped } from "../clipped";
import type { Format, Model, OpenOptions } from "../model";
import { sortTensors } from "./layers";
import { placeTensors } from "./placing";
import { rangesOf, readValues } from "./read";
import { openCheckpoint, openShard, type Checkpoint, type Shard } from "./shards";

const INDEX_ENDING = ".index.json";
/** "model-00001-of-00003.safetensors": the rest of the name, its number and their count. */
const SHARD_NAME = /^(.*)-(\d{5})-of-(\d{5})\.safetensors$/i;

/** github.com/huggingface/safetensors, README.md, "Format"; sharded checkpoints as transformers writes them. */
export const safetensors: Format = {
  id: "safetensors",
  label: "safetensors",
  endings: [".safetensors", ".safetensors.index.json"],
  open: openSafetensors,
};

async function openSafetensors(path: string, options: OpenOptions): Promise<Model> {
  if (path.toLowerCase().endsWith(INDEX_ENDING)) {
    const checkpoint = await openCheckpoint(path, options.allowExternalDataOutside);
    return describe(path, checkpoint, notesOfCheckpoint(checkpoint), options);
  }
  const shard = await openShard(path);
  const alone: Checkpoint = { shards: [shard], weightMap: new Map(), missing: new Set(), indexBytes: 0 };
  return describe(path, alone, await notesOfFile(path), options);
}

function describe(path: string, checkpoint: Checkpoint, notes: readonly string[], options: OpenOptions): Model {
  const { placed, absent } = placeTensors(checkpoint);
  const { layers, skipped, sources, parameters } = sortTensors(placed, options);
  const own = resolve(path);
  const { shards } = checkpoint;
  return {
    summary: {
      path: own,
      format: safetensors.id,
      parameters,
      bytes: shards.reduce((sum, { size }) => sum + size, checkpoint.indexBytes),
      tensors: placed.length + absent.length,
      notes: [...notes, ...writers(shards)],
    },
    layers,
    skipped: [...skipped, ...absent],
    files: [own, ...shards.map((shard) => shard.path).filter((file) => file !== own)],
    read: async (tensor) => {
      const source = sources.get(tensor.name);
      if (source === undefined) throw new Error(`"${tensor.name}" is no tensor of this model whose numbers are read`);
      return readValues(source);
    },
    ranges: (tensor) => {
      const source = sources.get(tensor.name);
      return source === undefined ? null : rangesOf(source);
    },
    reads: (name) => sources.has(name),
    ...(shards[0] === undefined ? {} : { metadata: shards[0].metadata }),
    // Files are opened for each read.
    close: async () => undefined,
  };
}

/** Frameworks by the name that their savers leave in the metadata (huggingface/safetensors, bindings). */
const FRAMEWORKS: ReadonlyMap<string, string> = new Map([["pt", "PyTorch"], ["tf", "TensorFlow"], ["flax", "Flax"], ["np", "NumPy"], ["mlx", "MLX"]]);

/** What metadata says about the framework that wrote the file. */
function writers(shards: readonly Shard[]): string[] {
  const formats = new Set(shards.flatMap(({ metadata }) => metadata.get("format") ?? []));
  const [format = ""] = formats;
  return formats.size === 1 ? [`saved from ${FRAMEWORKS.get(format) ?? clipped(format)}`] : [];
}

function notesOfCheckpoint({ shards, missing }: Checkpoint): string[] {
  const total = shards.length + missing.size;
  return [
    `${total} ${total === 1 ? "shard" : "shards"}`,
    ...(missing.size === 0 ? [] : [`${missing.size} of ${total} shards are missing: ${[...missing].slice(0, 3).join(", ")}${missing.size > 3 ? ", …" : ""}`]),
  ];
}

async function notesOfFile(path: string): Promise<string[]> {
  const [, stem, number, count] = SHARD_NAME.exec(basename(path)) ?? [];
  if (stem === undefined) return [];
  const index = `${stem}.safetensors.index.json`;
  const isThere = await stat(join(dirname(path), index)).then((found) => found.isFile(), () => false);
  return [`shard ${Number(number)} of ${Number(count)}${isThere ? `: open ${index} for the whole model` : ""}`];
}
