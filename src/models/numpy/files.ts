import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { ReopenedFile } from "../reopenedFile";
import { ZipArchive } from "../zip";
import { storedArray, type StoredArray } from "./arrays";
import { readNpyHeader, type NpyBytes } from "./header";

/** An opened .npy or .npz: headers are in memory, values are not. */
export interface NumpyFile {
  readonly file: ReopenedFile;
  readonly arrays: readonly StoredArray[];
  /** Entries of an archive that hold no array, with the reason. */
  readonly others: readonly { readonly name: string; readonly reason: string }[];
}

const ENDING = ".npy";

/** @throws Fault malformed, truncated, unsupported, too-large, and those of `FileBytes.open` */
export async function openNumpy(path: string): Promise<NumpyFile> {
  return ReopenedFile.opened(path, async (file) => {
    const head = Buffer.from(await file.read(0, Math.min(4, file.size))).toString("latin1");
    return head.startsWith("PK") ? openArchive(file) : openSingle(file);
  });
}

async function openSingle(file: ReopenedFile): Promise<NumpyFile> {
  const name = basename(file.path);
  const bytes: NpyBytes = { size: file.size, what: name, isPacked: false, read: (start, length) => file.read(start, length) };
  const array = storedArray(name.replace(/\.npy$/i, ""), await readNpyHeader(bytes), bytes);
  if (array.bytesMissing > 0) throw new Fault("truncated", `${name} ends after ${file.size} bytes, ${array.bytesMissing} before the end of its values.`, "The file is cut off: fetch it again.");
  return { file, arrays: [array], others: [] };
}

/** An archive of numpy.savez: each entry is a .npy file. */
async function openArchive(file: ReopenedFile): Promise<NumpyFile> {
  const zip = await ZipArchive.open(file);
  const arrays: StoredArray[] = [];
  const others: { name: string; reason: string }[] = [];
  for (const { name, size, isPacked, problem } of zip.entries.values()) {
    if (name.endsWith("/")) continue;
    const own = name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : name;
    const bytes: NpyBytes = { size, what: `${name} of ${basename(file.path)}`, isPacked, read: (start, length) => zip.read(name, start, length) };
    const found = problem ?? (name.endsWith(ENDING) ? await readNpyHeader(bytes).catch(reasonOf) : "not a NumPy array");
    if (typeof found === "string") others.push({ name: own, reason: found });
    else arrays.push(storedArray(own, found, bytes));
  }
  if (arrays.length === 0) {
    throw new Fault("unsupported", `${basename(file.path)} is a zip archive without one NumPy array that can be read${others[0] === undefined ? "" : ` (${others[0].name.slice(0, 80)}: ${others[0].reason})`}.`, "Check what the file is.");
  }
  return { file, arrays, others };
}

/** What is wrong with one entry does not keep the others from being read. */
function reasonOf(error: unknown): string {
  if (error instanceof Fault && error.code !== "changed-while-read" && error.code !== "unreadable") return error.message;
  throw error;
}
