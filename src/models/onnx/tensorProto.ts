import { ATTRIBUTE, EXTERNAL_LOCATION, FLOAT32, INT32, INT64, STRING_ENTRY, TENSOR, UNDEFINED_TYPE } from "./schema";
import { shortIntegers } from "./payload";
import { FIXED32, LENGTH_DELIMITED, VARINT, type Field, type Span, type WireReader } from "./wire";

/** Deepest tensor that is believed; NumPy and ONNX Runtime stop far below. */
const MOST_AXES = 64;
/** Shape, permutation and axis constants have few elements; longer integer tensors are left unread. */
const MOST_SMALL_INTEGERS = 64;
/** Constants whose packed list is decoded to know its length. */
const LONGEST_INTEGER_LIST = 1024 * 1024;

/** How the elements of a typed field are encoded. */
export type TypedEncoding = "float" | "double" | "varint";

/** Where a tensor's values are; nothing of them is in memory. */
export type DataSource =
  | { readonly kind: "raw"; readonly span: Span }
  | {
    /** Elements in field `field` of the message at `message`, packed or not. */
    readonly kind: "typed"; readonly field: number; readonly message: Span; readonly encoding: TypedEncoding;
    /** Payload bytes, and the elements they hold (for varints: at most). */
    readonly bytes: number; readonly elements: number;
  }
  /** The elements that are not zero, and where they are (SparseTensorProto). */
  | { readonly kind: "sparse"; readonly values: TensorRecord; readonly indices: TensorRecord }
  | { readonly kind: "external"; readonly location: string; readonly offset: string; readonly length: string }
  | { readonly kind: "absent" };

/** A TensorProto without its values. */
export interface TensorRecord {
  readonly name: string;
  readonly shape: readonly number[];
  /** TensorProto.DataType. */
  readonly dataType: number;
  readonly source: DataSource;
  /** The values of a short int32 or int64 tensor (a shape, a permutation); null for all others. */
  readonly integers: readonly number[] | null;
  /** The TensorProto in the file; for a list attribute the attribute. */
  readonly message: Span;
}

const TYPED_FIELDS: ReadonlyMap<number, TypedEncoding> = new Map([
  [TENSOR.floatData, "float"], [TENSOR.doubleData, "double"], [TENSOR.int32Data, "varint"],
  [TENSOR.int64Data, "varint"], [TENSOR.uint64Data, "varint"],
]);
const ELEMENT_BYTES = { float: 4, double: 8, varint: 1 } as const;

/** Running totals of one typed field. */
interface TypedField {
  readonly field: number;
  readonly encoding: TypedEncoding;
  bytes: number;
  elements: number;
}

/**
 * Reads a TensorProto's header.
 * @throws Fault malformed when its shape is none, and what `WireReader` throws
 */
export async function parseTensor(wire: WireReader, span: Span, depth: number): Promise<TensorRecord> {
  wire.count();
  let name = "", dataType = UNDEFINED_TYPE, location = 0;
  let raw: Span | null = null;
  const shape: number[] = [];
  const external = new Map<string, string>();
  const typed = new Map<number, TypedField>();
  await wire.message(span, depth, (field): Promise<void> | void => {
    switch (field.number) {
      case TENSOR.dims: return wire.int64s(field, MOST_AXES, shape);
      case TENSOR.name: return wire.text(field).then((text) => { name = text; });
      case TENSOR.dataType: dataType = wire.int64(field); return;
      case TENSOR.dataLocation: location = wire.int64(field); return;
      case TENSOR.rawData: wire.expect(field, LENGTH_DELIMITED); raw = { start: field.start, end: field.end }; return;
      case TENSOR.externalData: return parseEntry(wire, field, depth + 1).then(([key, value]) => { external.set(key, value); });
    }
    const encoding = TYPED_FIELDS.get(field.number);
    if (encoding !== undefined) addTyped(typed, field, encoding);
  });
  checkShape(wire, span, name, shape);
  const source = sourceOf(span, location === EXTERNAL_LOCATION ? external : null, raw, typed);
  return withIntegers(wire, { name, shape, dataType, source, integers: null, message: span });
}

