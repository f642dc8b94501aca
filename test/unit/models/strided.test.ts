import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRowMajor, spanOf, swapBytes } from "../../../src/models/strided";

/** Element by element, from the definition of a stride. */
function naive(bytes: Uint8Array, shape: readonly number[], strides: readonly number[], offset: number, itemSize: number): number[] {
  const positions = shape.reduce<number[]>((all, size, axis) => all.flatMap((base) => Array.from({ length: size }, (_, i) => base + i * strides[axis]!)), [offset]);
  return positions.flatMap((position) => [...bytes.subarray(position * itemSize, (position + 1) * itemSize)]);
}

describe("a strided tensor", () => {
  it("is read in row-major order, whatever its strides", async () => {
    const axes = fc.array(fc.record({ size: fc.integer({ min: 0, max: 4 }), stride: fc.integer({ min: 0, max: 9 }) }), { maxLength: 5 });
    await fc.assert(fc.asyncProperty(axes, fc.nat(5), fc.constantFrom(1, 2, 4, 8, 16), async (list, offset, itemSize) => {
      const shape = list.map(({ size }) => size), strides = list.map(({ stride }) => stride);
      const bytes = Uint8Array.from({ length: (offset + spanOf({ shape, strides })) * itemSize }, (_, index) => index * 7);
      const read = async (start: number, length: number): Promise<Uint8Array> => {
        expect(start + length).toBeLessThanOrEqual(bytes.length);
        return bytes.slice(start, start + length);
      };
      expect([...await readRowMajor({ shape, strides, offset, itemSize }, read)]).toEqual(naive(bytes, shape, strides, offset, itemSize));
    }), { numRuns: 1000 });
  });

  it("whose rows lie far apart is read in pieces of bounded size", async () => {
    const stride = 10_000_000;
    let longest = 0;
    const read = async (start: number, length: number): Promise<Uint8Array> => {
      longest = Math.max(longest, length);
      return new Uint8Array(length).fill(start / 4 / stride);
    };
    const bytes = await readRowMajor({ shape: [30, 4], strides: [stride, 1], offset: 0, itemSize: 4 }, read);
    expect([...bytes]).toEqual(Array.from({ length: 480 }, (_, index) => Math.floor(index / 16)));
    expect(longest).toBeLessThanOrEqual(2 ** 26);
  });

  it("of the other byte order is swapped by elements", () => {
    const swapped = (itemSize: number): number[] => [...swapBytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), itemSize)];
    expect(swapped(1)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(swapped(2)).toEqual([2, 1, 4, 3, 6, 5, 8, 7]);
    expect(swapped(4)).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
    expect(swapped(8)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  });
});
