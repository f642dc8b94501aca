import { basename } from "node:path";
import { Fault } from "../../../shared/fault";
import { FileBytes } from "../../../models/fileBytes";
import type { OpenOptions } from "../../../models/model";
import { openCheckpoint, openShard, type Shard } from "../../../models/safetensors/shards";
import type { StoredTensor } from "../../../models/safetensors/header";
import { codeOf, type Piece, type PieceFile, type Pieces } from "./piece";

/** Bytes copied at once. */
const CHUNK = 4 * 1024 * 1024;

/** The tensors of a safetensors file, or of a checkpoint of several, which are copied by ranges. @throws Fault */
export async function safetensorsPieces(path: string, { allowExternalDataOutside }: OpenOptions): Promise<Pieces> {
  const isSharded = path.toLowerCase().endsWith(".json");
  const shards = isSharded ? await shardsOf(path, allowExternalDataOutside) : [await openShard(path)];
  return { files: shards.map(fileOf), isSharded, notes: [], close: async () => undefined };
}

/** @throws Fault not-found where a shard is missing: the output would not be the whole model */
async function shardsOf(path: string, allowOutside: boolean): Promise<readonly Shard[]> {
  const { shards, missing } = await openCheckpoint(path, allowOutside);
  const [first] = missing;
  if (first === undefined) return shards;
  throw new Fault("not-found", `${missing.size} of ${shards.length + missing.size} shards of ${basename(path)} are missing (the first is ${first}), so the model cannot be written.`, "Fetch them into the same folder.");
}

function fileOf(shard: Shard): PieceFile {
  const sorted = [...shard.tensors].sort((a, b) => a.begin - b.begin);
  return { metadata: shard.metadata, pieces: sorted.map((tensor, index) => pieceOf(tensor, sorted[index - 1], shard)) };
}

function pieceOf(tensor: StoredTensor, before: StoredTensor | undefined, shard: Shard): Piece {
  const { name, type, shape, begin, end } = tensor;
  return {
    name, layer: name, dtype: type.name, code: codeOf(type.name) ?? type.name.toUpperCase(), shape, bytes: end - begin,
    isAlias: before !== undefined && before.begin === begin && before.end === end && end > begin,
    async copy(write) {
      // Opened for each: a checkpoint may have more shards than a process may hold open.
      const file = await FileBytes.open(shard.path);
      try {
        if (file.size !== shard.size || file.mtimeMs !== shard.mtimeMs) throw new Fault("changed-while-read", `${basename(shard.path)} changed after the model was opened.`, "Wait until it is written completely, then try again.");
        for (let at = begin; at < end; at += CHUNK) await write(await file.read(shard.dataStart + at, Math.min(CHUNK, end - at)));
        await file.assertUnchanged();
      } finally {
        await file.close();
      }
    },
  };
}