/** The list or number in a Constant node's `value_float(s)` and `value_int(s)`, as a tensor record. */
export async function parseListAttribute(wire: WireReader, message: Span, depth: number, name: string): Promise<TensorRecord | null> {
  const typed = new Map<number, TypedField>();
  await wire.message(message, depth, (field) => {
    if (field.number === ATTRIBUTE.f || field.number === ATTRIBUTE.floats) addTyped(typed, field, "float");
    if (field.number === ATTRIBUTE.i || field.number === ATTRIBUTE.ints) addTyped(typed, field, "varint");
  });
  const field = typed.values().next().value;
  if (field === undefined) return null;
  const source: DataSource = { kind: "typed", message, ...field };
  const integer = field.encoding === "varint";
  const list = field.field === ATTRIBUTE.ints || field.field === ATTRIBUTE.floats;
  const values = integer && list ? await shortIntegers(wire, source, LONGEST_INTEGER_LIST, 8) : null;
  const shape = list ? [values?.length ?? field.elements] : [];
  return withIntegers(wire, { name, shape, dataType: integer ? INT64 : FLOAT32, source, integers: null, message });
}

/** Key and value of a StringStringEntryProto. */
async function parseEntry(wire: WireReader, span: Span, depth: number): Promise<[string, string]> {
  let key = "", value = "";
  await wire.message(span, depth, (field): Promise<void> | void => {
    if (field.number === STRING_ENTRY.key) return wire.text(field).then((text) => { key = text; });
    if (field.number === STRING_ENTRY.value) return wire.text(field).then((text) => { value = text; });
  });
  return [key, value];
}

function addTyped(typed: Map<number, TypedField>, field: Field, encoding: TypedEncoding): void {
  const total = typed.get(field.number) ?? { field: field.number, encoding, bytes: 0, elements: 0 };
  const bytes = field.end - field.start;
  total.bytes += bytes;
  total.elements += field.wire === VARINT || field.wire === FIXED32 ? 1 : Math.floor(bytes / ELEMENT_BYTES[encoding]);
  typed.set(field.number, total);
}

function sourceOf(message: Span, external: ReadonlyMap<string, string> | null, raw: Span | null, typed: ReadonlyMap<number, TypedField>): DataSource {
  if (external !== null) {
    return { kind: "external", location: external.get("location") ?? "", offset: external.get("offset") ?? "", length: external.get("length") ?? "" };
  }
  const field = [...typed.values()].find((candidate) => candidate.bytes > 0);
  if (raw !== null && (raw.end > raw.start || field === undefined)) return { kind: "raw", span: raw };
  return field === undefined ? { kind: "absent" } : { kind: "typed", message, ...field };
}

/** @throws Fault malformed */
export function checkShape(wire: WireReader, span: Span, name: string, shape: readonly number[]): void {
  const negative = shape.find((size) => size < 0);
  if (negative !== undefined) throw wire.malformed(span.start, `tensor "${name}" has an axis of size ${negative}`);
  let elements = 1;
  for (const size of shape) elements *= Math.max(1, size);
  if (elements >= Number.MAX_SAFE_INTEGER) throw wire.malformed(span.start, `the shape of tensor "${name}", [${shape.join(", ")}], has too large a product`);
}

async function withIntegers(wire: WireReader, record: TensorRecord): Promise<TensorRecord> {
  if (record.dataType !== INT64 && record.dataType !== INT32) return record;
  if (elementsOf(record.shape) > MOST_SMALL_INTEGERS) return record;
  const integers = await shortIntegers(wire, record.source, MOST_SMALL_INTEGERS, record.dataType === INT64 ? 8 : 4);
  return integers?.length === elementsOf(record.shape) ? { ...record, integers } : record;
}

/** Π shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
