import { describe, expect, it } from "vitest";
import { gather, matrixSize } from "../../../src/models/gather";
import { viewsOf, type WeightRole } from "../../../src/models/views";
import { matrixOf } from "../support/opened";
import { ramp } from "../support/ramp";

/** The matrices of a tensor 0, 1, 2 …, by part and unfolding. */
function matrices(shape: readonly number[], role: WeightRole): Record<string, number[][]> {
  const values = ramp(shape.reduce((product, size) => product * size, 1));
  return Object.fromEntries(viewsOf(shape, role).views.map((view) => [`${view.part ?? "all"}/${view.unfolding}`, matrixOf(view, values)]));
}
const described = (shape: readonly number[], role: WeightRole) => viewsOf(shape, role).views.map(({ part, unfolding, input, breakEvenRank }) => ({ part, unfolding, input, breakEvenRank }));
const sizes = (shape: readonly number[], role: WeightRole) => viewsOf(shape, role).views.map((view) => Object.values(matrixSize(view)).join("×"));

/** out × in × kh × kw of a kernel from its index; `at` says where it is stored. */
function unfolded(sizes: { out: number; in: number; kh: number; kw: number }, at: (o: number, i: number, y: number, x: number) => number) {
  const { out, kh, kw } = sizes, inputs = sizes.in;
  const channel = ramp(out).map((o) => ramp(inputs * kh * kw).map((c) => at(o, Math.floor(c / (kh * kw)), Math.floor(c / kw) % kh, c % kw)));
  const spatial = ramp(inputs * kh).map((r) => ramp(out * kw).map((c) => at(Math.floor(c / kw), Math.floor(r / kh), r % kh, c % kw)));
  return { channel, spatial };
}

describe("a linear layer", () => {
  it("is its matrix as it is stored, with its input on the side of its layout", () => {
    expect(matrices([2, 3], { kind: "linear", layout: "out_in" })).toEqual({ "all/none": [[0, 1, 2], [3, 4, 5]] });
    expect(described([2, 3], { kind: "linear", layout: "out_in" })[0]!.input).toBe("columns");
    expect(described([2, 3], { kind: "linear", layout: "in_out" })[0]!.input).toBe("rows");
    expect(described([2, 3], { kind: "linear", layout: null })[0]!.input).toBeNull();
    expect(described([6, 3], { kind: "embedding" })).toEqual([{ part: null, unfolding: "none", input: "rows", breakEvenRank: null }]);
  });

  it("with one output is told to have no rank but 1", () => {
    expect(viewsOf([1, 8], { kind: "linear", layout: "out_in" }).notes).toEqual(["one side is 1: no rank but 1"]);
  });
});

describe("a convolution", () => {
  const conv = (groups = 1): WeightRole => ({ kind: "conv", groups });

  it("is out × (in·kh·kw) first, and (in·kh) × (out·kw) beside it", () => {
    const { channel, spatial } = unfolded({ out: 4, in: 3, kh: 2, kw: 5 }, (o, i, y, x) => ((o * 3 + i) * 2 + y) * 5 + x);
    expect(Object.entries(matrices([4, 3, 2, 5], conv()))).toEqual([["all/channel", channel], ["all/spatial", spatial]]);
    expect(described([4, 3, 2, 5], conv()).map(({ input }) => input)).toEqual(["columns", "rows"]);
  });

  it("stored with its channels last has the same matrices", () => {
    const { channel, spatial } = unfolded({ out: 4, in: 3, kh: 2, kw: 5 }, (o, i, y, x) => ((y * 5 + x) * 3 + i) * 4 + o);
    expect(matrices([2, 5, 3, 4], { kind: "conv", groups: 1, channels: "last" })).toEqual({ "all/channel": channel, "all/spatial": spatial });
  });

  it("of one or three axes has the first alone, and so has a kernel of 1 × 1", () => {
    expect(matrices([2, 3, 4], conv())).toEqual({ "all/channel": [ramp(12), ramp(12).map((value) => value + 12)] });
    expect(sizes([4, 3, 2, 2, 2], conv())).toEqual(["4×24"]);
    expect(sizes([4, 3, 1, 1], conv())).toEqual(["4×3"]);
    expect(sizes([4, 3, 1, 5], conv())).toEqual(["4×15", "3×20"]);
    expect(sizes([4, 3], conv())).toEqual(["4×3"]);
  });

  it("of groups is one matrix for each", () => {
    const all = matrices([4, 3, 2, 2], conv(2));
    expect(all["group:0/channel"]).toEqual([ramp(12), ramp(12).map((value) => value + 12)]);
    expect(all["group:1/channel"]).toEqual([ramp(12).map((value) => value + 24), ramp(12).map((value) => value + 36)]);
    expect(Object.keys(all)).toEqual(["group:0/channel", "group:1/channel"]);
    expect(viewsOf([4, 3, 2, 2], conv(2)).notes).toEqual(["2 groups, a matrix each"]);
  });

  it("with a kernel for each channel is channels × (kh·kw), with nothing to gain at any rank", () => {
    expect(matrices([2, 1, 2, 2], conv(2))).toEqual({ "all/depthwise": [[0, 1, 2, 3], [4, 5, 6, 7]] });
    expect(described([2, 1, 2, 2], conv(2))).toEqual([{ part: null, unfolding: "depthwise", input: "columns", breakEvenRank: 0 }]);
    expect(viewsOf([4, 1, 3, 3], conv(2))).toMatchObject({ kind: "conv", notes: ["depthwise: nothing to gain"] });
    // Images of one channel: an ordinary layer.
    expect(sizes([4, 1, 3, 3], conv(1))).toEqual(["4×9", "3×12"]);
  });

  it("has factors of fewer weights up to ⌊mn/(m+n)⌋ of either matrix, which is what both schemes count", () => {
    const [out, inputs, kh, kw] = [6, 4, 3, 5];
    const weights = out * inputs * kh * kw;
    for (const [m, n, count] of [[out, inputs * kh * kw, (r: number) => r * inputs * kh * kw + out * r], [inputs * kh, out * kw, (r: number) => inputs * r * kh + r * out * kw]] as const) {
      const breakEven = Math.floor((m * n) / (m + n));
      expect(count(breakEven)).toBeLessThanOrEqual(weights);
      expect(count(breakEven + 1)).toBeGreaterThan(weights);
    }
    expect(described([6, 4, 3, 5], conv()).map(({ breakEvenRank }) => breakEvenRank)).toEqual([null, null]);
  });

  it.each([[0], [-1], [3], [1000], [1e9]])("that claims %d groups is taken as one", (groups) => {
    const { views, notes } = viewsOf([4, 2, 2, 2], conv(groups));
    expect(views.map(({ unfolding }) => unfolding)).toEqual(["channel", "spatial"]);
    expect(notes).toEqual([`its ${groups} groups do not divide its channels: taken as one`]);
  });
});

