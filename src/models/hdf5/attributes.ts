import type { Cursor, PagedBytes } from "../pagedBytes";
import { readDataspace, readDatatype, type Datatype } from "./datatype";
import type { Message } from "./objectHeader";

const ATTRIBUTE = 0x0c;
const SHARED_DATATYPE = 0x01;
/** Texts of one attribute: names of layers. Each is looked for in a heap. */
const MOST_TEXTS = 10_000;
/** Longest text, in bytes: a model's config is some megabytes. */
const LONGEST_TEXT = 256 * 1024 * 1024;

/**
 * The texts of an object's attributes by name; all others are passed over.
 * @param wanted whether an attribute of that name is read
 * @throws Fault malformed
 */
export async function readTexts(file: PagedBytes, messages: readonly Message[], wanted: (name: string) => boolean): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const { type, shared, body } of messages) {
    if (type !== ATTRIBUTE || shared) continue;
    const head = readHead(body);
    if (head === null || !wanted(head.name)) continue;
    const texts = await textsOf(file, head);
    if (texts !== null) found.set(head.name, texts);
  }
  return found;
}

interface AttributeHead {
  readonly name: string;
  readonly datatype: Datatype;
  readonly count: number;
  readonly data: Cursor;
}

/** Versions 1 to 3: version 1 pads each part to 8 bytes, version 3 says how its name is encoded. */
function readHead(cursor: Cursor): AttributeHead | null {
  const version = cursor.u8(), flags = cursor.u8();
  const sizes = [cursor.u16(), cursor.u16(), cursor.u16()] as const;
  if (version < 1 || version > 3 || (version > 1 && (flags & SHARED_DATATYPE) !== 0)) return null;
  if (version === 3) cursor.skip(1);
  const part = (size: number) => {
    const start = cursor.at;
    return { start, next: start + (version === 1 ? Math.ceil(size / 8) * 8 : size) };
  };
  const name = part(sizes[0]);
  const text = cursor.text(sizes[0]);
  cursor.at = name.next;
  const type = part(sizes[1]);
  const datatype = readDatatype(cursor);
  cursor.at = type.next;
  const space = part(sizes[2]);
  const shape = readDataspace(cursor);
  cursor.at = space.next;
  if (shape === null) return null;
  return { name: text, datatype, count: shape.reduce((product, size) => product * size, 1), data: cursor };
}

async function textsOf(file: PagedBytes, { datatype, count, data }: AttributeHead): Promise<readonly string[] | null> {
  if (count > MOST_TEXTS) return null;
  const texts: string[] = [];
  if (datatype.kind === "text") {
    for (let index = 0; index < count; index++) texts.push(data.text(datatype.size));
    return texts;
  }
  if (datatype.kind !== "variable-text") return null;
  for (let index = 0; index < count; index++) {
    const length = data.u32(), address = data.u64(), object = data.u32();
    texts.push(length === 0 ? "" : await heapText(file, address, object, length));
  }
  return texts;
}

const COLLECTION_HEAD = 16, OBJECT_HEAD = 16;

/** Text number `index` of the heap collection at `address` (III.E). */
async function heapText(file: PagedBytes, address: number, index: number, length: number): Promise<string> {
  const head = await file.cursor(address, COLLECTION_HEAD);
  if (head.text(4) !== "GCOL") throw file.damaged("no heap where one should be", address);
  head.skip(4);
  const size = head.u64();
  for (let at = COLLECTION_HEAD; at + OBJECT_HEAD <= size;) {
    const object = await file.cursor(address + at, OBJECT_HEAD);
    const number = object.u16();
    object.skip(6);
    const bytes = object.u64();
    if (number === index) {
      if (length > bytes || length > LONGEST_TEXT) break;
      return (await file.cursor(address + at + OBJECT_HEAD, length)).text(length);
    }
    // Object 0 is the free space at the end.
    if (number === 0) break;
    at += OBJECT_HEAD + Math.ceil(bytes / 8) * 8;
  }
  throw file.damaged("a heap without the text that is looked for", address);
}
