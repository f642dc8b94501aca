import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeValues, isWritable } from "../../../src/factorize/store";
import { decode } from "../../../src/models/dtypes";

const stored = (dtype: string, ...values: number[]): number[] => [...decode(dtype, encodeValues(dtype, Float64Array.from(values)), values.length)];

describe("factors are stored in the type of their weight", () => {
  it.each([["float16", 2 ** 16], ["bfloat16", 2 ** 16]] as const)("every finite number of %s comes back as itself", (dtype, codes) => {
    const all = decode(dtype, new Uint8Array(Uint16Array.from({ length: codes }, (_, code) => code).buffer), codes);
    const finite = [...all].filter(Number.isFinite);
    expect(stored(dtype, ...finite)).toEqual(finite);
  });

  it.each([["float16", 2 ** -11], ["bfloat16", 2 ** -8], ["float32", 2 ** -24]] as const)("others are rounded to the nearest of %s", (dtype, half) => {
    fc.assert(fc.property(fc.double({ min: 1e-3, max: 1e4, noNaN: true }), (value) => {
      expect(Math.abs(stored(dtype, value)[0]! - value)).toBeLessThanOrEqual(half * value);
      expect(stored(dtype, -value)[0]).toBe(-stored(dtype, value)[0]!);
    }));
  });

  it("ties go to the even neighbour, and what is too large is infinite", () => {
    expect(stored("float16", 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 65519, 65520)).toEqual([1, 1 + 2 ** -9, 0, 65504, Infinity]);
    expect(stored("bfloat16", 1 + 2 ** -8, 1 + 3 * 2 ** -8)).toEqual([1, 1 + 2 ** -6]);
  });

  it("quantized types are refused", () => {
    expect(["float64", "float32", "int8", "float8_e4m3fn", "toString"].map(isWritable)).toEqual([true, true, false, false, false]);
  });
});
