import { METADATA } from "../../models/safetensors/schema";
import type { Write } from "../atomic";
import type { Factor } from "../scheme";
import type { FactorMaker } from "../source";
import { encodeValues } from "../store";
import { product } from "../target";
import type { Piece } from "./pieces/piece";

/** A tensor of the new file: one that is copied, or one that is made from a layer's factors. */
export type Entry = Copied | Made;

export interface Copied {
  readonly name: string;
  readonly piece: Piece;
}

export interface Made {
  readonly name: string;
  readonly layer: string;
  /** Type as `dtypes.ts` names it, and as the format does. */
  readonly dtype: string;
  readonly code: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Row-major values in that shape. */
  values(factors: readonly Factor[]): Float64Array | Promise<Float64Array>;
}

/** The header is padded with spaces so that data starts at a multiple of it, as the format's own library does. */
const ALIGNMENT = 8;
/** Weights of the layers whose factors are made together: what is in memory at once, unless one layer alone is larger. */
const MADE_AT_ONCE = 32 * 1024 * 1024;

/** Bytes of all data of a file: what an index calls its total size. */
export function dataBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + ("piece" in entry ? (entry.piece.isAlias ? 0 : entry.piece.bytes) : entry.bytes), 0);
}

/** Writes a safetensors file, one batch of layers after the other. @throws Fault of the maker and of the pieces, Cancelled */
export async function writeSafetensors(entries: readonly Entry[], metadata: ReadonlyMap<string, string>, factors: FactorMaker, write: Write): Promise<void> {
  await write(headerBytes(entries, metadata));
  const batches = batchesOf(entries);
  let made: ReadonlyMap<string, readonly Factor[]> = new Map();
  for (const entry of entries) {
    if ("piece" in entry) {
      if (!entry.piece.isAlias) await entry.piece.copy(write);
      continue;
    }
    if (!made.has(entry.layer)) {
      // The last batch is let go before the next is made.
      made = new Map();
      made = await factors.make(batches.find((batch) => batch.includes(entry.layer))!);
    }
    await write(encodeValues(entry.dtype, await entry.values(made.get(entry.layer)!)));
  }
}

/** Layers in the order of their entries, as many together as memory is set aside for. */
function batchesOf(entries: readonly Entry[]): string[][] {
  const sizes = new Map<string, number>();
  for (const entry of entries) if (!("piece" in entry)) sizes.set(entry.layer, (sizes.get(entry.layer) ?? 0) + product(entry.shape));
  const batches: string[][] = [];
  let left = 0;
  for (const [layer, size] of sizes) {
    if (size > left || batches.length === 0) {
      batches.push([]);
      left = MADE_AT_ONCE;
    }
    batches.at(-1)!.push(layer);
    left -= size;
  }
  return batches;
}

function headerBytes(entries: readonly Entry[], metadata: ReadonlyMap<string, string>): Uint8Array {
  let [at, before] = [0, 0];
  const header: [string, unknown][] = metadata.size === 0 ? [] : [[METADATA, Object.fromEntries(metadata)]];
  for (const entry of entries) {
    const { code, shape, bytes } = "piece" in entry ? entry.piece : entry;
    if (!("piece" in entry) || !entry.piece.isAlias) [before, at] = [at, at + bytes];
    header.push([entry.name, { dtype: code, shape, data_offsets: [before, at] }]);
  }
  // Written entry by entry: an object would sort names that are numbers.
  const text = Buffer.from(`{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`);
  const padded = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = Buffer.alloc(8 + padded, " ");
  bytes.writeBigUInt64LE(BigInt(padded));
  text.copy(bytes, 8);
  return bytes;
}
