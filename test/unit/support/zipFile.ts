import { crc32, deflateRawSync } from "node:zlib";

/** A file in an archive; what is not given is as a writer would have it. */
export interface Packed {
  readonly name: string;
  readonly content: Uint8Array;
  readonly isDeflated?: boolean;
  /** What the headers claim, where that is not the truth. */
  readonly claims?: { readonly size?: number; readonly packedSize?: number; readonly method?: number; readonly flags?: number; readonly offset?: number };
  /** Whether its sizes and place are in a zip64 field. */
  readonly isZip64?: boolean;
}

const UTF8_NAMES = 0x800, ZIP64 = 0xffffffff, MANY = 0xffff;

/** A zip archive (PKWARE, APPNOTE.TXT 6.3), byte by byte. */
export function zipFile(files: readonly Packed[], { isZip64 = files.length >= MANY, comment = "" } = {}): Buffer {
  const parts: Buffer[] = [], directory: Buffer[] = [];
  let at = 0;
  for (const { name, content, isDeflated = false, claims = {}, isZip64: hasZip64 = false } of files) {
    const packed = isDeflated ? deflateRawSync(content) : content;
    const method = claims.method ?? (isDeflated ? 8 : 0), flags = (claims.flags ?? 0) | UTF8_NAMES;
    const size = claims.size ?? content.length, packedSize = claims.packedSize ?? packed.length, offset = claims.offset ?? at;
    const extra = hasZip64 ? zip64Field(size, packedSize, offset) : Buffer.alloc(0);
    const shared = Buffer.concat([u16(45), u16(flags), u16(method), u32(0), u32(crc32(content)), u32(hasZip64 ? ZIP64 : packedSize), u32(hasZip64 ? ZIP64 : size), u16(Buffer.byteLength(name))]);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), shared, u16(0), Buffer.from(name), packed]);
    directory.push(Buffer.concat([
      Buffer.from("PK\x01\x02", "latin1"), u16(45), shared, u16(extra.length), u16(0), u16(0), u16(0), u32(0), u32(hasZip64 ? ZIP64 : offset), Buffer.from(name), extra,
    ]));
    parts.push(local);
    at += local.length;
  }
  const listed = Buffer.concat(directory);
  const end64 = isZip64 ? Buffer.concat([
    Buffer.from("PK\x06\x06", "latin1"), u64(44), u16(45), u16(45), u32(0), u32(0), u64(files.length), u64(files.length), u64(listed.length), u64(at),
    Buffer.from("PK\x06\x07", "latin1"), u32(0), u64(at + listed.length), u32(1),
  ]) : Buffer.alloc(0);
  const count = u16(isZip64 ? MANY : files.length);
  const end = Buffer.concat([Buffer.from("PK\x05\x06", "latin1"), u16(0), u16(0), count, count, u32(isZip64 ? ZIP64 : listed.length), u32(isZip64 ? ZIP64 : at), u16(comment.length), Buffer.from(comment)]);
  return Buffer.concat([...parts, listed, end64, end]);
}

function zip64Field(size: number, packedSize: number, offset: number): Buffer {
  return Buffer.concat([u16(1), u16(24), u64(size), u64(packedSize), u64(offset)]);
}

function u16(value: number): Buffer {
  const out = Buffer.alloc(2);
  out.writeUInt16LE(value);
  return out;
}

function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function u64(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(value));
  return out;
}
