import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { clipped } from "../clipped";
import type { FileBytes } from "../fileBytes";
import { readMetadata, type Metadata } from "./metadata";
import { DEFAULT_ALIGNMENT, LONGEST_NAME, MOST_AXES, MOST_ENTRIES, typeOf, type TensorType } from "./schema";
import { SequentialReader } from "./sequential";

/** A tensor as a header describes it, checked against its file. */
export interface StoredTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Outermost axis first: the reverse of what the file says. */
  readonly shape: readonly number[];
  /** Bytes of its data, and where in the file they begin. */
  readonly begin: number;
  readonly bytes: number;
}

export interface Header {
  readonly version: number;
  readonly littleEndian: boolean;
  readonly metadata: Metadata;
  /** In the order of the header. */
  readonly tensors: readonly StoredTensor[];
}

const DAMAGED = "The file is damaged, or not GGUF: fetch or export it again.";
/** Names of what came before GGUF, by their first four bytes, as they are read from the file. */
const BEFORE_GGUF: ReadonlyMap<string, string> = new Map([["lmgg", "GGML"], ["fmgg", "GGMF"], ["tjgg", "GGJT"], ["algg", "GGLA"]]);
/** Magic, version, and two counts. */
const START_BYTES = 24;
/** Length, text, type. */
const SMALLEST_TENSOR_ENTRY = 8 + 4 + 8 + 4 + 8;

/**
 * Reads and checks the header of a GGUF file; nothing of it is trusted before. The rules are those of the format
 * (github.com/ggml-org/ggml, docs/gguf.md and src/gguf.cpp): whole blocks a row, data aligned and inside the file. Besides, no
 * two tensors may overlap. Read by our own code and not by a library: those at hand keep every list of the metadata (a
 * vocabulary has a million entries) and know no bound but the memory.
 * @throws Fault malformed, truncated, too-large, unsupported
 */
export async function readHeader(file: FileBytes): Promise<Header> {
  const name = basename(file.path);
  const reader = new SequentialReader(file);
  await checkMagic(file, reader);
  await reader.need(START_BYTES - 4);
  const version = readVersion(reader, name);
  const tensorCount = reader.u64(), entryCount = reader.u64();
  for (const [count, what] of [[tensorCount, "tensors"], [entryCount, "entries of metadata"]] as const) {
    if (count > MOST_ENTRIES) throw new Fault("too-large", `${name} claims more than ${MOST_ENTRIES} ${what}.`, DAMAGED);
  }
  if (tensorCount * SMALLEST_TENSOR_ENTRY > reader.left) throw reader.truncated();
  const metadata = await readMetadata(reader, entryCount, name);
  const entries = await readEntries(reader, tensorCount, name);
  const alignment = alignmentOf(metadata, name);
  const dataStart = Math.ceil(reader.position / alignment) * alignment;
  const tensors = entries.map((entry) => placed(entry, dataStart, alignment, name));
  checkLayout(tensors, file.size, name);
  await file.assertUnchanged();
  return { version, littleEndian: reader.littleEndian, metadata, tensors };
}

async function checkMagic(file: FileBytes, reader: SequentialReader): Promise<void> {
  const name = basename(file.path);
  const magic = file.size < 4 ? "" : await reader.text(4);
  if (magic === "GGUF") return;
  if (magic === "vers") throw new Fault("malformed", `${name} is a Git LFS pointer, not the model itself.`, "Run \"git lfs pull\" in its repository.");
  const before = BEFORE_GGUF.get(magic);
  if (before !== undefined) {
    throw new Fault("unsupported", `${name} is of the format ${before}, which GGUF replaced in 2023.`, "Convert it with llama.cpp's convert_llama_ggml_to_gguf.py, or fetch the model as GGUF.");
  }
  throw new Fault("malformed", `${name} does not begin as a GGUF file does.`, "Check what the file is, and its ending.");
}

