import { inflateSync } from "node:zlib";
import { Fault } from "../../shared/fault";
import { clipped } from "../clipped";
import { decode } from "../dtypes";
import type { Ranges, ReadRange, Values } from "../model";
import type { PagedBytes } from "../pagedBytes";
import { rowMajorStrides } from "../strided";
import type { Dataset } from "./file";
import { DEFLATE, FLETCHER32, readChunks, SHUFFLE, type Chunk, type Filter } from "./layout";

/** A dataset whose chunks are packed may be larger than its file, but not by much, unless it is small: weights hardly shrink. */
const HIGHEST_RATIO = 100;
const ALWAYS_UNPACKED = 64 * 1024 * 1024;

/** A name of `dtypes.ts`, or what a person may call the type. */
export function dtypeOf({ datatype, attributes }: Dataset): string {
  if (isBrainFloat(attributes, datatype)) return "bfloat16";
  if (datatype.kind === "number") return datatype.name ?? `numbers of ${datatype.size} bytes`;
  return datatype.kind === "other" ? datatype.what : datatype.kind === "opaque" ? "opaque bytes" : "text";
}

/** Keras stores bfloat16 as two bytes without a type, and says so in an attribute. */
function isBrainFloat(attributes: Dataset["attributes"], datatype: Dataset["datatype"]): boolean {
  return datatype.size === 2 && (datatype.kind === "opaque" || datatype.kind === "number") && attributes.get("dtype")?.[0] === "bfloat16";
}

/**
 * Why a dataset's values cannot be read; null when they can, as far as its header says.
 * @param size of the file
 */
export function whyUnread(dataset: Dataset, size: number): string | null {
  const { datatype, layout, filters, shape } = dataset;
  const bytes = elementsOf(shape.map((axis) => Math.max(1, axis))) * Math.max(8, datatype.size);
  if (!(bytes <= Number.MAX_SAFE_INTEGER)) return `its shape, [${shape.join(", ")}], has too large a product`;
  if (datatype.kind !== "number" && !isBrainFloat(dataset.attributes, datatype)) return `${dtypeOf(dataset)}: not a weight`;
  if (datatype.kind === "number" && datatype.name === null) return `${dtypeOf(dataset)}: a type that RankLens does not read`;
  const own = elementsOf(shape) * datatype.size;
  if (layout.kind === "unread") return layout.what;
  if (layout.kind === "contiguous" && Number.isFinite(layout.address) && (layout.size < own || layout.address + own > size)) return "its values pass the end of the file";
  if (layout.kind === "compact" && layout.bytes.length < own) return "its header holds fewer values than its shape says";
  if (layout.kind === "contiguous" && !Number.isFinite(layout.address)) return "no values were ever written to it";
  if (layout.kind !== "chunked") return null;
  if (layout.chunk.length !== shape.length || layout.chunk.some((axis) => axis < 1)) return "its chunks have another number of axes";
  if (own > Math.max(ALWAYS_UNPACKED, HIGHEST_RATIO * size)) return `it claims ${own} bytes in a file of ${size}: no weights pack so well`;
  // A chunk may reach beyond the dataset, but not be a different thing.
  if (elementsOf(layout.chunk) * datatype.size > Math.max(ALWAYS_UNPACKED, 4 * own)) return "its chunks are larger than it";
  const unknown = filters?.find(({ id }) => ![DEFLATE, SHUFFLE, FLETCHER32].includes(id));
  if (filters === null || unknown !== undefined) return `its values went through filter ${unknown?.id ?? "after filter"}, which RankLens does not undo`;
  return null;
}

/** Π shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Π shape values in row-major order, of a dataset that `whyUnread` has nothing against.
 * @throws Fault malformed, unreadable, out-of-memory
 */
export async function readValues(file: PagedBytes, dataset: Dataset): Promise<Values> {
  return decoded(dataset, await storedBytes(file, dataset), elementsOf(dataset.shape));
}

/** Parts of such a dataset, of chunks those that have them. */
export function rangesOf(file: PagedBytes, dataset: Dataset): Ranges {
  const { shape, datatype: { size }, layout } = dataset;
  const strides = rowMajorStrides(shape);
  if (layout.kind !== "chunked") {
    const read: ReadRange = async (start, count) => {
      const bytes = layout.kind === "contiguous" ? await file.values(layout.address + start * size, count * size) : (await storedBytes(file, dataset)).slice(start * size, (start + count) * size);
      return decoded(dataset, bytes, count);
    };
    return { strides, read };
  }
  const rowLength = strides[0] ?? 1;
  let chunks: Promise<readonly Chunk[]> | undefined;
  const read: ReadRange = async (start, count) => {
    const rows = { first: Math.floor(start / rowLength), end: Math.ceil((start + count) / rowLength) };
    const bytes = await assembled(file, dataset, await (chunks ??= readChunks(file, layout.tree, shape.length)), layout.chunk, rows);
    return decoded(dataset, bytes, (rows.end - rows.first) * rowLength).subarray(start - rows.first * rowLength, start - rows.first * rowLength + count);
  };
  return { strides, read };
}

