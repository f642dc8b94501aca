/** Protobuf's wire format, written (protobuf.dev/programming-guides/encoding). */

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

export function integerField(number: number, value: number): Uint8Array {
  return joined([varint(number * 8), varint(value)]);
}

/** The tag and length before a payload of `length` bytes. */
export function header(number: number, length: number): Uint8Array {
  return joined([varint(number * 8 + 2), varint(length)]);
}

export function bytesField(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return joined([header(number, parts.reduce((sum, part) => sum + part.length, 0)), ...parts]);
}

export function textField(number: number, text: string): Uint8Array {
  return bytesField(number, new TextEncoder().encode(text));
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
