import { Fault } from "../../shared/fault";
import { LIST, LONGEST_NAME, TEXT, VALUE_BYTES } from "./schema";
import type { SequentialReader } from "./sequential";

/** Numbers, truth values and short texts by key; lists, and long texts, are passed over. */
export type Metadata = ReadonlyMap<string, number | boolean | string>;

/** Longest text that is kept, in bytes: names and types are short, chat templates are not. */
const LONGEST_TEXT = 1024;
/** Lists in lists; the format's own tools write none. */
const MOST_DEPTH = 4;

/** @throws Fault malformed, truncated */
export async function readMetadata(reader: SequentialReader, count: number, file: string): Promise<Metadata> {
  const metadata = new Map<string, number | boolean | string>();
  for (let index = 0; index < count; index++) {
    await reader.need(8);
    const length = reader.u64();
    if (length > LONGEST_NAME) throw malformed(reader, index, file, "too long a key");
    const key = await reader.text(length);
    await reader.need(4);
    const type = reader.u32();
    const value = await readValue(reader, type, () => malformed(reader, index, file, `a value of type ${type}`));
    if (value !== null) metadata.set(key, value);
  }
  return metadata;
}

function malformed(reader: SequentialReader, index: number, file: string, what: string): Fault {
  return new Fault("malformed", `Metadata entry ${index} of ${file} has ${what}, at byte ${reader.position}.`, "The file is damaged, or not GGUF: fetch or export it again.");
}

async function readValue(reader: SequentialReader, type: number, unknown: () => Fault): Promise<number | boolean | string | null> {
  if (type === LIST) {
    await skipList(reader, 1, unknown);
    return null;
  }
  await reader.need(8 * Number(type === TEXT) || (VALUE_BYTES[type] ?? 0));
  switch (type) {
    case TEXT: {
      const length = reader.u64();
      if (length > reader.left) throw reader.truncated();
      if (length <= LONGEST_TEXT) return reader.text(length);
      await reader.skip(length);
      return null;
    }
    case 0: return reader.u8();
    case 1: return (reader.u8() << 24) >> 24;
    case 2: return reader.u16();
    case 3: return (reader.u16() << 16) >> 16;
    case 4: return reader.u32();
    case 5: return reader.i32();
    case 6: return reader.f32();
    case 7: return reader.u8() !== 0;
    case 10: case 11: return reader.u64();
    case 12: return reader.f64();
    default: throw unknown();
  }
}

/** Numbers are passed over at once, texts one by one. */
async function skipList(reader: SequentialReader, depth: number, unknown: () => Fault): Promise<void> {
  await reader.need(12);
  const type = reader.u32(), count = reader.u64();
  const bytes = VALUE_BYTES[type];
  if (bytes !== undefined) {
    if (count * bytes > reader.left) throw reader.truncated();
    await reader.skip(count * bytes);
    return;
  }
  if ((type !== TEXT && type !== LIST) || depth > MOST_DEPTH) throw unknown();
  if (count * 8 > reader.left) throw reader.truncated();
  for (let item = 0; item < count; item++) {
    if (type === LIST) {
      await skipList(reader, depth + 1, unknown);
      continue;
    }
    await reader.need(8);
    const length = reader.u64();
    if (length > reader.left) throw reader.truncated();
    await reader.skip(length);
  }
}
