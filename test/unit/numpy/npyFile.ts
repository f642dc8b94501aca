/** A .npy file (numpy/lib/format.py): its header as given, filled up with spaces to a multiple of 64. */
export function npy(header: string, values: Uint8Array, version = 1): Buffer {
  const prefix = version === 1 ? 10 : 12;
  const padded = `${header.padEnd(Math.ceil((header.length + prefix + 1) / 64) * 64 - prefix - 1)}\n`;
  const start = Buffer.alloc(prefix);
  start.write("\x93NUMPY", "latin1");
  start[6] = version;
  if (version === 1) start.writeUInt16LE(padded.length, 8);
  else start.writeUInt32LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded, "latin1"), values]);
}
