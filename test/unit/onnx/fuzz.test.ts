import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { onnx } from "../../../src/models/onnx/format";
import { openMutated } from "../support/mutations";
import { ramp } from "../support/ramp";
import { bytes, constant, graph, graphAttribute, int, int64Tensor, int8Tensor, intAttribute, model, node, packed, tensor, uint8Tensor } from "./onnxFile";

/**
 * The places that say something: all but the inside of raw_data, where a change is only another weight.
 * Walks model.graph (7), initializers (5) and raw_data (9), knowing nothing else.
 */
function meaningful(content: Buffer): number[] {
  const inside = new Uint8Array(content.length);
  const number = (from: number): [number, number] => {
    let value = 0, at = from, scale = 1;
    for (; content[at]! >= 0x80; at++, scale *= 128) value += (content[at]! & 0x7f) * scale;
    return [value + content[at]! * scale, at + 1];
  };
  const walk = (start: number, end: number, path: readonly number[]): void => {
    for (let at = start; at < end;) {
      const [key, afterKey] = number(at);
      const [value, body] = key % 8 === 5 ? [0, afterKey + 4] : key % 8 === 1 ? [0, afterKey + 8] : number(afterKey);
      const next = key % 8 === 2 ? body + value : body;
      if (key % 8 === 2 && Math.floor(key / 8) === path[0]) {
        if (path.length === 1) inside.fill(1, body + 1, next - 1);
        else walk(body, next, path.slice(1));
      }
      at = next;
    }
  };
  walk(0, content.length, [7, 5, 9]);
  return [...content.keys()].filter((place) => inside[place] === 0);
}

/** Bytes that are field keys, lengths and ends of varints more often than others. */
const TELLING = [0, 1, 2, 3, 5, 10, 11, 16, 22, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x2a];

/** A small model with everything that the reader knows: typed fields, subgraphs, scales, gates, reshapes. */
function everything(): Buffer {
  const halves = packed(5, Array.from({ length: 6 }, (_, index) => 0x3c00 + index));
  const sparse = Buffer.concat([bytes(1, tensor("sparse", [2], ramp(2))), bytes(2, tensor("", [2, 2], packed(7, ramp(4)), 7)), int(3, 4), int(3, 4)]);
  return model(Buffer.concat([bytes(15, sparse), graph({
    nodes: [
      node("MatMul", ["x", "sparse"], ["s"]),
      node("MatMulNBits", ["s", "packed", "scales"], ["p"], [intAttribute("N", 2), intAttribute("K", 20), intAttribute("block_size", 16), intAttribute("bits", 4)], "", "com.microsoft"),

      node("Conv", ["x", "conv"], ["a"], [intAttribute("group", 2)], "/features/0/Conv"), node("LSTM", ["a", "W", "R"], ["b"]),
      constant("shape", int64Tensor("", [3, 2])), node("Reshape", ["half", "shape"], ["r"]), node("Transpose", ["r"], ["t"]), node("MatMul", ["b", "t"], ["c"]),
      node("DequantizeLinear", ["q", "scale"], ["dq"], [intAttribute("axis", 0)]), node("Gemm", ["c", "dq"], ["d"], [intAttribute("transB", 1)]),
      node("If", ["d"], ["y"], [
        graphAttribute("then_branch", graph({ nodes: [constant("k", tensor("", [2, 3], ramp(6))), node("Gemm", ["d", "k"], ["o"])], outputs: ["o"] })),
        graphAttribute("else_branch", graph({ nodes: [node("Gather", ["conv", "d"], ["o"])], outputs: ["o"] })),
      ]),
    ],
    initializers: [
      tensor("conv", [2, 1, 2, 2], ramp(8)), tensor("W", [1, 8, 3], ramp(24)), tensor("R", [1, 8, 2], ramp(16)),
      tensor("half", [2, 3], halves, 10), int8Tensor("q", [2, 3], ramp(6)), uint8Tensor("packed", [2, 2, 8], ramp(32)), tensor("scales", [4], ramp(4)), tensor("scale", [2], [0.5, 2]),
    ],
    inputs: ["x"], outputs: ["y"],
  })]));
}

describe("a mutated file", () => {
  const real = process.env["RANKLENS_FUZZ_FILE"] ?? join(import.meta.dirname, "../../models/workspace/digits_cnn.onnx");

  it.each([["of our own making", everything], ["of a real model", () => readFileSync(real)]])(
    "%s opens or gets a fault, and its weights can be read or get a fault", async (_what, content) => {
      const original = content();
      const codes = await openMutated(onnx, "model.onnx", original, meaningful(original), TELLING);
      expect(codes.get("opened")).toBeGreaterThan(0);
      expect(codes.get("malformed")).toBeGreaterThan(0);
      expect(codes.get("truncated")).toBeGreaterThan(0);
    }, 600_000);
});
