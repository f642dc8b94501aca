import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { clipped } from "../clipped";
import type { ReadableFile } from "../reopenedFile";
import { Incomplete } from "./pickle/cursor";
import { cutOff, readPickle } from "./pickle/read";
import { GlobalName, PersistentObject, PickleList, PickleTuple, type PickleValue } from "./pickle/values";
import type { TensorSource } from "./source";
import { TYPE_OF_STORAGE } from "./types";

/** torch/serialization.py, MAGIC_NUMBER and PROTOCOL_VERSION. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** Read at first, and four times as much whenever that was not enough. */
const FIRST_READ = 1024 * 1024;
const GROWTH = 4;
/** Longest front of pickles that is read, as for archives. */
const LONGEST_FRONT = 256 * 1024 * 1024;
/** Each storage begins with the number of its elements. */
const COUNT_BYTES = 8;

interface Run {
  readonly type: string;
  readonly elements: number;
  /** Of its first element. */
  start: number;
  readonly bytes: number;
}

/**
 * A file of torch.save before PyTorch 1.6 (torch/serialization.py, _legacy_save): a magic number, a version, facts on the
 * machine, the object and the keys of its storages, each a pickle, then the storages one after the other. Any other file
 * that is one pickle is read as an object without storages.
 * @throws Fault truncated, malformed, unsupported, too-large
 */
export async function openLegacy(file: ReadableFile): Promise<TensorSource> {
  const { value, runs, end } = await front(file);
  const name = basename(file.path);
  if (end > file.size) throw new Fault("truncated", `${name} ends after ${file.size} bytes, where its tensors reach to byte ${end}.`, "The file is cut off: fetch it again.");
  return {
    kind: runs === null ? "plain pickle" : "legacy pickle",
    pickles: [{ value, folder: "", prefix: "" }],
    // Storages are little-endian in this format, whatever the machine was (torch/csrc/serialization.cpp).
    isBigEndian: false,
    problemOf: (key, bytes) => {
      const run = runs?.get(key);
      if (run === undefined) return bytes === 0 ? null : `its data, storage ${clipped(key)}, is not in the file`;
      return run.bytes < bytes ? `its data has ${run.bytes} of ${bytes} bytes` : null;
    },
    isPacked: () => false,
    read: async (key, start, length) => {
      const run = runs?.get(key);
      if (run === undefined) throw new Fault("malformed", `${name} has no storage ${clipped(key)}.`, "Fetch or save the file again.");
      const counted = Buffer.from(await file.read(run.start - COUNT_BYTES, COUNT_BYTES)).readBigUInt64LE();
      if (counted !== BigInt(run.elements)) {
        throw new Fault("malformed", `Storage ${clipped(key)} of ${name} has ${counted} elements at byte ${run.start - COUNT_BYTES}, where ${run.elements} were expected.`, "The file is damaged: fetch it again.");
      }
      return file.read(run.start + start, length);
    },
  };
}

interface Front {
  readonly value: PickleValue;
  /** By key; null when the file is one pickle alone. */
  readonly runs: ReadonlyMap<string, Run> | null;
  /** Bytes of the file up to the last storage's end. */
  readonly end: number;
}

async function front(file: ReadableFile): Promise<Front> {
  const what = basename(file.path);
  for (let length = Math.min(FIRST_READ, file.size); ; length = Math.min(length * GROWTH, file.size, LONGEST_FRONT)) {
    try {
      return parse(await file.read(0, length), what);
    } catch (error) {
      if (!(error instanceof Incomplete)) throw error;
    }
    if (length === file.size) throw cutOff(what, length);
    if (length === LONGEST_FRONT) throw new Fault("too-large", `${what} begins with a pickle of more than ${LONGEST_FRONT} bytes.`, "Save the weights alone (model.state_dict()) and open that file.");
  }
}

function parse(bytes: Uint8Array, what: string): Front {
  const storages = new Map<string, Omit<Run, "start">>();
  const plain = { persistent: (id: PickleValue) => new PersistentObject(id) };
  const first = readPickle(bytes, 0, what, plain);
  if (first.value !== MAGIC) return { value: first.value, runs: null, end: first.end };
  const version = readPickle(bytes, first.end, what, plain);
  if (version.value !== PROTOCOL) throw new Fault("unsupported", `${what} is of PyTorch's file format ${String(version.value).slice(0, 20)}; there is only ${PROTOCOL}.`, "Save the file again with a released version of PyTorch.");
  const machine = readPickle(bytes, version.end, what, plain);
  const object = readPickle(bytes, machine.end, what, { persistent: (id) => persistent(id, storages) });
  const keys = readPickle(bytes, object.end, what, plain);
  if (!(keys.value instanceof PickleList)) throw malformed(what, "no list of storages after its object");
  return { value: object.value, ...placed(keys.value.items, storages, keys.end, what) };
}

/** A storage, or the class of a module that was saved with its source code. */
function persistent(id: PickleValue, storages: Map<string, Omit<Run, "start">>): PickleValue {
  const [kind, type, key, , elements] = id instanceof PickleTuple ? id.items : [];
  if (kind === "module" && type !== undefined) return type;
  if (kind !== "storage" || !(type instanceof GlobalName) || typeof elements !== "number") return new PersistentObject(id);
  const data = TYPE_OF_STORAGE.get(type.name.split(".").at(-1)!);
  if (data !== undefined) storages.set(String(key), { type: data.name, elements, bytes: elements * data.itemSize });
  return new PersistentObject(id);
}

function placed(keys: readonly PickleValue[], storages: ReadonlyMap<string, Omit<Run, "start">>, start: number, what: string): Pick<Front, "runs" | "end"> {
  const runs = new Map<string, Run>();
  let at = start;
  for (const key of keys) {
    const storage = storages.get(String(key));
    if (storage === undefined) throw malformed(what, `storage ${clipped(String(key))} in its list, which no tensor uses`);
    if (runs.has(String(key))) throw malformed(what, `storage ${clipped(String(key))} twice in its list`);
    runs.set(String(key), { ...storage, start: at + COUNT_BYTES });
    at += COUNT_BYTES + storage.bytes;
    if (!Number.isSafeInteger(at)) throw malformed(what, "storages that are larger than all files");
  }
  return { runs, end: at };
}

function malformed(what: string, has: string): Fault {
  return new Fault("malformed", `${what} is damaged: it has ${has}.`, "Fetch or save the file again.");
}
