import { Fault } from "../../shared/fault";
import { readTexts } from "./attributes";
import { PagedBytes, type ByteSource } from "../pagedBytes";
import { readDataspace, readDatatype, type Datatype } from "./datatype";
import { readLinks } from "./group";
import { readFilters, readLayout, type Filter, type Layout } from "./layout";
import { readMessages, type Message } from "./objectHeader";

/** A dataset as the file describes it. */
export interface Dataset {
  /** Names of its groups and its own: ["model_weights", "dense", "kernel:0"]. */
  readonly path: readonly string[];
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  readonly layout: Layout;
  readonly filters: readonly Filter[] | null;
  /** Texts of its attributes. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

export interface Hdf5File {
  readonly bytes: PagedBytes;
  /** In the order of their names, groups before what follows them. */
  readonly datasets: readonly Dataset[];
  /** Texts of the attributes of groups, by their paths joined with "/"; "" is the root. */
  readonly attributes: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
}

const SIGNATURE = "\x89HDF\r\n\x1a\n";
/** The superblock may stand behind a user's own bytes: at 0, 512, 1024, … (II). */
const FIRST_PLACE = 512;
const LAST_PLACE = 1024 * 1024;
const DATASPACE = 0x01, DATATYPE = 0x03;
const MOST_OBJECTS = 1_000_000;
const MOST_DEPTH = 64;

/**
 * Reads the structure of an HDF5 file: groups, datasets, texts of attributes; no values. What h5py writes unless it is told
 * otherwise is read, and most of the newer form. Source: HDF5 File Format Specification, version 3.0.
 *
 * Read by our own code and not by the HDF5 library, whose build for JavaScript (h5wasm) was tried: about one in some thousand
 * random changes to a small file makes it loop for ever inside one call, which nothing in the same thread can end; it
 * also needs a tensor twice in 2 GiB of memory, and follows links into other files.
 * @param wanted whether an attribute of that name is read, where a group has it
 * @throws Fault malformed, truncated, unsupported, too-large
 */
export async function openHdf5(source: ByteSource, wanted: (attribute: string) => boolean): Promise<Hdf5File> {
  const { bytes, root } = await readSuperblock(source);
  const datasets: Dataset[] = [];
  const attributes = new Map<string, ReadonlyMap<string, readonly string[]>>();
  // An object that two names lead to is listed once; a group inside itself ends here too.
  const seen = new Set<number>();
  const visit = async (address: number, path: readonly string[]): Promise<void> => {
    if (seen.has(address) || path.length > MOST_DEPTH) return;
    seen.add(address);
    if (seen.size > MOST_OBJECTS) throw new Fault("too-large", `${source.name} holds more than ${MOST_OBJECTS} objects.`, "Check what the file is.");
    const messages = await readMessages(bytes, address);
    const links = await readLinks(bytes, messages);
    if (links === null) {
      const dataset = await readDataset(bytes, messages, path);
      if (dataset !== null) datasets.push(dataset);
      return;
    }
    attributes.set(path.join("/"), await readTexts(bytes, messages, wanted));
    for (const link of links) await visit(link.address, [...path, link.name]);
  };
  await visit(root, []);
  return { bytes, datasets, attributes };
}

async function readSuperblock(source: ByteSource): Promise<{ bytes: PagedBytes; root: number }> {
  const start = await placeOfSuperblock(source);
  const bytes = new PagedBytes(source, start);
  const cursor = await bytes.cursor(0, Math.min(256, source.size - start));
  cursor.skip(8);
  const version = cursor.u8();
  if (version > 3) throw new Fault("unsupported", `${source.name} is HDF5 with a superblock of version ${version}.`, "Versions 0 to 3 are read: save it again with h5py's default, libver=\"earliest\".");
  if (version < 2) cursor.skip(4);
  const offsetBytes = cursor.u8(), lengthBytes = cursor.u8();
  if (offsetBytes !== 8 || lengthBytes !== 8) throw new Fault("unsupported", `${source.name} is HDF5 with addresses of ${offsetBytes} bytes and lengths of ${lengthBytes}.`, "Only 8 and 8 are read, which is what h5py writes.");
  cursor.skip(version < 2 ? (version === 0 ? 9 : 13) : 1);
  const base = cursor.u64();
  if (base !== start && base !== 0) throw bytes.damaged("a base address that is not its own place", 0);
  cursor.skip(8);
  const end = cursor.u64();
  if (end > source.size) {
    throw new Fault("truncated", `${source.name} ends at byte ${source.size}, where ${Number.isFinite(end) ? end : "many more"} bytes were written.`, "The download is not complete: fetch the file again.");
  }
  // Versions 0 and 1: a driver's block, then the root group's entry, whose name comes first.
  cursor.skip(version < 2 ? 16 : 0);
  return { bytes: base === 0 ? new PagedBytes(source, 0) : bytes, root: cursor.u64() };
}

async function placeOfSuperblock(source: ByteSource): Promise<number> {
  for (let place = 0; place + 64 <= source.size && place <= LAST_PLACE; place = place === 0 ? FIRST_PLACE : place * 2) {
    if (Buffer.from(await source.read(place, 8)).toString("latin1") === SIGNATURE) return place;
  }
  const first = Buffer.from(await source.read(0, Math.min(source.size, 40))).toString("latin1");
  if (first.startsWith("version https://git-lfs.github.com/")) throw new Fault("malformed", `${source.name} is a Git LFS pointer, not the model itself.`, "Run \"git lfs pull\" in its repository.");
  if (SIGNATURE.startsWith(first.slice(0, 8))) throw new Fault("truncated", `${source.name} ends at byte ${source.size}, inside its header.`, "The download is not complete: fetch the file again.");
  throw new Fault("malformed", `${source.name} is not an HDF5 file.`, "Check what the file is, and its ending.");
}

/** @returns null for an object that is no dataset, as a committed datatype */
async function readDataset(bytes: PagedBytes, messages: readonly Message[], path: readonly string[]): Promise<Dataset | null> {
  const space = messages.find(({ type }) => type === DATASPACE), type = messages.find((message) => message.type === DATATYPE);
  if (space === undefined || type === undefined) return null;
  return {
    path,
    shape: readDataspace(space.body) ?? [0],
    datatype: type.shared ? { kind: "other", what: "values of a committed type", size: 0 } : readDatatype(type.body),
    layout: readLayout(messages),
    filters: readFilters(messages),
    attributes: await readTexts(bytes, messages, (name) => name === "dtype"),
  };
}
