import { basename, extname } from "node:path";
import { Fault } from "../../shared/fault";
import type { ReadableFile } from "../reopenedFile";
import { latin1 } from "./pickle/cursor";

/** Enough for the magic numbers of all that ends in .bin. */
const HEAD = 512;
/** Where a tar archive says what it is. */
const TAR = { offset: 257, text: "ustar" };
/** Ends LevelDB's tables, which TensorFlow 1 kept checkpoints in (tensorflow/core/lib/io/format.h). */
const TABLE_END = "57fb808b247547db";

const PROTO = 0x80;
/** Opcodes with which pickles of protocols 0 and 1 begin: marks, empty containers, globals. */
const OLD_PICKLE = /^(?:\(|\]|\}|\)|c[\w.]+\n[\w.]+\n)/;

/** What other files with these endings are, by how they begin. */
const OTHERS: readonly (readonly [(head: Buffer, text: string) => boolean, string, string])[] = [
  [(_, text) => text.startsWith("version https://git-lfs.github.com/spec/"), "a Git LFS pointer: the model itself was not fetched", "Run \"git lfs pull\" in its repository."],
  [(_, text) => /^\s*<(?:!doctype|html|\?xml)/i.test(text), "a web page, not a model", "Download the file itself, not the page about it."],
  [(_, text) => text.startsWith("GGUF"), "a GGUF model", "Rename it to end in .gguf."],
  [(_, text) => /^(?:lmgg|tjgg|fmgg|algg)/.test(text), "a model of GGML, which GGUF replaced", "Convert it to GGUF with llama.cpp or whisper.cpp."],
  [(_, text) => text.startsWith("\x89HDF"), "an HDF5 file", "Rename it to end in .h5."],
  [(head, text) => head.length > 9 && head.readUInt32LE(4) === 0 && text[8] === "{", "a safetensors file", "Rename it to end in .safetensors."],
  [(head) => head.length > 8 && head.readUInt32LE(0) === 793_712_314, "a model of fastText", "RankLens reads no word vectors."],
  [(_, text) => /^\d{1,9} \d{1,5}\n/.test(text), "a table of word vectors", "RankLens reads no word vectors."],
  [(_, text) => text.startsWith("model_checkpoint_path:"), "TensorFlow's list of checkpoints", "Open the checkpoint itself."],
  [(_, text) => text.slice(TAR.offset).startsWith(TAR.text), "a tar archive, as PyTorch wrote before version 0.1.10", "Load it with PyTorch and save it again."],
  [(head) => head.readUInt16BE(0) === 0x1f8b, "a gzip archive", "Unpack it first."],
  [(head) => head.readUInt32BE(0) === 0x7f454c46, "a program", "Check what the file is."],
];

/**
 * What a file is by its bytes: many programs use these endings.
 * @throws Fault unknown-format when it is of another program, truncated when it is too short for any
 */
export async function detect(file: ReadableFile): Promise<"archive" | "pickle"> {
  const bytes = await file.read(0, Math.min(HEAD, file.size));
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), text = latin1(bytes), name = basename(file.path);
  if (head.length < 4) throw new Fault("truncated", `${name} has only ${head.length} bytes.`, "Fetch the file again.");
  if (/^PK(?:\x03\x04|\x05\x06|\x07\x08)/.test(text)) return "archive";
  const other = OTHERS.find(([matches]) => matches(head, text));
  if (other !== undefined) throw new Fault("unknown-format", `${name} is ${other[1]}.`, other[2]);
  if (head[0] === PROTO && head[1]! <= 9) return "pickle";
  if (await isTable(file)) throw new Fault("unknown-format", `${name} is a checkpoint of TensorFlow 1, not of PyTorch.`, "Save it with TensorFlow 2 as a SavedModel, or as .h5, and open that.");
  if (OLD_PICKLE.test(text)) return "pickle";
  throw new Fault("unknown-format", `${name} is not a PyTorch file: it is neither a zip archive nor a pickle (it begins with ${head.subarray(0, 4).toString("hex")}).`, `Files of many programs end in ${extname(name)}; check which one wrote it.`);
}

async function isTable(file: ReadableFile): Promise<boolean> {
  const size = TABLE_END.length / 2;
  return file.size > size && Buffer.from(await file.read(file.size - size, size)).toString("hex") === TABLE_END;
}
