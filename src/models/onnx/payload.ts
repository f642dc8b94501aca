import type { DataSource } from "./tensorProto";
import { clampedInt64, varintAt } from "./varint";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT, type Field, type Span, type WireReader } from "./wire";

/** Packed varints are decoded in pieces of this size. */
const CHUNK = 1024 * 1024;

type Typed = Extract<DataSource, { kind: "typed" }>;

/**
 * The elements of a typed field (float_data, int32_data …) as raw_data would hold them: little-endian,
 * `width` bytes each. ONNX keeps float16, bfloat16, float8, int8 and packed int4 in int32_data, by their bits.
 * @throws Fault malformed when there are not exactly `count` elements
 */
export async function typedBytes(wire: WireReader, source: Typed, count: number, width: number): Promise<Uint8Array> {
  const out = new Uint8Array(count * width);
  const view = new DataView(out.buffer);
  let filled = 0;
  const wrong = (at: number, what: string) => wire.malformed(at, `a tensor's data ${what}, where its shape needs ${count} elements`);
  const push = (at: number, low: number, high: number): void => {
    if (filled === count) throw wrong(at, `has more than ${count} elements`);
    putInteger(view, filled++ * width, width, low, high);
  };
  await wire.message(source.message, 0, async (field) => {
    if (field.number !== source.field) return;
    if (source.encoding === "varint") {
      if (field.wire === VARINT) push(field.start, field.low, field.high);
      else await forEachVarint(wire, field, push);
      return;
    }
    wire.expect(field, fixedWire(field, source.encoding));
    const length = field.end - field.start;
    if (length % width !== 0 || filled + length / width > count) throw wrong(field.start, `has ${length} bytes here`);
    out.set(await wire.bytes(field), filled * width);
    filled += length / width;
  });
  if (filled !== count) throw wrong(source.message.start, `has ${filled} elements`);
  return out;
}

/**
 * The values of a short integer tensor, for shapes and permutations.
 * @param width bytes of one element in raw_data
 * @returns null when it is longer than `most` or kept elsewhere; beyond ±2⁵³ values are clamped
 */
export async function shortIntegers(wire: WireReader, source: DataSource, most: number, width: 4 | 8): Promise<number[] | null> {
  if (source.kind === "raw") {
    const length = source.span.end - source.span.start;
    if (length > most * width || length % width !== 0) return null;
    const bytes = await wire.bytes(source.span);
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    return Array.from({ length: length / width }, (_, i) =>
      width === 4 ? view.getInt32(i * width, true) : clampedInt64(view.getUint32(i * width, true), view.getUint32(i * width + 4, true)));
  }
  if (source.kind !== "typed" || source.encoding !== "varint" || source.bytes > most * 10) return null;
  const values: number[] = [];
  const push = (_at: number, low: number, high: number) => { values.push(clampedInt64(low, high)); };
  await wire.message(source.message, 0, async (field) => {
    if (field.number !== source.field) return;
    if (field.wire === VARINT) push(field.start, field.low, field.high);
    else await forEachVarint(wire, field, push);
  });
  return values.length > most ? null : values;
}

async function forEachVarint(wire: WireReader, field: Field, push: (at: number, low: number, high: number) => void): Promise<void> {
  wire.expect(field, LENGTH_DELIMITED);
  for (let at = field.start; at < field.end;) {
    const span: Span = { start: at, end: Math.min(field.end, at + CHUNK) };
    const bytes = await wire.bytes(span);
    let position = 0;
    while (position < bytes.length) {
      const value = varintAt(bytes, position, bytes.length);
      if (value === "cut" && span.end < field.end && position > 0) break;
      if (typeof value === "string") throw wire.malformed(at + position, "a number in a tensor is cut off or too long");
      push(at + position, value.low, value.high);
      position = value.end;
    }
    at += position;
  }
}

/** Unpacked elements come as fixed values, packed ones as one payload. */
function fixedWire(field: Field, encoding: "float" | "double"): number {
  if (field.wire === LENGTH_DELIMITED) return LENGTH_DELIMITED;
  return encoding === "float" ? FIXED32 : FIXED64;
}

function putInteger(view: DataView, at: number, width: number, low: number, high: number): void {
  if (width === 1) view.setUint8(at, low & 0xff);
  else if (width === 2) view.setUint16(at, low & 0xffff, true);
  else view.setUint32(at, low, true);
  if (width === 8) view.setUint32(at + 4, high, true);
}
