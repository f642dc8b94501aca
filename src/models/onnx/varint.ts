/** Seven bits a byte, 64 bits in all. */
const LONGEST = 10;

/** A varint as two halves of 32 bits, and the position after it. */
export interface Varint {
  readonly low: number;
  readonly high: number;
  readonly end: number;
}

/**
 * The varint at `at`, which must end before `limit`.
 * @returns "cut" when `limit` comes first, "long" beyond ten bytes
 */
export function varintAt(bytes: Uint8Array, at: number, limit: number): Varint | "cut" | "long" {
  let low = 0, high = 0;
  for (let i = 0; i < LONGEST; i++) {
    if (at + i >= limit) return "cut";
    const byte = bytes[at + i]!;
    const part = byte & 0x7f;
    if (i < 4) low |= part << (7 * i);
    else if (i === 4) {
      low |= part << 28;
      high |= part >>> 4;
    } else high |= part << (7 * i - 32);
    if (byte < 0x80) return { low: low >>> 0, high: high >>> 0, end: at + i + 1 };
  }
  return "long";
}

/** Two's complement of 64 bits; exact within ±2⁵³. */
function signed64(low: number, high: number): number {
  return (high | 0) * 2 ** 32 + low;
}

/** An int64 as a double: what no double holds exactly (a Slice's end of 2⁶³ − 1) is clamped to ±(2⁵³ − 1). */
export function clampedInt64(low: number, high: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, signed64(low, high)));
}
