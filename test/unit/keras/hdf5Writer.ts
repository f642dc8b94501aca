import { deflateSync } from "node:zlib";

/** Writes small HDF5 files as h5py does by default, for tests, from the format's specification (version 3.0). */

export interface DatasetToWrite {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** Instead of values: their bytes. */
  readonly bytes?: Buffer;
  readonly type?: "float32" | "float64" | "float16" | "bfloat16" | "int32";
  readonly bigEndian?: boolean;
  /** Stored in chunks of this shape, packed by deflate. */
  readonly chunk?: readonly number[];
  readonly shuffle?: boolean;
}

export interface GroupToWrite {
  readonly [name: string]: DatasetToWrite | GroupToWrite;
}

/** Datatype messages without their sizes: class and version, three bytes of bits, then size and properties. */
const TYPES = {
  float32: { size: 4, properties: [0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0], bits: [0x20, 31, 0], kind: 0x11 },
  float64: { size: 8, properties: [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0], bits: [0x20, 63, 0], kind: 0x11 },
  float16: { size: 2, properties: [0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0], bits: [0x20, 15, 0], kind: 0x11 },
  bfloat16: { size: 2, properties: [0, 0, 16, 0, 7, 8, 0, 7, 127, 0, 0, 0], bits: [0x20, 15, 0], kind: 0x11 },
  int32: { size: 4, properties: [0, 0, 32, 0], bits: [8, 0, 0], kind: 0x10 },
} as const;

const u8 = (...values: readonly number[]): Buffer => Buffer.from(values);
const u16 = (value: number): Buffer => { const out = Buffer.alloc(2); out.writeUInt16LE(value); return out; };
const u32 = (value: number): Buffer => { const out = Buffer.alloc(4); out.writeUInt32LE(value); return out; };
export const u64 = (value: number | bigint): Buffer => { const out = Buffer.alloc(8); out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value))); return out; };
const UNDEFINED = u64(2n ** 64n - 1n);
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);

class Hdf5Writer {
  private readonly parts: Buffer[] = [];
  private end = 96;

  put(bytes: Buffer): number {
    const at = this.end;
    const whole = padded(bytes);
    this.parts.push(whole);
    this.end += whole.length;
    return at;
  }

  file(root: number): Buffer {
    const superblock = Buffer.concat([
      Buffer.from("\x89HDF\r\n\x1a\n", "latin1"), u8(0, 0, 0, 0, 0, 8, 8, 0), u16(4), u16(16), u32(0),
      u64(0), UNDEFINED, u64(this.end), UNDEFINED, u64(0), u64(root), u32(0), u32(0), Buffer.alloc(16),
    ]);
    return Buffer.concat([superblock, ...this.parts]);
  }

  object(messages: readonly (readonly [type: number, body: Buffer])[]): number {
    const body = Buffer.concat(messages.map(([type, data]) => Buffer.concat([u16(type), u16(padded(data).length), u8(0, 0, 0, 0), padded(data)])));
    return this.put(Buffer.concat([u8(1, 0), u16(messages.length), u32(1), u32(body.length), u32(0), body]));
  }

  group(group: GroupToWrite, attributes: readonly (readonly [number, Buffer])[] = []): number {
    const names = Object.keys(group).sort();
    const objects = names.map((name) => this.node(group[name]!));
    let next = 8;
    const places = names.map((name) => { const at = next; next += padded(Buffer.from(`${name}\0`)).length; return at; });
    const text = this.put(Buffer.concat([Buffer.alloc(8), ...names.map((name) => padded(Buffer.from(`${name}\0`)))]));
    const heap = this.put(Buffer.concat([Buffer.from("HEAP"), u8(0, 0, 0, 0), u64(next), UNDEFINED, u64(text)]));
    const symbols = this.put(Buffer.concat([Buffer.from("SNOD"), u8(1, 0), u16(names.length), ...objects.map((object, index) => Buffer.concat([u64(places[index]!), u64(object), Buffer.alloc(24)]))]));
    const tree = this.put(Buffer.concat([Buffer.from("TREE"), u8(0, 0), u16(1), UNDEFINED, UNDEFINED, u64(0), u64(symbols), u64(places.at(-1) ?? 0)]));
    return this.object([[0x11, Buffer.concat([u64(tree), u64(heap)])], ...attributes]);
  }

  /** An attribute of one text of variable length, in a heap, as h5py writes them. */
  variableText(name: string, value: string): readonly [number, Buffer] {
    const bytes = Buffer.from(value);
    const object = Buffer.concat([u16(1), u16(1), u32(0), u64(bytes.length), padded(bytes)]);
    const heap = this.put(Buffer.concat([Buffer.from("GCOL"), u8(1, 0, 0, 0), u64(16 + object.length + 16), object, Buffer.alloc(16)]));
    const type = Buffer.concat([u8(0x19, 1, 1, 0), u32(16), u8(0x10, 0, 0, 0), u32(1), Buffer.alloc(8)]);
    return this.attribute(name, type, u8(1, 0, 0, 0, 0, 0, 0, 0), Buffer.concat([u32(bytes.length), u64(heap), u32(1)]));
  }

