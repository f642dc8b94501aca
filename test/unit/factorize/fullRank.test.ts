import { describe, expect, it } from "vitest";
import type { SchemeId } from "../../../src/factorize/scheme";
import { bytes, constant, file, graph, int, intAttribute, model, node, packed, tensor, text } from "../onnx/onnxFile";
import { factorizeAll } from "./support/factorized";
import { convolutionModel, gaussians, gemmModel, product, relativeDistance, run, value, type ConvolutionOptions } from "./support/runnable";

/** Rounding of float32 over these lengths; anything that is wired wrongly is of size 1. */
const ROUNDING = 1e-5;

const CONVOLUTIONS: Readonly<Record<string, ConvolutionOptions>> = {
  "3×3": { opType: "Conv", channels: [6, 8], kernel: [3, 3] },
  "5×5 with bias, padded on all sides alike": { opType: "Conv", channels: [4, 6], kernel: [5, 5], pads: [2, 2, 2, 2], bias: true },
  "1×7": { opType: "Conv", channels: [5, 6], kernel: [1, 7], pads: [0, 3, 0, 3] },
  "7×1 with stride": { opType: "Conv", channels: [5, 6], kernel: [7, 1], strides: [2, 1], bias: true },
  "1×1": { opType: "Conv", channels: [8, 6], kernel: [1, 1], bias: true },
  "3×5, everything asymmetric": { opType: "Conv", channels: [6, 4], kernel: [3, 5], strides: [2, 3], dilations: [3, 2], pads: [1, 4, 2, 0], bias: true },
  "two groups, asymmetric": { opType: "Conv", channels: [6, 8], kernel: [3, 2], groups: 2, strides: [1, 2], pads: [0, 1, 2, 3], bias: true },
  "three groups, dilated": { opType: "Conv", channels: [9, 6], kernel: [3, 3], groups: 3, dilations: [2, 1] },
  "SAME_UPPER": { opType: "Conv", channels: [4, 5], kernel: [4, 3], autoPad: "SAME_UPPER", strides: [2, 1] },
  "SAME_LOWER": { opType: "Conv", channels: [4, 5], kernel: [4, 2], autoPad: "SAME_LOWER", bias: true },
  "SAME_UPPER, grouped": { opType: "Conv", channels: [8, 6], kernel: [3, 5], groups: 2, autoPad: "SAME_UPPER", strides: [1, 2] },
  "VALID": { opType: "Conv", channels: [4, 5], kernel: [3, 3], autoPad: "VALID", strides: [2, 2], bias: true },
  "eight channels for each of two groups": { opType: "Conv", channels: [16, 4], kernel: [2, 3], groups: 2, strides: [2, 1], pads: [1, 0, 0, 1], bias: true },
  "one-dimensional": { opType: "Conv", channels: [6, 7], kernel: [5], strides: [3], dilations: [2], pads: [1, 4], bias: true },
  "one-dimensional, grouped": { opType: "Conv", channels: [6, 8], kernel: [4], groups: 2, pads: [3, 0] },
  "three-dimensional": { opType: "Conv", channels: [4, 6], kernel: [2, 3, 2], strides: [1, 2, 1], dilations: [2, 1, 1], pads: [1, 0, 2, 0, 1, 0], bias: true },
  "transposed": { opType: "ConvTranspose", channels: [6, 5], kernel: [3, 3], bias: true },
  "transposed, everything asymmetric": { opType: "ConvTranspose", channels: [6, 4], kernel: [3, 5], strides: [3, 2], dilations: [1, 2], pads: [1, 0, 2, 3], outputPadding: [2, 1], bias: true },
  "transposed, grouped": { opType: "ConvTranspose", channels: [6, 8], kernel: [4, 3], groups: 2, strides: [2, 2], pads: [1, 1, 0, 0], bias: true },
  "transposed, SAME_UPPER": { opType: "ConvTranspose", channels: [6, 4], kernel: [3, 4], strides: [2, 1], autoPad: "SAME_UPPER", bias: true },
  "transposed, dilated and grouped": { opType: "ConvTranspose", channels: [8, 6], kernel: [2, 3], groups: 2, dilations: [3, 2], strides: [1, 2] },
  "transposed, one-dimensional": { opType: "ConvTranspose", channels: [6, 4], kernel: [5], strides: [3], outputPadding: [1] },
  "transposed, three-dimensional, grouped": { opType: "ConvTranspose", channels: [4, 6], kernel: [2, 3, 2], groups: 2, strides: [2, 1, 2], bias: true },
};

