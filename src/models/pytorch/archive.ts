import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { ReadableFile } from "../reopenedFile";
import { ZipArchive } from "../zip";
import { latin1 } from "./pickle/cursor";
import { readWholePickle } from "./pickle/read";
import { PersistentObject } from "./pickle/values";
import type { Pickled, TensorSource } from "./source";

/** Longest pickle that is read. Weights are not in it: this is a model of more than 300,000 tensors. */
const LONGEST_PICKLE = 256 * 1024 * 1024;
const PICKLE = /^(?:.*\/)?data\.pkl$/;

/**
 * A file of torch.save since PyTorch 1.6, or of torch.jit.save: a zip archive with one folder that has data.pkl and the
 * storages (torch/serialization.py, _save; caffe2/serialize/inline_container.h).
 * @throws Fault truncated, malformed, unsupported, too-large
 */
export async function openArchive(file: ReadableFile): Promise<TensorSource> {
  const zip = await ZipArchive.open(file);
  const name = basename(file.path);
  const root = rootOf(zip, name);
  const pickles: Pickled[] = [{ value: await unpickled(zip, `${root}data.pkl`, name), folder: "data", prefix: "" }];
  const isScript = zip.entries.has(`${root}constants.pkl`);
  if (isScript) pickles.push({ value: await unpickled(zip, `${root}constants.pkl`, name), folder: "constants", prefix: "constants" });
  return {
    kind: isScript ? "TorchScript archive" : "zip archive",
    pickles,
    isBigEndian: await isBigEndian(zip, root),
    problemOf: (key, bytes) => {
      const entry = zip.entries.get(root + key);
      if (entry === undefined) return bytes === 0 ? null : `its data, ${root}${key}, is not in the archive`;
      if (entry.problem !== null) return `its data, ${root}${key}, cannot be read: ${entry.problem}`;
      return entry.size < bytes ? `its data, ${root}${key}, has ${entry.size} of ${bytes} bytes` : null;
    },
    isPacked: (key) => zip.entries.get(root + key)?.isPacked ?? false,
    read: (key, start, length) => zip.read(root + key, start, length),
  };
}

/** The folder, with its slash; archives may call it anything. */
function rootOf(zip: ZipArchive, file: string): string {
  const names = [...zip.entries.keys()];
  const found = names.filter((name) => PICKLE.test(name)).sort((a, b) => a.split("/").length - b.split("/").length)[0];
  if (found !== undefined) return found.slice(0, -"data.pkl".length);
  const [what, next] = otherArchive(names);
  throw new Fault("unsupported", `${file} is a zip archive${what}, not a PyTorch file: it has no data.pkl.`, next);
}

function otherArchive(names: readonly string[]): readonly [string, string] {
  if (names.some((name) => name.endsWith(".npy"))) return [" of NumPy arrays", "Rename it to end in .npz."];
  if (names.some((name) => /(?:^|\/)model\.json$/.test(name))) return [" of TorchScript before PyTorch 1.2", "Load it with PyTorch and save its state_dict()."];
  if (names.some((name) => /\.(?:pth?|bin|ckpt|safetensors)$/.test(name))) return [" that holds model files", "Unpack it and open the files inside."];
  if (names.some((name) => name.endsWith("config.json")) && names.some((name) => name.endsWith(".h5"))) return [" of Keras", "Rename it to end in .keras."];
  return ["", "Check what the file is."];
}

async function unpickled(zip: ZipArchive, entry: string, file: string): Promise<Pickled["value"]> {
  const size = zip.entries.get(entry)?.size ?? 0;
  if (size > LONGEST_PICKLE) throw new Fault("too-large", `${entry} of ${file} has ${size} bytes; at most ${LONGEST_PICKLE} of a pickle are read.`, "Save the weights alone (model.state_dict()) and open that file.");
  return readWholePickle(await zip.read(entry, 0, size), `${entry} of ${file}`, { persistent: (id) => new PersistentObject(id) });
}

/** Bytes of storages are in the order of the machine that wrote them, which newer files tell. */
async function isBigEndian(zip: ZipArchive, root: string): Promise<boolean> {
  const entry = zip.entries.get(`${root}byteorder`);
  if (entry === undefined || entry.problem !== null || entry.size !== "big".length) return false;
  return latin1(await zip.read(`${root}byteorder`, 0, entry.size)) === "big";
}
