import { Fault } from "../../../shared/fault";
import { readStored, type StoredArray } from "../../../models/numpy/arrays";
import { openNumpy } from "../../../models/numpy/files";
import { stateDictNameOf } from "../../../models/numpy/naming";
import type { ReopenedFile } from "../../../models/reopenedFile";
import { product } from "../../target";
import { aligned, storedPiece, type Piece, type Pieces } from "./piece";

/** The arrays of a .npy or .npz, under the names that a state dict would give them. @throws Fault unsupported */
export async function numpyPieces(path: string): Promise<Pieces> {
  const { file, arrays, others } = await openNumpy(path);
  const left = [...others.map(({ name }) => name), ...arrays.filter(({ itemSize }) => itemSize === 0).map(({ name }) => name)];
  return {
    files: [{ metadata: new Map([["format", "np"]]), pieces: aligned(arrays.filter(({ itemSize }) => itemSize > 0).map((array) => pieceOf(file, array))) }],
    isSharded: false,
    notes: left.length === 0 ? [] : [`left out, as they hold no numbers that safetensors can: ${left.join(", ")}`],
    close: async () => undefined,
  };
}

function pieceOf(file: ReopenedFile, array: StoredArray): Piece {
  const { name, dtype, shape, itemSize, reason } = array;
  if (reason !== null && reason !== `${dtype}: not a weight`) throw new Fault("unsupported", `Array ${name} cannot be written: ${reason}.`, "Save it again with numpy.savez.");
  return storedPiece({ name: stateDictNameOf(name), layer: name, dtype, shape, bytes: product(shape) * itemSize }, () => file.whileOpen(() => readStored(array)));
}
