import type { Factor, Step } from "../scheme";
import { reconstructed } from "../reconstruct";
import { bytesOfType } from "../store";
import { product, type Target } from "../target";
import { MODULES_KEY } from "./loader";
import { factorName, inputWeight, moduleOf, RECURRENT } from "./names";
import type { Piece, PieceFile } from "./pieces/piece";
import { storedShape, storedValues } from "./shape";
import type { Entry, Made } from "./writing";

export type StepsOf = ReadonlyMap<string, readonly Step[]>;

/** New names of tensors that go with a factor of another: biases with the last, the rest of an LSTM with it. They may be in another file. */
export function movedNames(files: readonly PieceFile[], steps: StepsOf): ReadonlyMap<string, string> {
  const names = files.flatMap(({ pieces }) => pieces.map(({ name }) => name));
  return new Map(files.flatMap(({ pieces }) => pieces.flatMap(({ name, layer }): (readonly [string, string])[] => {
    const parts = steps.get(layer);
    if (parts === undefined) return [];
    const recurrent = inputWeight(name);
    if (recurrent === null) return [[name.replace(/weight$/, "bias"), name.replace(/weight$/, `${parts.length - 1}.bias`)]];
    return names.flatMap((other) => {
      const [, module, parameter] = RECURRENT.exec(other) ?? [];
      return module === recurrent.module && parameter !== recurrent.parameter ? [[other, `${module}.1.${parameter!}`] as const] : [];
    });
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
  return made(piece, factorName(piece.name, parts[index]!, index), storedShape(parts, index), (factors) => storedValues(factors, index));
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
    return parts === undefined ? [] : [[moduleOf(name), parts.map((step, index) => describedStep(name, step, storedShape(parts, index)))] as const];
  });
  return new Map([...metadata, [MODULES_KEY, JSON.stringify(Object.fromEntries(modules))]]);
}

function describedStep(name: string, { op, groups, axes }: Step, shape: readonly number[]) {
  return { op, shape, groups, axes, ...(op === "recurrent" ? { name: inputWeight(name)?.parameter } : {}) };
}
