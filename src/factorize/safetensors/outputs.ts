import type { Factor, Step } from "../scheme";
import { reconstructed } from "../reconstruct";
import { bytesOfType } from "../store";
import { product, type Target } from "../target";
import { MODULES_KEY } from "./loader";
import { factorName, moduleOf, recurrentWeight } from "./names";
import type { Piece, PieceFile } from "./pieces/piece";
import { storedShape, storedValues } from "./shape";
import type { Entry, Made } from "./writing";

export type StepsOf = ReadonlyMap<string, readonly Step[]>;

/** New names of biases, which go with the last factor of a weight; it may be in another file. Those of recurrent layers stay. */
export function movedNames(files: readonly PieceFile[], steps: StepsOf): ReadonlyMap<string, string> {
  return new Map(files.flatMap(({ pieces }) => pieces.flatMap(({ name, layer }) => {
    const parts = steps.get(layer);
    return parts === undefined || recurrentWeight(name) !== null ? [] : [[name.replace(/weight$/, "bias"), name.replace(/weight$/, `${parts.length - 1}.bias`)] as const];
  })));
}

/** All tensors of a new file: in the old order, factors in the place of their weight. */
export function factoredEntries({ pieces }: PieceFile, steps: StepsOf, moved: ReadonlyMap<string, string>): Entry[] {
  return pieces.flatMap((piece): Entry[] => {
    const parts = steps.get(piece.layer);
    return parts === undefined ? [{ name: moved.get(piece.name) ?? piece.name, piece }] : parts.map((_, index) => factorEntry(piece, parts, index));
  });
}

function factorEntry(piece: Piece, parts: readonly Step[], index: number): Made {
  return made(piece, factorName(piece.name, index), storedShape(parts, index), (factors) => storedValues(factors, index));
}

/** The tensors of the old file, factorized ones multiplied out again. */
export function reconstructedEntries({ pieces }: PieceFile, steps: StepsOf, targets: ReadonlyMap<string, Target>): Entry[] {
  return pieces.map((piece): Entry => (steps.has(piece.layer)
    ? made(piece, piece.name, piece.shape, (factors) => reconstructed(targets.get(piece.layer)!, factors))
    : { name: piece.name, piece }));
}

/** A tensor in the type and under the layer of a piece. */
export function made({ layer, dtype, code }: Piece, name: string, shape: readonly number[], values: (factors: readonly Factor[]) => Float64Array | Promise<Float64Array>): Made {
  return { name, layer, dtype, code, shape, bytes: product(shape) * bytesOfType(dtype), values };
}

/** The metadata of a factored file: what the old one had, and what the loader needs to know of the modules in it. */
export function factoredMetadata({ metadata, pieces }: PieceFile, steps: StepsOf): ReadonlyMap<string, string> {
  const modules = pieces.flatMap(({ name, layer }) => {
    const parts = steps.get(layer);
    return parts === undefined ? [] : [[moduleOf(name), parts.map(({ op, groups, axes }, index) => ({ op, shape: storedShape(parts, index), groups, axes }))] as const];
  });
  return new Map([...metadata, [MODULES_KEY, JSON.stringify(Object.fromEntries(modules))]]);
}
