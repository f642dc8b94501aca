import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, epsilonOf } from "../../../src/models/dtypes";

const bytes = (...values: readonly number[]) => Uint8Array.from(values);
const words = (...values: readonly number[]) => new Uint8Array(Uint16Array.from(values).buffer);
const decoded = (dtype: string, stored: Uint8Array, count: number) => [...decode(dtype, stored, count)];

/** A binary float of any format from its definition: (−1)^s · 2^(e − bias) · 1.m, and its denormals. */
function defined(code: number, exponentBits: number, mantissaBits: number, bias: number): number {
  const sign = (code >> (exponentBits + mantissaBits)) & 1 ? -1 : 1;
  const exponent = (code >> mantissaBits) & (2 ** exponentBits - 1), mantissa = code & (2 ** mantissaBits - 1);
  return exponent === 0 ? sign * mantissa * 2 ** (1 - bias - mantissaBits) : sign * (2 ** mantissaBits + mantissa) * 2 ** (exponent - bias - mantissaBits);
}
const upTo = (count: number) => Array.from({ length: count }, (_, code) => code);

describe("floats of 16 bits", () => {
  it("float16 has every value of IEEE binary16", () => {
    const all = decode("float16", words(...upTo(65_536)), 65_536);
    upTo(65_536).forEach((code) => {
      const isSpecial = ((code >> 10) & 31) === 31;
      const expected = !isSpecial ? defined(code, 5, 10, 15) : (code & 1023) !== 0 ? NaN : code < 32_768 ? Infinity : -Infinity;
      if (!Object.is(all[code], expected)) throw new Error(`0x${code.toString(16)}: ${all[code]}, not ${expected}`);
    });
    expect([all[0x3c00], all[0xc000], all[0x7bff], all[1], all[0x8000]]).toEqual([1, -2, 65_504, 2 ** -24, -0]);
  });

  it("bfloat16 is the upper half of a float32, whatever it holds", () => {
    const values = decode("bfloat16", words(...upTo(65_536)), 65_536);
    expect([...new Uint32Array(values.buffer)]).toEqual(upTo(65_536).map((code) => (code << 16) >>> 0));
    expect(decoded("bfloat16", words(0x3f80, 0xc000, 0x7f80, 0x0001, 0xff80), 5)).toEqual([1, -2, Infinity, 2 ** -133, -Infinity]);
    expect(decoded("bfloat16", words(0x7fc0), 1)).toEqual([NaN]);
  });
});

describe("floats of 8 and 4 bits", () => {
  // Largest, smallest and special values: Micikevicius et al. 2022, table 1; ONNX, "Float stored in 8 bits".
  it.each([
    ["float8_e4m3fn", 4, 3, 7, { 0x7e: 448, 0xfe: -448, 0x7f: NaN, 0xff: NaN, 0x01: 2 ** -9, 0x38: 1, 0x80: -0 }],
    ["float8_e4m3fnuz", 4, 3, 8, { 0x7f: 240, 0xff: -240, 0x80: NaN, 0x01: 2 ** -10, 0x40: 1 }],
    ["float8_e5m2", 5, 2, 15, { 0x7b: 57_344, 0x7c: Infinity, 0xfc: -Infinity, 0x7d: NaN, 0x7f: NaN, 0xfe: NaN, 0x01: 2 ** -16, 0x3c: 1 }],
    ["float8_e5m2fnuz", 5, 2, 16, { 0x7f: 57_344, 0xff: -57_344, 0x80: NaN, 0x01: 2 ** -17, 0x40: 1 }],
  ] as const)("%s has every value of its definition", (dtype, exponentBits, mantissaBits, bias, special) => {
    const all = decoded(dtype, bytes(...upTo(256)), 256);
    for (const [code, value] of Object.entries(special)) expect([code, all[Number(code)]]).toEqual([code, value]);
    all.forEach((value, code) => {
      if (Number.isFinite(value)) expect(value).toBe(defined(code, exponentBits, mantissaBits, bias));
    });
    expect(all.filter(Number.isNaN).length).toBe(Object.values(special).filter(Number.isNaN).length + (dtype === "float8_e5m2" ? 3 : 0));
  });

  it("float8_e8m0 is a power of two, or NaN", () => {
    expect(decoded("float8_e8m0", bytes(0, 1, 126, 127, 128, 254, 255), 7)).toEqual([2 ** -127, 2 ** -126, 0.5, 1, 2, 2 ** 127, NaN]);
  });

  it("float4_e2m1 packs two in a byte, the first in the low half", () => {
    expect(decoded("float4_e2m1", bytes(0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe), 16)).toEqual([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6]);
  });
});