  /** An attribute of several texts of one length. */
  fixedTexts(name: string, values: readonly string[]): readonly [number, Buffer] {
    const size = Math.max(1, ...values.map((value) => value.length));
    const data = Buffer.concat(values.map((value) => { const out = Buffer.alloc(size); out.write(value); return out; }));
    return this.attribute(name, Buffer.concat([u8(0x13, 1, 0, 0), u32(size)]), Buffer.concat([u8(1, 1, 0, 0, 0, 0, 0, 0), u64(values.length)]), data);
  }

  private attribute(name: string, type: Buffer, space: Buffer, data: Buffer): readonly [number, Buffer] {
    const text = Buffer.from(`${name}\0`);
    return [0x0c, Buffer.concat([u8(1, 0), u16(text.length), u16(type.length), u16(space.length), padded(text), padded(type), padded(space), data])];
  }

  private node(node: DatasetToWrite | GroupToWrite): number {
    return "values" in node && Array.isArray(node.values) ? this.dataset(node as DatasetToWrite) : this.group(node as GroupToWrite);
  }

  private dataset(dataset: DatasetToWrite): number {
    const { shape, type = "float32", bigEndian = false, chunk } = dataset;
    const { size, properties, bits, kind } = TYPES[type];
    const bytes = encoded(dataset);
    const filters: Buffer[] = [];
    let layout: Buffer;
    if (chunk === undefined) layout = Buffer.concat([u8(3, 1), u64(this.put(bytes)), u64(bytes.length)]);
    else {
      if (dataset.shuffle === true) filters.push(Buffer.concat([u16(2), u16(0), u16(1), u16(1), u32(size), u32(0)]));
      filters.push(Buffer.concat([u16(1), u16(0), u16(1), u16(1), u32(6), u32(0)]));
      const entries = chunksOf(bytes, shape, chunk, size).map(({ first, data }) => {
        const packed = deflateSync(dataset.shuffle === true ? shuffled(data, size) : data);
        return Buffer.concat([u32(packed.length), u32(0), ...first.map(u64), u64(0), u64(this.put(packed))]);
      });
      const tree = this.put(Buffer.concat([Buffer.from("TREE"), u8(1, 0), u16(entries.length), UNDEFINED, UNDEFINED, ...entries, Buffer.alloc(8 + 8 * (shape.length + 1))]));
      layout = Buffer.concat([u8(3, 2, shape.length + 1), u64(tree), ...chunk.map(u32), u32(size)]);
    }
    return this.object([
      [0x01, Buffer.concat([u8(1, shape.length, 0, 0, 0, 0, 0, 0), ...shape.map(u64)])],
      [0x03, Buffer.concat([u8(kind, bits[0] | (bigEndian ? 1 : 0), bits[1], bits[2]), u32(size), u8(...properties)])],
      [0x08, layout],
      ...(filters.length === 0 ? [] : [[0x0b, Buffer.concat([u8(1, filters.length, 0, 0, 0, 0, 0, 0), ...filters])] as const]),
    ]);
  }
}

function encoded({ values, bytes, type = "float32", bigEndian = false }: DatasetToWrite): Buffer {
  if (bytes !== undefined) return bytes;
  const { size } = TYPES[type];
  const out = Buffer.alloc(values.length * size);
  values.forEach((value, index) => {
    if (type === "float64") out.writeDoubleLE(value, index * 8);
    else if (type === "float32") out.writeFloatLE(value, index * 4);
    else if (type === "int32") out.writeInt32LE(value, index * 4);
    // Types of 16 bits are given as their bits.
    else out.writeUInt16LE(value, index * 2);
    if (bigEndian) out.subarray(index * size, (index + 1) * size).reverse();
  });
  return out;
}

function chunksOf(bytes: Buffer, shape: readonly number[], chunk: readonly number[], size: number): { first: number[]; data: Buffer }[] {
  const positions = (sizes: readonly number[]) => sizes.reduce<number[][]>((all, extent) => all.flatMap((base) => Array.from({ length: extent }, (_, index) => [...base, index])), [[]]);
  return positions(shape.map((extent, axis) => Math.ceil(extent / chunk[axis]!))).map((number) => {
    const first = number.map((index, axis) => index * chunk[axis]!);
    const data = Buffer.concat(positions(chunk).map((inside) => {
      const at = inside.map((index, axis) => index + first[axis]!);
      const flat = at.reduce((sum, index, axis) => sum * shape[axis]! + index, 0);
      return at.every((index, axis) => index < shape[axis]!) ? bytes.subarray(flat * size, (flat + 1) * size) : Buffer.alloc(size);
    }));
    return { first, data };
  });
}

function shuffled(bytes: Buffer, size: number): Buffer {
  const count = bytes.length / size;
  return Buffer.from(Array.from({ length: bytes.length }, (_, at) => bytes[(at % count) * size + Math.floor(at / count)]!));
}

export interface FileToWrite {
  readonly root: GroupToWrite;
  readonly texts?: Readonly<Record<string, string>>;
  readonly lists?: Readonly<Record<string, readonly string[]>>;
}

export function hdf5File({ root, texts = {}, lists = {} }: FileToWrite): Buffer {
  const writer = new Hdf5Writer();
  const attributes = [
    ...Object.entries(texts).map(([name, value]) => writer.variableText(name, value)), ...Object.entries(lists).map(([name, values]) => writer.fixedTexts(name, values)),
  ];
  return writer.file(writer.group(root, attributes));
}
