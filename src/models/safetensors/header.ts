import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { clipped } from "../clipped";
import type { FileBytes } from "../fileBytes";
import { JsonReader } from "../json";
import { checkLayout } from "./layout";
import { DATA_TYPES, LENGTH_BYTES, LONGEST_HEADER, METADATA, MOST_TENSORS, type DataType } from "./schema";

/** A tensor as a header describes it, checked against its file. */
export interface StoredTensor {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  /** Bytes [begin, end) after the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of the header. */
  readonly tensors: readonly StoredTensor[];
  /** For each tensor whose data another has too, the first in the header that has it. */
  readonly shared: ReadonlyMap<StoredTensor, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Where tensor data begins in the file. */
  readonly dataStart: number;
}

/** Deepest tensor that is believed. */
const MOST_AXES = 64;
/** Longest name of a tensor, in characters. */
const LONGEST_NAME = 4096;
const OPEN_OBJECT = 0x7b;

/**
 * Reads and checks the header of a safetensors file; nothing of it is trusted before. The rules are those of the
 * format's own library (safetensors/src/tensor.rs, `read_metadata` and `validate`): a bounded length, each tensor's bytes as
 * many as its shape and type need, all of the file's data used, in order, without holes or overlaps. Besides, a name
 * given twice is refused; a range given twice is allowed, and is one tensor with two names.
 * @throws Fault malformed, truncated, too-large
 */
export async function readHeader(file: FileBytes): Promise<Header> {
  const length = await headerLength(file);
  const bytes = await file.read(LENGTH_BYTES, length);
  const name = basename(file.path);
  const malformed = (at: number, what: string) =>
    new Fault("malformed", `The header of ${name} has ${what} at byte ${LENGTH_BYTES + at}.`, "The file is damaged, or not safetensors: fetch or export it again.");
  const { tensors, metadata } = parseHeader(bytes, malformed);
  if (tensors.length > MOST_TENSORS) throw new Fault("too-large", `${name} names more than ${MOST_TENSORS} tensors.`, "Split it into several files.");
  const dataStart = LENGTH_BYTES + length;
  const shared = checkLayout(tensors, file.size - dataStart, name);
  await file.assertUnchanged();
  return { tensors, shared, metadata, dataStart };
}

async function headerLength(file: FileBytes): Promise<number> {
  const name = basename(file.path);
  const first = await file.read(0, Math.min(file.size, 64));
  if (Buffer.from(first).toString("latin1").startsWith("version https://git-lfs.github.com/")) {
    throw new Fault("malformed", `${name} is a Git LFS pointer, not the model itself.`, "Run \"git lfs pull\" in its repository.");
  }
  if (file.size < LENGTH_BYTES) throw new Fault("truncated", `${name} has ${file.size} bytes, fewer than a safetensors file begins with.`, "Fetch the file again.");
  const length = Buffer.from(first).readBigUInt64LE();
  const isHeader = file.size === LENGTH_BYTES || first[LENGTH_BYTES] === OPEN_OBJECT;
  if (!isHeader) throw new Fault("malformed", `${name} is not a safetensors file: no header follows its first ${LENGTH_BYTES} bytes.`, "Check what the file is, and its ending.");
  if (length > LONGEST_HEADER) {
    throw new Fault("too-large", `${name} claims a header of ${length} bytes; at most ${LONGEST_HEADER} are read.`, "The file is damaged, or not safetensors: fetch or export it again.");
  }
  if (length > file.size - LENGTH_BYTES) {
    throw new Fault("truncated", `${name} ends at byte ${file.size}, inside its header of ${length} bytes.`, "The download is not complete: fetch the file again.");
  }
  return Number(length);
}

function parseHeader(bytes: Uint8Array, malformed: (at: number, what: string) => Fault): Pick<Header, "tensors" | "metadata"> {
  const json = new JsonReader(bytes, malformed);
  const tensors: StoredTensor[] = [];
  const names = new Set<string>();
  const metadata = new Map<string, string>();
  json.object((name) => {
    const at = json.position;
    if (name.length > LONGEST_NAME) throw malformed(at, `a name of more than ${LONGEST_NAME} characters`);
    if (names.has(name)) throw malformed(at, `the name "${clipped(name)}" a second time`);
    names.add(name);
    if (name === METADATA) parseMetadata(json, metadata);
    else if (tensors.length <= MOST_TENSORS) tensors.push(parseTensor(json, name, malformed));
    else json.skip();
  });
  json.end();
  return { tensors, metadata };
}

/** The format allows text alone; anything else is passed over. */
function parseMetadata(json: JsonReader, metadata: Map<string, string>): void {
  json.object((key) => {
    if (json.isString()) metadata.set(key, json.string());
    else json.skip();
  });
}

function parseTensor(json: JsonReader, name: string, malformed: (at: number, what: string) => Fault): StoredTensor {
  const at = json.position;
  let dtype: string | null = null, shape: number[] | null = null, offsets: number[] | null = null;
  json.object((key) => {
    const again = (key === "dtype" && dtype !== null) || (key === "shape" && shape !== null) || (key === "data_offsets" && offsets !== null);
    if (again) throw malformed(json.position, `"${key}" of tensor "${clipped(name)}" a second time`);
    switch (key) {
      case "dtype": dtype = json.string(); break;
      case "shape": shape = json.integers(MOST_AXES); break;
      case "data_offsets": offsets = json.integers(2); break;
      default: json.skip();
    }
  });
  const [begin, end] = (offsets ?? []) as number[];
  if (dtype === null || shape === null || begin === undefined || end === undefined) {
    throw malformed(at, `tensor "${clipped(name)}" without its dtype, shape or data_offsets`);
  }
  return { name, type: typeOf(dtype), shape, begin, end };
}

/** Types that RankLens does not know are listed, not refused: newer files have them. */
function typeOf(dtype: string): DataType {
  return DATA_TYPES.get(dtype) ?? { name: clipped(dtype).toLowerCase(), bits: 0, use: "unread" };
}
