import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { viewIn, type Layout } from "../../../src/models/layout";
import { reshape, rowMajor, transpose } from "../../../src/models/onnx/strides";

/** Stored position of every element of a layout, in the layout's own row-major order. */
function positions({ shape, strides }: Layout): number[] {
  return shape.reduce<number[]>((all, size, axis) => all.flatMap((base) => Array.from({ length: size }, (_, i) => base + i * strides[axis]!)), [0]);
}

const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
const layouts = sizes.chain((shape) => fc.shuffledSubarray(shape.map((_, axis) => axis), { minLength: shape.length }).map((order) => transpose(rowMajor(shape), order)!));

describe("a layout", () => {
  it("names the elements of a transposed tensor where they are stored", () => {
    expect(positions(transpose(rowMajor([2, 3]), [1, 0])!)).toEqual([0, 3, 1, 4, 2, 5]);
    expect(positions(transpose(rowMajor([2, 3]), [])!)).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it("refuses a permutation that is none", () => {
    for (const wrong of [[0], [0, 0], [0, 2], [-1, 0], [0, 1, 2]]) expect(transpose(rowMajor([2, 3]), wrong)).toBeNull();
  });

  it("keeps the order of elements under every reshape that it accepts", () => {
    fc.assert(fc.property(layouts, sizes, (layout, factors) => {
      const total = layout.shape.reduce((product, size) => product * size, 1);
      const part = factors.reduce((product, size) => product * size, 1);
      fc.pre(total % part === 0);
      const target = [...factors, total / part];
      const reshaped = reshape(layout, target);
      if (reshaped !== null) {
        expect(reshaped.shape).toEqual(target);
        expect(positions(reshaped)).toEqual(positions(layout));
      }
    }), { seed: 1, numRuns: 2000 });
  });

  it("accepts every reshape of a tensor as it is stored, and undoes its own", () => {
    expect(reshape(rowMajor([2, 3]), [3, 2])).toEqual(rowMajor([3, 2]));
    const swapped = transpose(rowMajor([4, 6]), [1, 0])!;
    expect(reshape(reshape(swapped, [2, 3, 4])!, [6, 4])).toEqual(swapped);
    expect(reshape(swapped, [24])).toBeNull();
    expect(reshape(swapped, [6, 5])).toBeNull();
  });

  it("lays a view of the value over the stored tensor, element by element", () => {
    fc.assert(fc.property(layouts, fc.nat(), (layout, pick) => {
      const plain = rowMajor(layout.shape);
      const split = pick % (layout.shape.length + 1);
      const axes = layout.shape.map((size, axis) => ({ size, stride: plain.strides[axis]! }));
      const merged = { size: layout.shape.slice(split).reduce((product, size) => product * size, 1), stride: 1 };
      const view = {
        part: null, unfolding: "none" as const, rows: axes.slice(0, split), columns: [merged], offset: 0, input: null, recurrent: false, breakEvenRank: null,
      };
      const moved = viewIn(layout, view)!;
      const all = [...moved.rows, ...moved.columns];
      expect(positions({ shape: all.map(({ size }) => size), strides: all.map(({ stride }) => stride) })).toEqual(positions(layout));
    }), { seed: 2, numRuns: 2000 });
  });

  it("lays a part of an axis over the stored tensor", () => {
    const layout = transpose(rowMajor([4, 6]), [1, 0])!;
    const third = { part: "k", unfolding: "none" as const, rows: [{ size: 2, stride: 4 }], columns: [{ size: 4, stride: 1 }], offset: 8, input: null, recurrent: false, breakEvenRank: null };
    expect(viewIn(layout, third)).toMatchObject({ rows: [{ size: 2, stride: 1 }], columns: [{ size: 4, stride: 6 }], offset: 2 });
  });
});
