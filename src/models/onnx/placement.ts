import type { ExternalData, ExternalFile } from "./external";
import { DATA_TYPES, type DataType } from "./schema";
import { elementsOf, type DataSource, type TensorRecord, type TypedEncoding } from "./tensorProto";

/** Where the bytes of a tensor are, checked against its shape; or why it cannot be read. */
export type Placement =
  | { readonly kind: "bytes"; readonly file: ExternalFile | null; readonly offset: number; readonly length: number }
  | { readonly kind: "typed"; readonly source: Extract<DataSource, { kind: "typed" }> }
  | { readonly kind: "sparse"; readonly source: Extract<DataSource, { kind: "sparse" }> }
  | { readonly kind: "nowhere"; readonly reason: string };

/** Bytes that `count` elements take; two int4 share one. */
export function bytesOf(type: DataType, count: number): number {
  return Math.ceil((count * type.bits) / 8);
}

/** @throws Fault external-data-refused */
export async function place(record: TensorRecord, external: ExternalData): Promise<Placement> {
  const type = DATA_TYPES.get(record.dataType);
  if (type === undefined) return nowhere(`its data type ${record.dataType} is not one that ONNX defines`);
  const count = elementsOf(record.shape), needed = bytesOf(type, count);
  const unfit = (has: string) => nowhere(`its data has ${has}, where its shape [${record.shape.join(", ")}] of ${type.name} needs ${needed}`);
  const { source } = record;
  switch (source.kind) {
    case "absent":
      return count === 0 ? { kind: "bytes", file: null, offset: 0, length: 0 } : nowhere("it has no data in the file");
    case "raw": {
      const length = source.span.end - source.span.start;
      return length === needed ? { kind: "bytes", file: null, offset: source.span.start, length } : unfit(`${length} bytes`);
    }
    case "typed": {
      if (source.encoding !== encodingOf(type)) return nowhere(`its data is not of its type, ${type.name}`);
      const elements = source.encoding === "varint" && type.bits < 8 ? needed : count;
      const fits = source.encoding === "varint" ? source.elements >= elements : source.elements === elements;
      return fits ? { kind: "typed", source } : unfit(`${source.elements} elements`);
    }
    case "sparse":
      return placeSparse(record.shape, source, external);
    case "external":
      return placeExternal(source, needed, external);
  }
}

/** Sparse tensors are written out to be measured: larger ones would take more memory than their file has bytes, without bound. */
const MOST_WRITTEN_OUT = 2 ** 25;

/** onnx.proto, SparseTensorProto: one index into all elements for each value, or one for each axis. */
async function placeSparse(shape: readonly number[], source: Extract<DataSource, { kind: "sparse" }>, external: ExternalData): Promise<Placement> {
  const { values, indices } = source;
  const count = elementsOf(values.shape), size = elementsOf(shape);
  if (size > MOST_WRITTEN_OUT) return nowhere(`sparse, and ${size} weights when it is written out: more than the ${MOST_WRITTEN_OUT} that RankLens does`);
  const isLinear = indices.shape.length === 1, axes = isLinear ? 1 : shape.length;
  if (DATA_TYPES.get(indices.dataType)?.name !== "int64" || indices.shape[0] !== count || elementsOf(indices.shape) !== count * axes) return nowhere("its sparse values and their indices do not fit each other");
  for (const [what, part] of [["values", values], ["indices", indices]] as const) {
    const placement = part.source.kind === "sparse" ? nowhere("sparse in itself") : await place(part, external);
    if (placement.kind === "nowhere") return nowhere(`its sparse ${what}: ${placement.reason}`);
  }
  return { kind: "sparse", source };
}

async function placeExternal(source: Extract<DataSource, { kind: "external" }>, needed: number, external: ExternalData): Promise<Placement> {
  const file = await external.find(source.location);
  if (typeof file === "string") return nowhere(file);
  const offset = wholeNumber(source.offset, 0);
  const length = wholeNumber(source.length, needed);
  if (offset === null || length === null) return nowhere(`its place in ${source.location} (offset ${source.offset}, length ${source.length}) is no place`);
  if (length !== needed) return nowhere(`its data has ${length} bytes in ${source.location}, where its shape needs ${needed}`);
  if (offset + length > file.size) return nowhere(`its data would end at byte ${offset + length} of ${source.location}, which has ${file.size}`);
  return { kind: "bytes", file, offset, length };
}

/** Which typed field holds a data type (onnx.proto, comments of TensorProto). */
function encodingOf(type: DataType): TypedEncoding {
  if (type.name === "float32" || type.name === "complex64") return "float";
  return type.name === "float64" || type.name === "complex128" ? "double" : "varint";
}

function wholeNumber(text: string, otherwise: number): number | null {
  if (text === "") return otherwise;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}

function nowhere(reason: string): Placement {
  return { kind: "nowhere", reason };
}
