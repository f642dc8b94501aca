import { Fault } from "../../shared/fault";
import { PythonLiteral } from "./literal";

/** What a .npy file says before its values (numpy/lib/format.py, "Format Version 1.0" to 3.0). */
export interface NpyHeader {
  readonly shape: readonly number[];
  readonly isFortranOrder: boolean;
  /** "<f4", "|b1", "|O"; null for records of several fields. */
  readonly descr: string | null;
  /** Bytes before the first value. */
  readonly dataStart: number;
}

/** "\x93NUMPY", two bytes of version, and two or four of the header's length. */
const MAGIC = "\x93NUMPY";
const PREFIX = 10, LONG_PREFIX = 12;
/** NumPy itself reads headers of up to 10,000 bytes; records have longer ones. */
const LONGEST_HEADER = 1024 * 1024;
/** Axes of the largest array that NumPy 2 makes. */
const MOST_AXES = 64;

/** Reads bytes [start, start + length), or fewer at the end. */
export interface NpyBytes {
  readonly size: number;
  /** For faults: "weights.npy", "w.npy of weights.npz". */
  readonly what: string;
  /** Whether a part of it costs as much as all that comes before it. */
  readonly isPacked: boolean;
  read(start: number, length: number): Promise<Uint8Array>;
}

/** @throws Fault malformed, truncated, unsupported, too-large */
export async function readNpyHeader({ size, what, read }: NpyBytes): Promise<NpyHeader> {
  const prefix = Buffer.from(await read(0, Math.min(size, LONG_PREFIX)));
  if (prefix.toString("latin1", 0, MAGIC.length) !== MAGIC) throw malformed(what, "it does not begin with \\x93NUMPY");
  if (prefix.length < PREFIX) throw truncated(what, size);
  const version = prefix[6]!;
  if (version < 1 || version > 3) throw new Fault("unsupported", `${what} is of NumPy's format ${version}.${prefix[7]}; there are 1.0 to 3.0.`, "Save it again with a released version of NumPy.");
  const start = version === 1 ? PREFIX : LONG_PREFIX;
  if (prefix.length < start) throw truncated(what, size);
  const length = version === 1 ? prefix.readUInt16LE(8) : prefix.readUInt32LE(8);
  if (length > LONGEST_HEADER) throw new Fault("too-large", `${what} claims a header of ${length} bytes; at most ${LONGEST_HEADER} are read.`, "The file is damaged: fetch or save it again.");
  if (start + length > size) throw truncated(what, size);
  const text = Buffer.from(await read(start, length)).toString(version === 3 ? "utf8" : "latin1");
  return { ...parsed(text, what), dataStart: start + length };
}

function parsed(text: string, what: string): Omit<NpyHeader, "dataStart"> {
  const literal = new PythonLiteral(text, (at, has) => malformed(what, `its header has ${has} at character ${at}`));
  let descr: string | null = null, isFortranOrder: boolean | null = null, shape: readonly number[] | null = null;
  let hasDescr = false;
  literal.dict((key) => {
    switch (key) {
      case "descr":
        hasDescr = true;
        descr = literal.isString() ? literal.string() : (literal.skip(), null);
        return;
      case "fortran_order": isFortranOrder = literal.boolean(); return;
      case "shape": shape = literal.integers(MOST_AXES); return;
      default: literal.skip();
    }
  });
  literal.end();
  if (!hasDescr || isFortranOrder === null || shape === null) throw malformed(what, "its header lacks descr, fortran_order or shape");
  return { shape, isFortranOrder, descr };
}

function malformed(what: string, why: string): Fault {
  return new Fault("malformed", `${what} is not a valid .npy file: ${why}.`, "Fetch or save the file again.");
}

function truncated(what: string, size: number): Fault {
  return new Fault("truncated", `${what} ends after ${size} bytes, inside of its header.`, "The file is cut off: fetch it again.");
}
