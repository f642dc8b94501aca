import { resolve } from "node:path";
import type { SkippedTensor } from "../../shared/report";
import type { Format, Layer, Model, OpenOptions } from "../model";
import { StateDict } from "../stateDict";
import type { CheckpointTensor } from "./checkpoint";
import { openCheckpoint, openShard, type Opened, type Shard, type ShardTensor } from "./files";
import { problemOf, rangesOf, readValues } from "./read";

const INDEX_ENDING = ".index.json";

/** What torch.save and torch.jit.save write; sharded checkpoints as transformers writes them. */
export const pytorch: Format = {
  id: "pytorch",
  label: "PyTorch",
  endings: [".pt", ".pth", ".bin", ".ckpt", ".bin.index.json"],
  open: openPytorch,
};

async function openPytorch(path: string, options: OpenOptions): Promise<Model> {
  if (path.toLowerCase().endsWith(INDEX_ENDING)) return describe(path, await openCheckpoint(path, options.allowExternalDataOutside), options);
  const shard = await openShard(path);
  return describe(path, { shards: [shard], tensors: shard.tensors, absent: [], notes: shard.notes, indexBytes: 0 }, options);
}

function describe(path: string, opened: Opened, options: OpenOptions): Model {
  const { shards, tensors, absent } = opened;
  const { layers, skipped } = sorted(tensors, options);
  const sources = new Map(tensors.map((from) => [from.name, from]));
  const own = resolve(path);
  const isRead = (from: ShardTensor | undefined): from is ShardTensor => from !== undefined && from.tensor.type.use !== "unread" && problemOf(from.tensor, from.shard.source) === null;
  return {
    summary: {
      path: own,
      format: pytorch.id,
      parameters: tensors.reduce((sum, { isWeight, tensor }) => sum + (isWeight ? elementsOf(tensor.shape) : 0), 0),
      bytes: shards.reduce((sum, { file }) => sum + file.size, opened.indexBytes),
      tensors: tensors.length + absent.length,
      notes: opened.notes,
    },
    layers,
    skipped: [...skipped, ...absent],
    files: [own, ...shards.map(({ file }: Shard) => resolve(file.path)).filter((file) => file !== own)],
    reads: (name) => isRead(sources.get(name)),
    read: async ({ name }) => {
      const from = sources.get(name);
      if (from === undefined) throw new Error(`"${name}" is no tensor of this model`);
      return from.shard.file.whileOpen(() => readValues(from.tensor, from.shard.source));
    },
    ranges: ({ name }) => {
      const from = sources.get(name);
      const ranges = isRead(from) ? rangesOf(from.tensor, from.shard.source) : null;
      return ranges && { ...ranges, read: (start, count) => from!.shard.file.whileOpen(() => ranges.read(start, count)) };
    },
    // Files are opened for each read.
    close: async () => undefined,
  };
}

interface Sorted {
  readonly layers: readonly Layer[];
  readonly skipped: readonly SkippedTensor[];
}

/** Puts every tensor into `layers` or, with the reason, into `skipped`. */
function sorted(tensors: readonly ShardTensor[], options: OpenOptions): Sorted {
  const layers: Layer[] = [];
  const skipped: SkippedTensor[] = [];
  // What is no weight says nothing about its neighbours.
  const stateDict = new StateDict(tensors.filter(({ reason }) => reason === null).map(described), options);
  for (const from of tensors) {
    const tensor = described(from);
    const layer = from.reason ?? stateDict.layerOf(tensor, from);
    if (typeof layer === "string") skipped.push({ ...tensor, reason: layer });
    else layers.push(layer);
  }
  return { layers, skipped };
}

function described({ name, tensor }: CheckpointTensor): { name: string; dtype: string; shape: readonly number[] } {
  return { name, dtype: tensor.type.name, shape: tensor.shape };
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