describe("a transposed convolution", () => {
  const transposed = (groups = 1): WeightRole => ({ kind: "conv_transpose", groups });

  it("stores its inputs first, and has the same two matrices", () => {
    const { channel, spatial } = unfolded({ out: 4, in: 3, kh: 2, kw: 5 }, (o, i, y, x) => ((i * 4 + o) * 2 + y) * 5 + x);
    expect(matrices([3, 4, 2, 5], transposed())).toEqual({ "all/channel": channel, "all/spatial": spatial });
  });

  it("of groups takes a share of the inputs to a share of the outputs", () => {
    expect(matrices([4, 2, 3], transposed(2))).toEqual({
      "group:0/channel": [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]], "group:1/channel": [[12, 13, 14, 18, 19, 20], [15, 16, 17, 21, 22, 23]],
    });
    expect(matrices([2, 1, 2, 2], transposed(2))).toEqual({ "all/depthwise": [[0, 1, 2, 3], [4, 5, 6, 7]] });
  });
});

describe("a recurrent layer", () => {
  const lstm = (weight: "input" | "recurrent", layout: "directions_gates_in" | "gates_in"): WeightRole => ({ kind: "lstm", weight, layout, gates: ["i", "o", "f", "c"] });

  it("is a matrix for each direction and gate", () => {
    const all = matrices([2, 8, 3], lstm("input", "directions_gates_in"));
    expect(Object.keys(all)).toEqual([0, 1].flatMap((direction) => ["i", "o", "f", "c"].map((gate) => `direction:${direction}/gate:${gate}/none`)));
    expect(all["direction:0/gate:o/none"]).toEqual([[6, 7, 8], [9, 10, 11]]);
    expect(all["direction:1/gate:i/none"]).toEqual([[24, 25, 26], [27, 28, 29]]);
  });

  it("of one direction is named by gates alone, and a plain one not at all", () => {
    expect(described([8, 3], lstm("input", "gates_in")).map(({ part }) => part)).toEqual(["gate:i", "gate:o", "gate:f", "gate:c"]);
    expect(described([1, 8, 3], lstm("input", "directions_gates_in")).map(({ part }) => part)).toEqual(["gate:i", "gate:o", "gate:f", "gate:c"]);
    expect(described([2, 3], { kind: "rnn", weight: "input", layout: "gates_in", gates: ["h"] }).map(({ part }) => part)).toEqual([null]);
    expect(described([2, 2, 3], { kind: "rnn", weight: "input", layout: "directions_gates_in", gates: ["h"] }).map(({ part }) => part)).toEqual(["direction:0", "direction:1"]);
  });

  it("has recurrent matrices, of which a spectral radius is measured where they are square", () => {
    expect(viewsOf([8, 2], lstm("recurrent", "gates_in")).views.map(({ recurrent }) => recurrent)).toEqual([true, true, true, true]);
    expect(viewsOf([8, 2], lstm("input", "gates_in")).views.map(({ recurrent }) => recurrent)).toEqual([false, false, false, false]);
    expect(viewsOf([16, 2], lstm("recurrent", "gates_in")).views.map(({ recurrent }) => recurrent)).toEqual([false, false, false, false]);
  });

  it("whose gates do not divide its rows is told to be odd", () => {
    expect(viewsOf([7, 3], lstm("input", "gates_in"))).toMatchObject({ kind: "lstm", views: [{ part: null }], notes: ["its shape is not that of 4 gates"] });
  });
});

