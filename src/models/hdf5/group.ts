import { Fault } from "../../shared/fault";
import type { PagedBytes } from "../pagedBytes";
import type { Message } from "./objectHeader";

/** A name in a group, and the address of its object. */
export interface Link {
  readonly name: string;
  readonly address: number;
}

const LINK_INFO = 0x02, LINK = 0x06, SYMBOL_TABLE = 0x11;
/** Objects of one file; the largest models have some 10,000 tensors. */
const MOST_LINKS = 1_000_000;
/** Nodes on the way from a tree's root to its leaves. */
const MOST_LEVELS = 32;
const NODE_HEAD = 24, ENTRY = 40, SOFT_LINK = 2;

/**
 * Hard links of a group; null for an object that is no group. Soft links are second names, and external ones lead into other
 * files: neither is followed.
 * @throws Fault malformed, unsupported
 */
export async function readLinks(file: PagedBytes, messages: readonly Message[]): Promise<readonly Link[] | null> {
  const table = messages.find(({ type }) => type === SYMBOL_TABLE);
  if (table !== undefined) return readSymbolTable(file, table.body.u64(), table.body.u64());
  const info = messages.find(({ type }) => type === LINK_INFO);
  if (info === undefined) return null;
  const { body } = info;
  body.skip(1);
  body.skip(body.u8() & 1 ? 8 : 0);
  if (Number.isFinite(body.u64())) {
    throw new Fault("unsupported", `${file.source.name} keeps a large group in HDF5's newer form, a fractal heap, which RankLens does not read.`, "Save it again with h5py's default, libver=\"earliest\", without track_order.");
  }
  return messages.filter(({ type }) => type === LINK).flatMap(({ body: link }) => readLink(link) ?? []);
}

/** A link that stands in the group's own header (IV.A.2.g). */
function readLink(body: Message["body"]): Link | null {
  body.skip(1);
  const flags = body.u8();
  const kind = flags & 8 ? body.u8() : 0;
  body.skip((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0));
  const length = [body.u8, body.u16, body.u32, body.u64][flags & 3]!.call(body);
  const name = body.text(length);
  return kind === 0 ? { name, address: body.u64() } : null;
}

async function readSymbolTable(file: PagedBytes, treeAddress: number, heapAddress: number): Promise<readonly Link[]> {
  const heap = await file.cursor(heapAddress, 32);
  if (heap.text(4) !== "HEAP") throw file.damaged("no heap of names where one should be", heapAddress);
  heap.skip(4);
  const size = heap.u64();
  heap.skip(8);
  const names = (await file.cursor(heap.u64(), size)).bytes;
  const links: Link[] = [];
  const seen = new Set<number>();
  const visit = async (address: number, level: number): Promise<void> => {
    if (seen.has(address) || level > MOST_LEVELS) throw file.damaged("a tree of names that leads back to itself", address);
    seen.add(address);
    const head = await file.cursor(address, NODE_HEAD);
    const signature = head.text(4);
    if (signature === "SNOD") {
      await addSymbols(file, address, names, links);
      return;
    }
    if (signature !== "TREE" || head.u8() !== 0) throw file.damaged("no tree of names where one should be", address);
    head.skip(1);
    const children = head.u16();
    const body = await file.cursor(address + NODE_HEAD, children * 16 + 8);
    for (let index = 0; index < children; index++) {
      body.skip(8);
      await visit(body.u64(), level + 1);
    }
  };
  await visit(treeAddress, 0);
  return links;
}

async function addSymbols(file: PagedBytes, address: number, names: Uint8Array, links: Link[]): Promise<void> {
  const head = await file.cursor(address, 8);
  head.skip(6);
  const count = head.u16();
  if (links.length + count > MOST_LINKS) throw file.damaged("more than a million objects in one group", address);
  const body = await file.cursor(address + 8, count * ENTRY);
  for (let index = 0; index < count; index++) {
    const name = body.u64(), object = body.u64(), kind = body.u32();
    body.skip(20);
    const end = name < names.length ? names.indexOf(0, name) : -1;
    if (end < 0) throw file.damaged("a name outside of its heap", address);
    if (kind !== SOFT_LINK) links.push({ name: new TextDecoder().decode(names.subarray(name, end)), address: object });
  }
}
