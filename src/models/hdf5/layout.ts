import type { PagedBytes } from "../pagedBytes";
import type { Message } from "./objectHeader";

/** Where the values of a dataset are (IV.A.2.i). */
export type Layout =
  | { readonly kind: "compact"; readonly bytes: Uint8Array }
  /** `address` is Infinity where nothing was written. */
  | { readonly kind: "contiguous"; readonly address: number; readonly size: number }
  /** `chunk` has one size for each axis. */
  | { readonly kind: "chunked"; readonly tree: number; readonly chunk: readonly number[] }
  | { readonly kind: "unread"; readonly what: string };

/** A step that each chunk went through when it was written. */
export interface Filter {
  readonly id: number;
  readonly values: readonly number[];
}

export const DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3;
const LAYOUT = 0x08, FILTERS = 0x0b, EXTERNAL = 0x07;
const MOST_FILTERS = 32;

export function readLayout(messages: readonly Message[]): Layout {
  if (messages.some(({ type }) => type === EXTERNAL)) return { kind: "unread", what: "its values are in another file" };
  const message = messages.find(({ type }) => type === LAYOUT);
  if (message === undefined) return { kind: "unread", what: "the file does not say where its values are" };
  const { body } = message;
  const version = body.u8(), kind = body.u8();
  if (version !== 3 && version !== 4) return { kind: "unread", what: `its layout is of version ${version}` };
  if (kind === 0) return { kind: "compact", bytes: body.slice(body.u16()) };
  if (kind === 1) return { kind: "contiguous", address: body.u64(), size: body.u64() };
  if (kind === 2 && version === 3) {
    const axes = body.u8(), tree = body.u64();
    // One axis more than the dataset has: the bytes of a value.
    return { kind: "chunked", tree, chunk: Array.from({ length: Math.max(0, axes - 1) }, () => body.u32()) };
  }
  return { kind: "unread", what: kind === 3 ? "its values are in other datasets" : "its chunks are indexed in HDF5's newer form" };
}

/** @returns null when there are too many to be true */
export function readFilters(messages: readonly Message[]): readonly Filter[] | null {
  const message = messages.find(({ type }) => type === FILTERS);
  if (message === undefined) return [];
  const { body } = message;
  const version = body.u8(), count = body.u8();
  if (count > MOST_FILTERS) return null;
  if (version === 1) body.skip(6);
  return Array.from({ length: count }, () => {
    const id = body.u16();
    const nameLength = version === 1 || id >= 256 ? body.u16() : 0;
    body.skip(2);
    const values = body.u16();
    body.skip(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
    const filter = { id, values: Array.from({ length: values }, () => body.u32()) };
    if (version === 1 && values % 2 === 1) body.skip(4);
    return filter;
  });
}

/** One chunk: where it lies, its bytes in the file, and the indices of its first value. */
export interface Chunk {
  readonly address: number;
  readonly bytes: number;
  /** Bit n is set where filter n was left out. */
  readonly leftOut: number;
  readonly first: readonly number[];
}

const NODE_HEAD = 24;
const MOST_LEVELS = 32;
const MOST_CHUNKS = 4_000_000;

/** All chunks that the tree at `address` leads to (III.A.1, type 1). @throws Fault malformed */
export async function readChunks(file: PagedBytes, address: number, axes: number): Promise<readonly Chunk[]> {
  const chunks: Chunk[] = [];
  const seen = new Set<number>();
  const visit = async (node: number, depth: number): Promise<void> => {
    if (seen.has(node) || depth > MOST_LEVELS) throw file.damaged("a tree of chunks that leads back to itself", node);
    seen.add(node);
    const head = await file.cursor(node, NODE_HEAD);
    if (head.text(4) !== "TREE" || head.u8() !== 1) throw file.damaged("no tree of chunks where one should be", node);
    const level = head.u8(), children = head.u16();
    const body = await file.cursor(node + NODE_HEAD, children * (8 + (axes + 1) * 8 + 8));
    for (let index = 0; index < children; index++) {
      const bytes = body.u32(), leftOut = body.u32();
      const first = Array.from({ length: axes }, () => body.u64());
      body.skip(8);
      const child = body.u64();
      if (level > 0) await visit(child, depth + 1);
      else if (chunks.push({ address: child, bytes, leftOut, first }) > MOST_CHUNKS) throw file.damaged("too many chunks", address);
    }
  };
  if (Number.isFinite(address)) await visit(address, 0);
  return chunks;
}