describe("parts of one tensor", () => {
  const fused = (layout: "in_out" | "out_in", ...partSizes: number[]): WeightRole =>
    ({ kind: "attention", layout, fused: ["q", "k", "v"].map((part, index) => ({ part, size: partSizes[index]! })) });

  it("fused q, k and v are the whole, then each, with as many outputs as it has", () => {
    expect(matrices([4, 2], fused("out_in", 2, 1, 1))).toEqual({ "all/none": [[0, 1], [2, 3], [4, 5], [6, 7]], "q/none": [[0, 1], [2, 3]], "k/none": [[4, 5]], "v/none": [[6, 7]] });
    expect(matrices([2, 4], fused("in_out", 2, 1, 1))).toEqual({ "all/none": [[0, 1, 2, 3], [4, 5, 6, 7]], "q/none": [[0, 1], [4, 5]], "k/none": [[2], [6]], "v/none": [[3], [7]] });
    expect(viewsOf([4, 2], fused("out_in", 2, 2, 2)).notes).toEqual(["its shape is not that of q, k, v"]);
  });

  it("stacked experts are one matrix each, and the stack none", () => {
    expect(matrices([2, 2, 3], { kind: "expert", layout: "out_in" })).toEqual({ "expert:0/none": [[0, 1, 2], [3, 4, 5]], "expert:1/none": [[6, 7, 8], [9, 10, 11]] });
    expect(viewsOf([2, 2, 3], { kind: "expert", layout: "out_in" })).toMatchObject({ kind: "expert", notes: ["a stack of 2 matrices"] });
  });

  it("a factor of a LoRA is a matrix, of a convolution too", () => {
    expect(sizes([4, 16], { kind: "adapter" })).toEqual(["4×16"]);
    expect(sizes([4, 16, 3, 3], { kind: "adapter" })).toEqual(["4×144", "48×12"]);
  });
});

describe("a tensor whose use is not known", () => {
  it("is its matrix when it has two axes longer than 1, and its first axis against the others when it has more", () => {
    expect(sizes([2, 3], { kind: "other" })).toEqual(["2×3"]);
    expect(matrices([1, 2, 1, 3], { kind: "other" })).toEqual({ "all/none": [[0, 1, 2], [3, 4, 5]] });
    expect(matrices([2, 2, 3], { kind: "other" })).toEqual({ "all/channel": [ramp(6), ramp(6).map((value) => value + 6)] });
    expect(sizes([7], { kind: "other" })).toEqual(["1×7"]);
    expect(sizes([1, 1, 7], { kind: "other" })).toEqual(["1×7"]);
    expect(sizes([1, 9, 4], { kind: "embedding" })).toEqual(["9×4"]);
  });
});

describe("copying a matrix out of its tensor", () => {
  it("is the matrix that the view defines, for every kind of view", () => {
    const roles: readonly (readonly [readonly number[], WeightRole])[] = [
      [[5, 7], { kind: "linear", layout: "out_in" }], [[40, 30], { kind: "linear", layout: "in_out" }],
      [[6, 4, 3, 3], { kind: "conv", groups: 1 }], [[6, 4, 3, 3], { kind: "conv", groups: 2 }], [[6, 40, 5], { kind: "conv", groups: 1 }],
      [[3, 3, 4, 70], { kind: "conv", groups: 1, channels: "last" }], [[70, 90, 2, 3], { kind: "conv_transpose", groups: 1 }], [[8, 3, 2, 2], { kind: "conv_transpose", groups: 4 }],
      [[2, 16, 5], { kind: "lstm", weight: "recurrent", layout: "directions_gates_in", gates: ["i", "o", "f", "c"] }],
      [[3, 90], { kind: "attention", layout: "in_out", fused: [{ part: "q", size: 50 }, { part: "k", size: 20 }, { part: "v", size: 20 }] }],
      [[3, 4, 5], { kind: "expert", layout: null }],
    ];
    for (const [shape, role] of roles) {
      const count = shape.reduce((product, size) => product * size, 1);
      for (const values of [Float32Array.from(ramp(count)), Float64Array.from(ramp(count))]) {
        for (const view of viewsOf(shape, role).views) {
          const expected = matrixOf(view, values);
          const { rows, columns, data } = gather(view, values);
          expect([rows, columns]).toEqual([expected.length, expected[0]!.length]);
          expect([...data]).toEqual(expected.flat());
          expect(data.constructor).toBe(values.constructor);
          expect(data.buffer).not.toBe(values.buffer);
        }
      }
    }
  });

  it("refuses a view that reaches outside", () => {
    const [view] = viewsOf([2, 3], { kind: "linear", layout: null }).views;
    expect(() => gather(view!, new Float32Array(5))).toThrow(/ends at 5 of 5/);
  });
});
