import { describe, expect, it } from "vitest";
import { readingOf, rowSourceOf } from "../../src/engine/rowReading";
import type { Layer, Model } from "../../src/models/model";
import { viewsOf } from "../../src/models/views";

/** A model of one large tensor, each of whose stored values is its place in the file, modulo a prime that float32 holds. */
function modelOf(shape: readonly number[], strides: readonly number[] | null, dtype = "float32", broken = -1): Model & { readonly layer: Layer } {
  const layer: Layer = { tensor: { name: "w", dtype, shape }, ...viewsOf(shape, shape.length === 3 ? { kind: "expert", layout: "out_in" } : { kind: "linear", layout: "out_in" }), block: null, module: "w" };
  return {
    layer, summary: { path: "/m", format: "numpy", parameters: 1, bytes: 1, tensors: 1, notes: [] }, layers: [layer], skipped: [], files: [],
    read: () => expect.fail("it is read whole"),
    ranges: () => strides && { strides, read: async (start, count) => Float32Array.from({ length: count }, (_, i) => (start + i === broken ? NaN : valueAt(start + i))) },
    close: async () => undefined,
  };
}

const valueAt = (place: number): number => place % 999_983;
const [tall, wide, square] = [[60_000, 1000], [1000, 60_000], [8000, 8000]] as const;
const rowMajor = ([, columns]: readonly [number, number]) => [columns, 1];
const columnMajor = ([rows]: readonly [number, number]) => [1, rows];
const reading = (model: Model & { readonly layer: Layer }) => readingOf(model, model.layer);

describe("a tensor that is larger than what is held in memory", () => {
  it("is read by its rows or by its columns, as they lie in the file", () => {
    for (const shape of [tall, wide, square]) {
      expect(reading(modelOf(shape, rowMajor(shape)))).toBe("rows");
      expect(reading(modelOf(shape, columnMajor(shape)))).toBe("columns");
    }
  });

  it("is read whole where neither lies in one piece, or the file cannot be read in parts", () => {
    expect(reading(modelOf(tall, [2000, 2]))).toBe("whole");
    expect(reading(modelOf(tall, null))).toBe("whole");
  });

  it("of float64 is read in parts where that saves memory: along its long side", () => {
    expect(reading(modelOf(tall, rowMajor(tall), "float64"))).toBe("rows");
    expect(reading(modelOf(wide, columnMajor(wide), "float64"))).toBe("columns");
    for (const [shape, strides] of [[wide, rowMajor(wide)], [tall, columnMajor(tall)], [square, rowMajor(square)]] as const) expect(reading(modelOf(shape, strides, "float64"))).toBe("whole");
  });

  it("gives its columns as the rows of the transpose, and names those that hold what is no number", async () => {
    const model = modelOf(wide, columnMajor(wide), "float32", 30_000 * 1000 + 7);
    const source = rowSourceOf(model, model.layer, model.layer.views[0]!, () => undefined);
    expect([source.rows, source.columns]).toEqual([60_000, 1000]);
    const { data } = await source.read(1200, 2);
    expect([...data]).toEqual(Array.from({ length: 2000 }, (_, i) => valueAt(1_200_000 + i)));
    await expect(source.read(29_999, 2)).rejects.toMatchObject({ code: "not-finite", message: expect.stringContaining("columns 29999 to 30000, holds 1 NaN") });
  });

  it("gives each of its experts the values at its own place", async () => {
    const shape = [4, 7000, 2000];
    const model = modelOf(shape, [14_000_000, 1, 7000]);
    const views = model.layer.views;
    expect([reading(model), views.length]).toEqual(["columns", 4]);
    const { data } = await rowSourceOf(model, model.layer, views[2]!, () => undefined).read(3, 1);
    expect(data[5]).toBe(valueAt(2 * 14_000_000 + 3 * 7000 + 5));
  });
});
