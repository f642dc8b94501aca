import { basename } from "node:path";
import { Fault } from "../../../shared/fault";
import { readStored, readValues } from "../../../models/gguf/read";
import { openFiles, type PlacedTensor } from "../../../models/gguf/shards";
import { aligned, decodedPiece, dequantizedNote, storedPiece, type Piece, type Pieces } from "./piece";

/**
 * The scales of ggml's blocks are float16 themselves, and rounding to its 11 bits costs less than a step of 8 or fewer bits.
 */
const DEQUANTIZED = "float16";

/**
 * The tensors of a GGUF model, under llama.cpp's own names. Its vocabulary and settings have no place in safetensors.
 * @throws Fault not-found, unsupported
 */
export async function ggufPieces(path: string): Promise<Pieces> {
  const { shards, tensors, missing } = await openFiles(path);
  if (missing.length > 0) throw new Fault("not-found", `${missing.length} files of ${basename(path)}'s model are missing (the first is ${missing[0]!}), so it cannot be written.`, "Fetch them into the same folder.");
  const quantized = tensors.filter(({ type }) => type.use === "blocks").map(({ type }) => type.name);
  return {
    files: shards.map((shard) => ({ metadata: new Map(), pieces: aligned(tensors.filter((tensor) => tensor.shard === shard).map(pieceOf)) })),
    isSharded: shards.length > 1,
    notes: [...dequantizedNote(quantized, DEQUANTIZED), "the vocabulary and the settings of the GGUF file are not carried over"],
    close: async () => undefined,
  };
}

function pieceOf(tensor: PlacedTensor): Piece {
  const { name, type, shape, bytes } = tensor;
  switch (type.use) {
    case "plain": case "integer": return storedPiece({ name, layer: name, dtype: type.name, shape, bytes }, () => readStored(tensor));
    case "blocks": return decodedPiece({ name, layer: name, dtype: DEQUANTIZED, shape }, () => readValues(tensor));
    case "unread": throw new Fault("unsupported", `Tensor ${name} is ${type.name} of ggml, which RankLens does not read, so the model cannot be written.`, "Convert it to another type with llama-quantize.");
  }
}