/** The version is a small number: in a file of a big-endian machine, it is one in that order alone (gguf.cpp). */
function readVersion(reader: SequentialReader, name: string): number {
  const stored = reader.u32();
  const swapped = (stored & 0xffff) === 0 && stored !== 0;
  if (swapped) reader.littleEndian = false;
  const version = swapped ? stored >>> 24 | (stored >>> 8 & 0xff00) : stored;
  if (version === 1) throw new Fault("unsupported", `${name} is GGUF version 1, which llama.cpp reads no longer.`, "Convert it with llama.cpp's gguf tools of 2023, or fetch the model again: versions 2 and 3 are read.");
  if (version !== 2 && version !== 3) throw new Fault("unsupported", `${name} is GGUF version ${version}.`, "Versions 2 and 3 are read; if the file is not damaged, look for a newer RankLens.");
  return version;
}

/** A tensor as it is written: data relative to their start. */
interface Entry {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly offset: number;
}

async function readEntries(reader: SequentialReader, count: number, file: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const malformed = (what: string) => new Fault("malformed", `Tensor ${index} of ${file} has ${what}, at byte ${reader.position}.`, DAMAGED);
    await reader.need(8);
    const length = reader.u64();
    if (length > LONGEST_NAME) throw malformed("too long a name");
    const name = await reader.text(length);
    if (names.has(name)) throw malformed(`the name "${clipped(name)}" a second time`);
    names.add(name);
    await reader.need(4);
    const axes = reader.u32();
    if (axes > MOST_AXES) throw malformed(`${axes} axes`);
    await reader.need(axes * 8 + 12);
    const sizes = Array.from({ length: axes }, () => reader.u64());
    const number = reader.u32(), offset = reader.u64();
    const type = typeOf(number);
    // Zero axes do not hide an overflow.
    const bound = sizes.reduce((product, size) => product * Math.max(1, size), 1) * 8;
    if (!(bound <= Number.MAX_SAFE_INTEGER)) throw malformed(`a shape, [${sizes.join(", ")}], of too large a product`);
    if ((sizes[0] ?? 1) % type.blockSize !== 0) throw malformed(`rows of ${sizes[0] ?? 1} values, which are no whole blocks of ${type.blockSize} ${type.name}`);
    entries.push({ name, type, shape: sizes.reverse(), offset });
  }
  return entries;
}

function alignmentOf(metadata: Metadata, name: string): number {
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || !Number.isInteger(Math.log2(alignment)) || alignment > 2 ** 31) {
    throw new Fault("malformed", `${name} wants its data aligned to ${clipped(String(alignment))}, which is no power of two.`, DAMAGED);
  }
  return alignment;
}

function placed({ name, type, shape, offset }: Entry, dataStart: number, alignment: number, file: string): StoredTensor {
  if (offset % alignment !== 0 || !Number.isSafeInteger(dataStart + offset)) {
    throw new Fault("malformed", `The data of tensor "${clipped(name)}" of ${file} begin at ${offset}, which is no multiple of ${alignment}.`, DAMAGED);
  }
  return { name, type, shape, begin: dataStart + offset, bytes: (elementsOf(shape) / type.blockSize) * type.blockBytes };
}

/** @throws Fault truncated, malformed when two tensors overlap */
function checkLayout(tensors: readonly StoredTensor[], size: number, file: string): void {
  const sorted = tensors.filter(({ bytes }) => bytes > 0).sort((a, b) => a.begin - b.begin);
  let before: StoredTensor | null = null;
  for (const tensor of sorted) {
    if (before !== null && before.begin + before.bytes > tensor.begin) {
      throw new Fault("malformed", `In ${file}, the data of tensor "${clipped(tensor.name)}" overlap "${clipped(before.name)}".`, DAMAGED);
    }
    before = tensor;
  }
  if (before !== null && before.begin + before.bytes > size) {
    throw new Fault("truncated", `${file} ends ${before.begin + before.bytes - size} bytes before the end of its last tensor, "${clipped(before.name)}".`, "The download is not complete: fetch the file again.");
  }
}

/** Π shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