describe.each(Object.entries(CONVOLUTIONS))("at full rank a convolution (%s)", (_, options) => {
  const { kernel, channels: [input], groups = 1 } = options;
  const schemes: SchemeId[] = [
    "channel", "tucker2", ...(kernel.length === 2 ? ["spatial"] as const : []), ...(product(kernel) > 1 ? ["depthwise"] as const : []),
    ...((input / groups) % 2 === 0 && input / groups > 2 ? ["groups2"] as const : []),
  ];
  it.each(schemes)("in the %s scheme gives the original outputs in ONNX Runtime", async (scheme) => {
    const { path, shape } = convolutionModel(options);
    const { path: factorized, layers } = await factorizeAll(path, scheme);
    expect(layers).toEqual(["conv.weight"]);
    expect(relativeDistance(await run(path, shape), await run(factorized, shape))).toBeLessThan(ROUNDING);
  });
});

describe("at full rank a matrix gives the original outputs in ONNX Runtime", () => {
  const yes = [false, true];
  it.each(yes.flatMap((transA) => yes.flatMap((transB) => yes.map((bias) => ({ transA, transB, bias })))))("of Gemm with %o", async (options) => {
    const { path, shape } = gemmModel(options);
    const { path: factorized, layers } = await factorizeAll(path, "svd");
    expect(layers).toEqual(["fc.weight"]);
    expect(relativeDistance(await run(path, shape), await run(factorized, shape))).toBeLessThan(ROUNDING);
  });

  it.each([["from the right", ["x", "w"], [3, 12]], ["from the left", ["w", "x"], [9, 3]]] as const)("of MatMul %s", async (_, inputs, shape) => {
    const body = Buffer.concat([graph({ nodes: [node("MatMul", inputs, ["y"], [], "mm")], initializers: [tensor("w", [12, 9], gaussians(108, 2))] }), value(11, "x", 2), value(12, "y", 2)]);
    const path = file(model(body));
    const { path: factorized, layers } = await factorizeAll(path, "svd");
    expect(layers).toEqual(["w"]);
    expect(relativeDistance(await run(path, shape), await run(factorized, shape))).toBeLessThan(ROUNDING);
  });

  it("of an embedding", async () => {
    const body = Buffer.concat([
      graph({ nodes: [node("Gather", ["w", "i"], ["y"], [], "embed")], initializers: [tensor("w", [20, 6], gaussians(120, 2)), tensor("i", [3], packed(7, [4, 19, 0]), 7)] }),
      value(12, "y", 2),
    ]);
    const path = file(model(body));
    const { path: factorized, layers } = await factorizeAll(path, "svd");
    expect(layers).toEqual(["w"]);
    expect(relativeDistance(await run(path, [1]), await run(factorized, [1]))).toBeLessThan(ROUNDING);
  });

  it("of a weight in a Constant node inside both branches of an If, which use it each in its own way", async () => {
    const branch = (seed: number) => bytes(6, Buffer.concat([
      graph({ nodes: [constant("w", tensor("", [12, 9], gaussians(108, seed))), node("MatMul", ["x", "w"], ["inner"], [], "mm")] }), value(12, "inner", 2),
    ]));
    const attribute = (name: string, seed: number) => Buffer.concat([text(1, name), branch(seed), int(20, 5)]);
    const condition = tensor("c", [], bytes(9, Buffer.from([1])), 9);
    const body = Buffer.concat([
      graph({ nodes: [node("If", ["c"], ["y"], [attribute("then_branch", 2), attribute("else_branch", 3)], "if")], initializers: [condition] }),
      value(11, "x", 2), value(12, "y", 2),
    ]);
    const path = file(model(body));
    const { path: factorized, layers } = await factorizeAll(path, "svd");
    expect(layers).toHaveLength(2);
    expect(relativeDistance(await run(path, [3, 12]), await run(factorized, [3, 12]))).toBeLessThan(ROUNDING);
  });

  it("of a weight that two nodes share, factorized once, and of one that is cast before it is used", async () => {
    const cast = node("Cast", ["h"], ["h32"], [intAttribute("to", 1)], "cast");
    const half = Uint16Array.from({ length: 81 }, (_, i) => 0x3000 + ((i * 37) % 0x0c00));
    const body = Buffer.concat([
      graph({
        nodes: [cast, node("MatMul", ["x", "w"], ["a"], [], "m1"), node("MatMul", ["a", "h32"], ["b"], [], "m2"), node("MatMul", ["b", "w"], ["y"], [], "m3")],
        initializers: [tensor("w", [9, 9], gaussians(81, 2)), tensor("h", [9, 9], bytes(9, Buffer.from(half.buffer)), 10)],
      }),
      value(11, "x", 2), value(12, "y", 2),
    ]);
    const path = file(model(body));
    const { path: factorized, layers } = await factorizeAll(path, "svd");
    expect(layers).toEqual(["w", "h"]);
    // Factors of a float16 weight are float16 too.
    expect(relativeDistance(await run(path, [3, 9]), await run(factorized, [3, 9]))).toBeLessThan(3e-3);
  });
});
