import type { Cursor, PagedBytes } from "../pagedBytes";

/** One message of an object's header (File Format Specification 3.0, IV.A.2). */
export interface Message {
  readonly type: number;
  /** Whether the data stand elsewhere, as those of a committed datatype do. */
  readonly shared: boolean;
  readonly body: Cursor;
}

/** Messages of one object; HDF5 itself splits a header long before. */
const MOST_MESSAGES = 65_536;
const MOST_BLOCKS = 4096;
/** Largest block of messages; what does not fit into 64 KiB, HDF5 stores elsewhere. */
const LARGEST_BLOCK = 16 * 1024 * 1024;
const CONTINUATION = 0x10;
const SHARED = 0x02;

/** All messages of the object whose header begins at `address`. @throws Fault malformed, unsupported */
export async function readMessages(file: PagedBytes, address: number): Promise<readonly Message[]> {
  const first = await file.cursor(address, 16);
  return first.bytes[0] === 1 ? readVersion1(file, address, first) : readVersion2(file, address);
}

interface Block {
  readonly address: number;
  readonly length: number;
}

async function readVersion1(file: PagedBytes, address: number, head: Cursor): Promise<readonly Message[]> {
  head.skip(8);
  const messages: Message[] = [];
  const blocks: Block[] = [{ address: address + 16, length: head.u32() }];
  for (let index = 0; index < blocks.length; index++) {
    const cursor = await blockAt(file, blocks, index, address);
    while (cursor.left >= 8) {
      const type = cursor.u16(), length = cursor.u16(), flags = cursor.u8();
      cursor.skip(3);
      add(file, address, messages, blocks, { type, shared: (flags & SHARED) !== 0, body: await bodyOf(file, blocks[index]!, cursor, length) });
      cursor.skip(length);
    }
  }
  return messages;
}

async function readVersion2(file: PagedBytes, address: number): Promise<readonly Message[]> {
  const head = await file.cursor(address, Math.min(64, file.source.size - file.base - address));
  if (head.text(4) !== "OHDR" || head.u8() !== 2) throw file.damaged("no object where one should be", address);
  const flags = head.u8();
  head.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0));
  const length = [head.u8, head.u16, head.u32, head.u64][flags & 3]!.call(head);
  const messages: Message[] = [];
  const blocks: Block[] = [{ address: address + head.at, length }];
  for (let index = 0; index < blocks.length; index++) {
    const cursor = await blockAt(file, blocks, index, address);
    if (index > 0 && cursor.text(4) !== "OCHK") throw file.damaged("no continuation of an object where one should be", blocks[index]!.address);
    // Continuation blocks end with a checksum; the first block's length leaves it out.
    const end = index > 0 ? 4 : 0, entry = 4 + (flags & 4 ? 2 : 0);
    while (cursor.left - end >= entry) {
      const type = cursor.u8(), size = cursor.u16(), messageFlags = cursor.u8();
      if (flags & 4) cursor.skip(2);
      add(file, address, messages, blocks, { type, shared: (messageFlags & SHARED) !== 0, body: await bodyOf(file, blocks[index]!, cursor, size) });
      cursor.skip(size);
    }
  }
  return messages;
}

async function blockAt(file: PagedBytes, blocks: readonly Block[], index: number, object: number): Promise<Cursor> {
  const { address, length } = blocks[index]!;
  if (length > LARGEST_BLOCK || blocks.length > MOST_BLOCKS) throw file.damaged("too large an object header", object);
  return file.cursor(address, length);
}

async function bodyOf(file: PagedBytes, block: Block, cursor: Cursor, length: number): Promise<Cursor> {
  if (length > cursor.left) throw file.damaged("a message that passes the end of its header", block.address);
  return file.cursor(block.address + cursor.at, length);
}

function add(file: PagedBytes, address: number, messages: Message[], blocks: Block[], message: Message): void {
  if (messages.length >= MOST_MESSAGES) throw file.damaged("too many messages in an object header", address);
  if (message.type !== CONTINUATION) messages.push(message);
  else blocks.push({ address: message.body.u64(), length: message.body.u64() });
}
