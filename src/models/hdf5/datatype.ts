import type { Cursor } from "../pagedBytes";

/** A type of stored values (File Format Specification 3.0, IV.A.2.d). */
export type Datatype =
  /** `name`: one of `dtypes.ts`, or null where there is none. */
  | { readonly kind: "number"; readonly name: string | null; readonly size: number; readonly littleEndian: boolean }
  | { readonly kind: "text"; readonly size: number }
  | { readonly kind: "variable-text"; readonly size: number }
  | { readonly kind: "opaque"; readonly size: number }
  | { readonly kind: "other"; readonly what: string; readonly size: number };

/** Classes that hold no weights, by number, in words. */
const OTHERS: Readonly<Record<number, string>> = { 2: "times", 4: "bit fields", 6: "compounds", 7: "references", 9: "lists", 10: "arrays" };

export function readDatatype(cursor: Cursor): Datatype {
  const first = cursor.u8();
  const bits = cursor.u8();
  cursor.skip(2);
  const size = cursor.u32();
  switch (first & 15) {
    case 0: return number(`${bits & 8 ? "int" : "uint"}${size * 8}`, [1, 2, 4, 8].includes(size), size, (bits & 1) === 0);
    case 1: {
      cursor.skip(5);
      const exponentBits = cursor.u8();
      cursor.skip(1);
      const name = floatName(size, exponentBits, cursor.u8());
      return number(name ?? "", name !== null, size, (bits & 0x41) === 0);
    }
    case 3: return { kind: "text", size };
    case 5: return { kind: "opaque", size };
    // h5py's truth values are an enumeration of bytes.
    case 8: return number("bool", size === 1, size, true);
    case 9: return (bits & 15) === 1 ? { kind: "variable-text", size } : { kind: "other", what: "lists", size };
    default: return { kind: "other", what: OTHERS[first & 15] ?? "values of an unknown class", size };
  }
}

function number(name: string, isKnown: boolean, size: number, littleEndian: boolean): Datatype {
  return { kind: "number", name: isKnown ? name : null, size, littleEndian };
}

function floatName(size: number, exponentBits: number, mantissaBits: number): string | null {
  switch (`${size} ${exponentBits} ${mantissaBits}`) {
    case "2 5 10": return "float16";
    case "2 8 7": return "bfloat16";
    case "4 8 23": return "float32";
    case "8 11 52": return "float64";
    default: return null;
  }
}

/** Axes that HDF5 allows. */
const MOST_AXES = 32;

/** @returns null for a space without extent, which holds nothing, or one of impossibly many axes */
export function readDataspace(cursor: Cursor): readonly number[] | null {
  const version = cursor.u8(), axes = cursor.u8();
  cursor.skip(1);
  // Version 1 has five reserved bytes here, version 2 the kind of space: 2 is none.
  if (version === 1) cursor.skip(5);
  else if (cursor.u8() === 2) return null;
  return axes > MOST_AXES ? null : Array.from({ length: axes }, () => cursor.u64());
}
