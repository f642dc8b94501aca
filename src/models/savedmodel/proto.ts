/** One field of a protobuf message: a number, or bytes. */
export interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** Thrown for bytes that are no message; callers say where they stood. */
export class NotAMessage extends Error {
  override readonly name = "NotAMessage";
}

/** The number of up to 64 bits at `at`, Infinity beyond 2⁵³, and the place after it. @throws NotAMessage */
export function varint(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  let value = 0, scale = 1;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return [Number.isSafeInteger(value) ? value : Infinity, at + index + 1];
  }
  throw new NotAMessage("a number without an end");
}

/** Fields of a message (protobuf.dev/programming-guides/encoding); groups, which no writer of today makes, are refused. @throws NotAMessage */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  for (let at = 0; at < bytes.length;) {
    const [tag, body] = varint(bytes, at);
    const number = Math.floor(tag / 8), wire = tag % 8;
    if (wire === 0) {
      const [value, next] = varint(bytes, body);
      yield { number, value, bytes: NO_BYTES };
      at = next;
      continue;
    }
    const [length, start] = wire === 2 ? varint(bytes, body) : [wire === 1 ? 8 : wire === 5 ? 4 : Infinity, body];
    if (!(start + length <= bytes.length)) throw new NotAMessage("a field that passes the end");
    yield { number, value: 0, bytes: bytes.subarray(start, start + length) };
    at = start + length;
  }
}
