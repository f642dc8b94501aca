import { describe, expect, it } from "vitest";
import { bytes, file, float, graph, int, intAttribute, model, node, tensor, text } from "../onnx/onnxFile";
import { factorizeAll } from "./support/factorized";
import { gaussians, relativeDistance, run, value } from "./support/runnable";

const ROUNDING = 1e-5;

/** The operators' version of a model is the last one that it names. */
const atVersion = (body: Buffer, version: number) => file(Buffer.concat([int(1, 8), text(2, "test"), bytes(7, body), bytes(8, int(2, version))]));
const yes = [false, true];

describe("channel groups of a matrix, at full rank, give the original outputs in ONNX Runtime", () => {
  it.each([11, 13, 17, 18, 20])("in a graph of operator set %i", async (version) => {
    const body = Buffer.concat([graph({ nodes: [node("MatMul", ["x", "w"], ["y"], [], "mm")], initializers: [tensor("w", [12, 9], gaussians(108, 2))] }), value(11, "x", 3, 5), value(12, "y", 3)]);
    const path = atVersion(body, version);
    const { path: factorized, layers, factors } = await factorizeAll(path, "groups4");
    expect(layers).toEqual(["w"]);
    expect(factors.get("w")!.map(({ shape }) => shape)).toEqual([[12, 3], [12, 9]]);
    expect(relativeDistance(await run(path, [2, 5, 12]), await run(factorized, [2, 5, 12]))).toBeLessThan(ROUNDING);
  });

  it.each(yes.flatMap((transA) => yes.flatMap((transB) => yes.map((bias) => ({ transA, transB, bias })))))("of Gemm with %o", async ({ transA, transB, bias }) => {
    const attributes = [Buffer.concat([text(1, "alpha"), float(2, 0.7), int(20, 1)]), Buffer.concat([text(1, "beta"), float(2, 1.3), int(20, 1)]), intAttribute("transA", Number(transA)), intAttribute("transB", Number(transB))];
    const body = Buffer.concat([
      graph({
        nodes: [node("Gemm", ["x", "w", ...(bias ? ["b"] : [])], ["y"], attributes, "fc")],
        initializers: [tensor("w", transB ? [10, 14] : [14, 10], gaussians(140, 3)), ...(bias ? [tensor("b", [10], gaussians(10, 4))] : [])],
      }),
      value(11, "x", 2), value(12, "y", 2),
    ]);
    const path = file(model(body));
    const { path: factorized, layers } = await factorizeAll(path, "groups2");
    expect(layers).toEqual(["w"]);
    const shape = transA ? [14, 3] : [3, 14];
    expect(relativeDistance(await run(path, shape), await run(factorized, shape))).toBeLessThan(ROUNDING);
  });

  it("of a weight that two nodes share", async () => {
    const body = Buffer.concat([
      graph({ nodes: [node("MatMul", ["x", "w"], ["h"], [], "m1"), node("MatMul", ["h", "w"], ["y"], [], "m2")], initializers: [tensor("w", [8, 8], gaussians(64, 2))] }),
      value(11, "x", 2), value(12, "y", 2),
    ]);
    const path = file(model(body));
    const { path: factorized, layers } = await factorizeAll(path, "groups2");
    expect(layers).toEqual(["w"]);
    expect(relativeDistance(await run(path, [3, 8]), await run(factorized, [3, 8]))).toBeLessThan(ROUNDING);
  });
});

describe("channel groups", () => {
  it("do not fit a weight that multiplies from the left, whose input may be a vector", async () => {
    const body = Buffer.concat([graph({ nodes: [node("MatMul", ["w", "x"], ["y"], [], "mm")], initializers: [tensor("w", [9, 12], gaussians(108, 2))] }), value(11, "x", 1), value(12, "y", 1)]);
    const path = file(model(body));
    expect((await factorizeAll(path, "groups2")).layers).toEqual([]);
    const { path: factorized, layers } = await factorizeAll(path, "svd");
    expect(layers).toEqual(["w"]);
    expect(relativeDistance(await run(path, [12]), await run(factorized, [12]))).toBeLessThan(ROUNDING);
  });
});
