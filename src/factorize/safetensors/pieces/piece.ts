import { Fault } from "../../../shared/fault";
import type { Values } from "../../../models/model";
import { DATA_TYPES } from "../../../models/safetensors/schema";
import type { Write } from "../../atomic";
import { bytesOfType, encodeValues } from "../../store";
import { product } from "../../target";

/** A tensor of a model, as a safetensors file would hold it if nothing were factorized. */
export interface Piece {
  /** In the new file: a name of a state dict, which ends in ".weight" where it is a module's weight. */
  readonly name: string;
  /** The name that the model's layers have it under. */
  readonly layer: string;
  /** A name of `dtypes.ts`: the type that it is written in. */
  readonly dtype: string;
  /** The format's own name of that type. */
  readonly code: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Whether it is another name of the bytes of the piece before it. */
  readonly isAlias: boolean;
  /** Axes of the model's tensor in the order of `shape`; left out where both are the same. */
  readonly axes?: readonly number[];
  /** Equal blocks of the first axis of `shape`, by their places in the model's tensor; left out where both have one order. */
  readonly blocks?: readonly number[];
  copy(write: Write): Promise<void>;
}

/** The pieces of one file of a model: a shard, or all of it. */
export interface PieceFile {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order in which they are written. */
  readonly pieces: readonly Piece[];
}

export interface Pieces {
  readonly files: readonly PieceFile[];
  /** Whether the model is several files, which stay several. */
  readonly isSharded: boolean;
  /** What a person should know of what becomes of the tensors. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

const CODES: ReadonlyMap<string, string> = new Map([...DATA_TYPES].map(([code, { name }]) => [name, code]));

/** The format's name of a type; null where it has none. */
export function codeOf(dtype: string): string | null {
  return CODES.get(dtype) ?? null;
}

/** Values encoded at once: 8 MiB of float64. */
const ENCODED_AT_ONCE = 1024 * 1024;
/** The largest number that is nearest to a finite float16. */
const FLOAT16_LIMIT = 65520;

/** A piece of numbers that are decoded and written in a type of floats. */
export function decodedPiece(piece: Pick<Piece, "name" | "layer" | "dtype" | "shape" | "axes" | "blocks">, read: () => Promise<Values>): Piece {
  const { name, dtype, shape } = piece;
  return {
    ...piece, code: codeOf(dtype) ?? dtype, isAlias: false, bytes: product(shape) * bytesOfType(dtype),
    async copy(write) {
      const values = await read();
      for (let at = 0; at < values.length; at += ENCODED_AT_ONCE) {
        const part = Float64Array.from(values.subarray(at, at + ENCODED_AT_ONCE));
        if (dtype === "float16" && part.some((value) => Math.abs(value) >= FLOAT16_LIMIT && value !== Infinity && value !== -Infinity)) {
          throw new Fault("unsupported", `Tensor ${name} holds values beyond 65504, the largest of float16.`, "Convert the model to float32 or bfloat16 first.");
        }
        await write(encodeValues(dtype, part));
      }
    },
  };
}

/** A piece whose bytes, little-endian and row-major, are taken over as they are. @throws Fault unsupported for a type that safetensors does not have */
export function storedPiece(piece: Pick<Piece, "name" | "layer" | "dtype" | "shape" | "bytes">, read: () => Promise<Uint8Array>): Piece {
  const code = codeOf(piece.dtype);
  if (code === null) throw new Fault("unsupported", `Tensor ${piece.name} is ${piece.dtype}, a type that safetensors does not have.`, "Convert it, or remove it from the model.");
  return { ...piece, code, isAlias: false, copy: async (write) => { if (piece.bytes > 0) await write(await read()); } };
}

/**
 * The largest types first: data then begins at a multiple of their size, as the format's own library writes it
 * (safetensors/src/tensor.rs, `prepare`).
 */
export function aligned(pieces: readonly Piece[]): Piece[] {
  return [...pieces].sort((a, b) => sizeOf(b) - sizeOf(a));
}

function sizeOf({ code }: Piece): number {
  return DATA_TYPES.get(code)?.bits ?? 0;
}

/** "12 tensors of q4_k and q6_k are written as float16"; nothing where there are none. */
export function dequantizedNote(names: readonly string[], dtype: string): string[] {
  const types = [...new Set(names)].sort();
  return names.length === 0 ? [] : [`${names.length} quantized ${names.length === 1 ? "tensor" : "tensors"} (${types.join(", ")}) ${names.length === 1 ? "is" : "are"} written as ${dtype}: safetensors has no type for ${names.length === 1 ? "it" : "them"}, so the file may be larger than the original`];
}

/** Of what a checkpoint holds beside its model. */
export function asideNote(count: number): string {
  return `${count} ${count === 1 ? "tensor that is" : "tensors that are"} no part of the model itself, as an optimizer's, ${count === 1 ? "is" : "are"} left out`;
}
