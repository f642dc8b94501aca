import { inflateRawSync } from "node:zlib";
import { Fault } from "../shared/fault";

/** An array of a .npy file, C order. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Int8Array;
}

const MAGIC = "\u0093NUMPY";
const TYPES = {
  "<f4": Float32Array, "<f8": Float64Array, "<i4": Int32Array, "<i8": BigInt64Array, "|u1": Uint8Array, "|i1": Int8Array, "|b1": Uint8Array,
} as const;
/** Archives are told apart by their first bytes; entries larger than this are taken for damage. */
const LOCAL_ENTRY = 0x04034b50, CENTRAL_ENTRY = 0x02014b50, END_OF_DIRECTORY = 0x06054b50;
const LARGEST_ENTRY = 2 ** 31;

/**
 * The arrays of a .npz archive by name, or the one of a .npy file under the name "" (numpy.lib.format, versions 1 to 3).
 * @throws Fault malformed, unsupported
 */
export function readArrays(bytes: Buffer, name: string): ReadonlyMap<string, NpyArray> {
  if (bytes.length >= 4 && bytes.readUInt32LE(0) === LOCAL_ENTRY) return readArchive(bytes, name);
  return new Map([["", readNpy(bytes, name)]]);
}

export function readNpy(bytes: Buffer, name: string): NpyArray {
  const fault = (what: string): Fault => new Fault("malformed", `${name} ${what}.`, "Write it with numpy.save or numpy.savez.");
  if (bytes.length < 12 || bytes.toString("latin1", 0, 6) !== MAGIC) throw fault("is no .npy or .npz file");
  const wide = bytes[6]! > 1;
  const start = wide ? 12 : 10;
  const end = start + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString("latin1", start, end);
  const [, descr] = /'descr':\s*'([^']+)'/.exec(header) ?? [];
  const [, fortran] = /'fortran_order':\s*(True|False)/.exec(header) ?? [];
  const [, dims] = /'shape':\s*\(([^)]*)\)/.exec(header) ?? [];
  if (descr === undefined || fortran === undefined || dims === undefined) throw fault("has a header without type, order or shape");
  if (fortran === "True") throw new Fault("unsupported", `${name} is in Fortran order.`, "Save numpy.ascontiguousarray of it.");
  const Type = Object.hasOwn(TYPES, descr) ? TYPES[descr as keyof typeof TYPES] : undefined;
  if (Type === undefined) throw new Fault("unsupported", `${name} holds numbers of the type ${descr}, which verification does not take.`, `It takes ${Object.keys(TYPES).join(", ")}.`);
  const shape = dims.split(",").map((size) => size.trim()).filter((size) => size !== "").map(Number);
  const count = shape.reduce((all, size) => all * size, 1);
  if (!Number.isSafeInteger(count) || end + count * Type.BYTES_PER_ELEMENT > bytes.length) throw fault(`ends before its ${count} numbers do`);
  const data = bytes.subarray(end, end + count * Type.BYTES_PER_ELEMENT);
  return { shape, values: new Type(new Uint8Array(data).buffer) };
}

/** Stored and deflated entries by the central directory (PKWARE, APPNOTE.TXT, 4.3). */
function readArchive(bytes: Buffer, name: string): Map<string, NpyArray> {
  const fault = (what: string): Fault => new Fault("malformed", `${name} is a damaged archive: ${what}.`, "Write it again.");
  let end = bytes.length - 22;
  while (end >= 0 && bytes.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw fault("it has no directory");
  const arrays = new Map<string, NpyArray>();
  let at = bytes.readUInt32LE(end + 16);
  for (let entry = bytes.readUInt16LE(end + 10); entry > 0; entry--) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL_ENTRY) throw fault("its directory is cut off");
    const [method, packed, size, nameLength, extra, comment, local] =
      [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 24), bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32), bytes.readUInt32LE(at + 42)];
    const own = bytes.toString("utf8", at + 46, at + 46 + nameLength);
    if (local + 30 > bytes.length || size > LARGEST_ENTRY) throw fault(`entry ${own} cannot be read`);
    const data = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const raw = bytes.subarray(data, data + packed);
    if (own.endsWith(".npy")) arrays.set(own.slice(0, -4), readNpy(method === 0 ? raw : Buffer.from(inflateRawSync(raw, { maxOutputLength: Math.max(1, size) })), `${own} of ${name}`));
    at += 46 + nameLength + extra + comment;
  }
  return arrays;
}
