import { decode } from "../dtypes";
import type { Ranges, Values } from "../model";
import { readRowMajor, rowMajorStrides, swapBytes } from "../strided";
import type { NpyBytes, NpyHeader } from "./header";

/** An array of a file, as its header describes it. */
export interface StoredArray {
  readonly name: string;
  readonly shape: readonly number[];
  /** A name of `dtypes.ts` where RankLens decodes the type, NumPy's own otherwise. */
  readonly dtype: string;
  readonly itemSize: number;
  readonly isBigEndian: boolean;
  readonly isFortranOrder: boolean;
  readonly dataStart: number;
  /** Whether its values are numbers that may be weights. */
  readonly isFloat: boolean;
  /** Why it is no layer whatever its name; null when that is to be seen. */
  readonly reason: string | null;
  /** Where its bytes are. */
  readonly bytes: NpyBytes;
  /** How many of them the file lacks. */
  readonly bytesMissing: number;
}

/** Byte order, kind and size: "<f4". */
const DESCR = /^([<>|=])([a-zA-Z])(\d{0,9})(?:\[.*\])?$/;
/** Kinds of numpy.dtype that hold no numbers to measure. */
const KINDS: Readonly<Record<string, string>> = {
  O: "an array of Python objects, which only Python can read", S: "text: not a weight", a: "text: not a weight", U: "text: not a weight",
  V: "raw bytes or records: not a weight", M: "dates: not a weight", m: "durations: not a weight", c: "complex numbers are not measured",
};
const FLOATS: Readonly<Record<number, string>> = { 2: "float16", 4: "float32", 8: "float64" };
const INTEGER_SIZES: readonly number[] = [1, 2, 4, 8];

/** An array, checked against the bytes that there are. */
export function storedArray(name: string, header: NpyHeader, bytes: NpyBytes): StoredArray {
  const { descr, shape, isFortranOrder, dataStart } = header;
  const type = typeOf(descr);
  const base = { name, shape, isFortranOrder, dataStart, bytes, bytesMissing: 0, ...type };
  if (type.reason !== null) return base;
  const count = shape.map((size) => Math.max(1, size)).reduce((product, size) => product * size, 1);
  if (count * type.itemSize > Number.MAX_SAFE_INTEGER) return { ...base, reason: `its shape [${shape.join(", ")}] has too large a product` };
  const needed = shape.includes(0) ? 0 : count * type.itemSize, there = bytes.size - dataStart;
  if (needed > there) return { ...base, bytesMissing: needed - there, reason: `its values take ${needed} bytes, of which the file has ${there}: it is cut off` };
  return type.isFloat ? base : { ...base, reason: noWeight(type.dtype) };
}

/** Why an array of integers is no layer. */
function noWeight(dtype: string): string {
  return `${dtype}: not a weight`;
}

/** Whether an array can be read as numbers: floats, or integers, which are no weights. */
export function holdsNumbers({ itemSize, reason, dtype }: StoredArray): boolean {
  return itemSize > 0 && (reason === null || reason === noWeight(dtype));
}

function typeOf(descr: string | null): Pick<StoredArray, "dtype" | "itemSize" | "isBigEndian" | "isFloat" | "reason"> {
  const unread = (dtype: string, reason: string) => ({ dtype, itemSize: 0, isBigEndian: false, isFloat: false, reason });
  if (descr === null) return unread("records", "records of several fields: save each field as an array");
  const [, order, kind = "", digits = ""] = DESCR.exec(descr) ?? [];
  const size = Number(digits), isBigEndian = order === ">", known = descr.slice(0, 40);
  if (kind === "f") {
    const dtype = FLOATS[size];
    if (dtype !== undefined) return { dtype, itemSize: size, isBigEndian, isFloat: true, reason: null };
    return unread(`float${size * 8}`, `long double (${size} bytes), whose format depends on the machine: save it as float64`);
  }
  if ((kind === "i" || kind === "u") && INTEGER_SIZES.includes(size)) return { dtype: `${kind === "u" ? "u" : ""}int${size * 8}`, itemSize: size, isBigEndian, isFloat: false, reason: null };
  if (kind === "b" && size === 1) return { dtype: "bool", itemSize: 1, isBigEndian: false, isFloat: false, reason: null };
  // ml_dtypes' bfloat16 is told as two raw bytes: nothing says which type they are.
  if (kind === "V" && size === 2) return unread(known, "raw pairs of bytes, perhaps bfloat16: save it as float32");
  return unread(kind === "c" ? `complex${size * 8}` : known, KINDS[kind] ?? `NumPy's type ${known} is not one that RankLens reads`);
}

/**
 * Π shape values in row-major order. The array has no reason against it.
 * @throws Fault of its bytes
 */
export async function readArray(array: StoredArray): Promise<Values> {
  return decode(array.dtype, await readStored(array), array.shape.reduce((product, size) => product * size, 1));
}

/** Parts of an array in the order of the file; null where it is packed. */
export function rangesOf(array: StoredArray): Ranges | null {
  const { dtype, itemSize, isBigEndian, dataStart, bytes } = array;
  if (bytes.isPacked) return null;
  return {
    strides: stridesOf(array),
    read: async (start, count) => {
      const stored = await bytes.read(dataStart + start * itemSize, count * itemSize);
      return decode(dtype, isBigEndian ? swapBytes(stored, itemSize) : stored, count);
    },
  };
}

/** The same as bytes: row-major, little-endian. */
export async function readStored(array: StoredArray): Promise<Uint8Array> {
  const { shape, itemSize, isBigEndian, dataStart, bytes } = array;
  const read = await readRowMajor({ shape, strides: stridesOf(array), offset: 0, itemSize }, (start, length) => bytes.read(dataStart + start, length));
  return isBigEndian ? swapBytes(read, itemSize) : read;
}

function stridesOf({ shape, isFortranOrder }: StoredArray): number[] {
  return isFortranOrder ? rowMajorStrides([...shape].reverse()).reverse() : rowMajorStrides(shape);
}