function decoded(dataset: Dataset, bytes: Uint8Array, count: number): Values {
  const { datatype } = dataset;
  if (datatype.kind === "number" && !datatype.littleEndian && datatype.size > 1) {
    for (let at = 0; at < bytes.length; at += datatype.size) bytes.subarray(at, at + datatype.size).reverse();
  }
  return decode(dtypeOf(dataset), bytes, count);
}

/** A copy: callers change it. */
async function storedBytes(file: PagedBytes, dataset: Dataset): Promise<Uint8Array> {
  const { layout, shape, datatype } = dataset;
  const length = elementsOf(shape) * datatype.size;
  switch (layout.kind) {
    case "compact": return layout.bytes.slice(0, length);
    case "contiguous": return file.values(layout.address, length);
    case "chunked": return assembled(file, dataset, await readChunks(file, layout.tree, shape.length), layout.chunk, { first: 0, end: shape[0] ?? 1 });
    case "unread": throw new Error(`${dataset.path.join("/")} is not read: ${layout.what}`);
  }
}

/** Steps first … end − 1 of the first axis. */
interface Rows {
  readonly first: number;
  readonly end: number;
}

/** Some rows of a dataset. Chunks that were never written are zeros. */
async function assembled(file: PagedBytes, dataset: Dataset, chunks: readonly Chunk[], size: readonly number[], rows: Rows): Promise<Uint8Array> {
  const { datatype, filters } = dataset;
  const shape = [rows.end - rows.first, ...dataset.shape.slice(1)];
  const out = new Uint8Array(elementsOf(shape) * datatype.size);
  const chunkBytes = elementsOf(size) * datatype.size;
  for (const chunk of chunks) {
    const first = chunk.first[0]! - rows.first;
    if (first >= shape[0]! || first + size[0]! <= 0) continue;
    const packed = await file.values(chunk.address, chunk.bytes);
    const values = unfiltered(packed, filters ?? [], chunk, chunkBytes, datatype.size);
    if (values === null || values.length < chunkBytes) throw new Fault("malformed", `${file.source.name} has a chunk of ${clipped(dataset.path.join("/"))} that does not unpack to its ${chunkBytes} bytes.`, "The file is damaged: fetch or save it again.");
    // What lies before the first row is left out.
    const before = Math.max(0, -first);
    place(values.subarray(before * (chunkBytes / size[0]!)), [first + before, ...chunk.first.slice(1)], [size[0]! - before, ...size.slice(1)], out, shape, datatype.size);
  }
  return out;
}

/** What the filters made a chunk of, undone from the last; null when it cannot be unpacked. */
function unfiltered(packed: Uint8Array, filters: readonly Filter[], { leftOut }: Chunk, chunkBytes: number, valueBytes: number): Uint8Array | null {
  let bytes = packed;
  for (let index = filters.length - 1; index >= 0; index--) {
    if ((leftOut >>> index) & 1) continue;
    const { id } = filters[index]!;
    if (id === DEFLATE) {
      try {
        // The checksum that may follow inside is four bytes.
        bytes = inflateSync(bytes, { maxOutputLength: chunkBytes + 4 });
      } catch {
        return null;
      }
    } else if (id === FLETCHER32) bytes = bytes.subarray(0, Math.max(0, bytes.length - 4));
    else bytes = unshuffled(bytes, valueBytes);
  }
  return bytes;
}

/** Shuffled bytes are all first bytes of the values, then all second ones, and so on. */
function unshuffled(bytes: Uint8Array, valueBytes: number): Uint8Array {
  const count = Math.floor(bytes.length / valueBytes);
  const out = new Uint8Array(bytes.length);
  for (let part = 0; part < valueBytes; part++) for (let index = 0; index < count; index++) out[index * valueBytes + part] = bytes[part * count + index]!;
  out.set(bytes.subarray(count * valueBytes), count * valueBytes);
  return out;
}

/** Copies the part of a chunk that lies inside the dataset, run by run along the last axis. */
function place(values: Uint8Array, first: readonly number[], size: readonly number[], out: Uint8Array, shape: readonly number[], valueBytes: number): void {
  const axes = shape.length;
  if (first.some((index, axis) => !(index < shape[axis]!))) return;
  const inside = size.map((extent, axis) => Math.min(extent, shape[axis]! - first[axis]!));
  const run = (inside[axes - 1] ?? 1) * valueBytes;
  const runs = elementsOf(inside.slice(0, -1));
  const index = new Array<number>(Math.max(0, axes - 1)).fill(0);
  for (let step = 0; step < runs; step++) {
    let from = 0, to = 0;
    for (let axis = 0; axis < axes; axis++) {
      const at = axis < axes - 1 ? index[axis]! : 0;
      from = from * size[axis]! + at;
      to = to * shape[axis]! + first[axis]! + at;
    }
    out.set(values.subarray(from * valueBytes, from * valueBytes + run), to * valueBytes);
    for (let axis = axes - 2; axis >= 0 && ++index[axis]! >= inside[axis]!; axis--) index[axis] = 0;
  }
}