describe("integers", () => {
  it.each([
    ["int8", bytes(0, 1, 127, 128, 255), [0, 1, 127, -128, -1]],
    ["uint8", bytes(0, 1, 127, 128, 255), [0, 1, 127, 128, 255]],
    ["int16", words(0, 32_767, 32_768, 65_535), [0, 32_767, -32_768, -1]],
    ["uint16", words(0, 32_767, 32_768, 65_535), [0, 32_767, 32_768, 65_535]],
    ["int32", new Uint8Array(Int32Array.of(2 ** 24 + 1, -(2 ** 31)).buffer), [2 ** 24 + 1, -(2 ** 31)]],
    ["uint32", new Uint8Array(Uint32Array.of(2 ** 24 + 1, 2 ** 32 - 1).buffer), [2 ** 24 + 1, 2 ** 32 - 1]],
    ["int64", new Uint8Array(BigInt64Array.of(2n ** 53n, -1n, -(2n ** 63n)).buffer), [2 ** 53, -1, -(2 ** 63)]],
    ["uint64", new Uint8Array(BigUint64Array.of(2n ** 53n, 2n ** 64n - 1n).buffer), [2 ** 53, 2 ** 64]],
    ["bool", bytes(0, 1, 2), [0, 1, 1]],
  ])("%s keep their values", (dtype, stored, values) => {
    expect(decoded(dtype, stored, values.length)).toEqual(values);
  });

  it("of 4 bits pack two in a byte, the first in the low half; the last byte may be half used", () => {
    expect(decoded("uint4", bytes(0x21, 0xf0, 0x07), 5)).toEqual([1, 2, 0, 15, 7]);
    expect(decoded("int4", bytes(0x21, 0xf0, 0x08), 5)).toEqual([1, 2, 0, -1, -8]);
    expect(decoded("uint2", bytes(0b11_10_01_00, 0b10), 5)).toEqual([0, 1, 2, 3, 2]);
    expect(decoded("int2", bytes(0b11_10_01_00, 0b10), 5)).toEqual([0, 1, -2, -1, -2]);
  });
});

describe("floats of 32 and 64 bits", () => {
  it("keep every bit, at any place in memory", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 80 }), fc.integer({ min: 0, max: 9 }), (stored, offset) => {
      const moved = new Uint8Array(stored.length + offset);
      moved.set(stored, offset);
      for (const [dtype, width] of [["float32", 4], ["float64", 8]] as const) {
        const count = Math.floor(stored.length / width);
        const values = decode(dtype, moved.subarray(offset), count);
        expect(Buffer.from(values.buffer, values.byteOffset, values.byteLength)).toEqual(Buffer.from(stored.buffer, 0, count * width));
      }
    }), { seed: 1 });
  });

  it("are a view of the bytes where these are aligned", () => {
    const stored = new Uint8Array(16);
    expect(decode("float32", stored, 4).buffer).toBe(stored.buffer);
    expect(decode("float64", stored.subarray(8), 1).buffer).toBe(stored.buffer);
    expect(decode("float32", stored.subarray(1), 3).buffer).not.toBe(stored.buffer);
  });
});

it("Nothing is decoded from too few bytes, or of an unknown type", () => {
  expect(() => decode("float32", bytes(0, 0, 0), 1)).toThrow(/4 bytes/);
  expect(() => decode("int4", bytes(0), 3)).toThrow(/2 bytes/);
  expect(() => decode("toString", bytes(0), 1)).toThrow(/no type/);
  expect(decode("float16", bytes(), 0).length).toBe(0);
});

describe("the rounding unit", () => {
  it.each([["float64", 2.2e-16], ["float32", 1.2e-7], ["float16", 9.8e-4], ["bfloat16", 7.8e-3], ["float8_e4m3fn", 0.125], ["float8_e5m2", 0.25], ["int8", 7.8e-3], ["uint8", 7.8e-3], ["int4", 0.125], ["int16", 3.1e-5], ["int32", 1.2e-7]])(
    "of %s is %d", (dtype, epsilon) => { expect(epsilonOf(dtype) / epsilon).toBeCloseTo(1, 1); });

  it.each(["float16", "bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"])("of %s is the step after 1", (dtype) => {
    const stored = dtype.includes("16") ? words(...upTo(32_768)) : bytes(...upTo(128));
    const values = decoded(dtype, stored, dtype.includes("16") ? 32_768 : 128);
    expect(values[values.indexOf(1) + 1]! - 1).toBe(epsilonOf(dtype));
  });
});
