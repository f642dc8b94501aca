import { basename } from "node:path";
import { Fault } from "../../../shared/fault";
import type { OpenOptions } from "../../../models/model";
import { openCheckpoint, openShard, type Opened, type Shard, type ShardTensor } from "../../../models/pytorch/files";
import { problemOf, readStored, readValues } from "../../../models/pytorch/read";
import { product } from "../../target";
import { aligned, asideNote, decodedPiece, dequantizedNote, storedPiece, type Piece, type PieceFile, type Pieces } from "./piece";

/** Quantized weights are dequantized to float32 by PyTorch itself. */
const DEQUANTIZED = "float32";

/**
 * The model's own tensors in a checkpoint of PyTorch: what the optimizer and the training keep beside them is left out. Of tied
 * tensors one is written, and the metadata names the others, as `safetensors.torch.save_model` does.
 * @throws Fault, also for a tensor of the model that cannot be read: the output would not be the whole model
 */
export async function pytorchPieces(path: string, { allowExternalDataOutside }: OpenOptions): Promise<Pieces> {
  const isSharded = path.toLowerCase().endsWith(".json");
  const { shards, absent }: Pick<Opened, "shards" | "absent"> = isSharded ? await openCheckpoint(path, allowExternalDataOutside) : { shards: [await openShard(path)], absent: [] };
  if (absent.length > 0) throw new Fault("not-found", `${basename(path)} names ${absent.length} tensors that no file beside it has (the first is ${absent[0]!.name}), so the model cannot be written.`, "Fetch the missing files into the same folder.");
  const own = shards.map(({ tensors }) => tensors.filter(({ part }) => part !== "aside"));
  const quantized = own.flat().filter(({ tensor: { type } }) => type.use === "quantized").map(({ tensor: { type } }) => type.name);
  const aside = shards.reduce((sum, { tensors }) => sum + tensors.length, 0) - own.flat().length;
  return {
    files: shards.map((shard, index) => fileOf(shard, own[index]!)),
    isSharded,
    notes: [...dequantizedNote(quantized, DEQUANTIZED), ...(aside === 0 ? [] : [asideNote(aside)])],
    close: async () => undefined,
  };
}

function fileOf({ file }: Shard, tensors: readonly ShardTensor[]): PieceFile {
  const aliases = tensors.flatMap(({ name, part, aliases: others }) => (part === "model" ? others.map((other): [string, string] => [other, name]) : []));
  const pieces = tensors.filter(({ part }) => part === "model").map((from) => pieceOf(from, basename(file.path)));
  return { metadata: new Map([["format", "pt"], ...aliases]), pieces: aligned(pieces) };
}

function pieceOf({ name, tensor, shard: { file, source } }: ShardTensor, path: string): Piece {
  const problem = problemOf(tensor, source);
  if (problem !== null) throw new Fault("unsupported", `Tensor ${name} of ${path} cannot be written: ${problem}.`, "Save the model's state dict again (torch.save(model.state_dict(), …)).");
  const { shape, type } = tensor;
  return type.use === "quantized"
    ? decodedPiece({ name, layer: name, dtype: DEQUANTIZED, shape }, () => file.whileOpen(() => readValues(tensor, source)))
    : storedPiece({ name, layer: name, dtype: type.name, shape, bytes: product(shape) * type.itemSize }, () => file.whileOpen(() => readStored(tensor, source)));
}
