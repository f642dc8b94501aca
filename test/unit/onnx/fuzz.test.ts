import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/shared/fault";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import { onnx } from "../../../src/models/onnx/format";
import { constant, folder, graph, graphAttribute, int64Tensor, int8Tensor, intAttribute, model, node, packed, ramp, tensor } from "./onnxFile";

/** Mutations of one file in CI; more are run by hand. */
const RUNS = Number(process.env["RANKLENS_FUZZ_RUNS"] ?? 10_000);

/** One change of a file's bytes; `at` counts through the places that may change, from any number. */
type Mutation =
  | { readonly kind: "flip" | "set"; readonly at: number; readonly value: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "delete" | "repeat"; readonly at: number; readonly length: number }
  | { readonly kind: "truncate"; readonly at: number };

const at = fc.nat();
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("flip" as const), at, value: fc.integer({ min: 0, max: 7 }) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("set" as const), at, value: fc.constantFrom(0, 1, 2, 3, 5, 10, 11, 16, 22, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x2a) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("insert" as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("delete" as const, "repeat" as const), at, length: fc.integer({ min: 1, max: 64 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const), at }) },
);

function mutated(content: Buffer, places: readonly number[], mutations: readonly Mutation[]): Buffer {
  let out = Buffer.from(content);
  for (const change of mutations) {
    const place = places[change.at % places.length]!;
    if (place >= out.length) continue;
    switch (change.kind) {
      case "flip": out[place]! ^= 1 << change.value; break;
      case "set": out[place] = change.value; break;
      case "insert": out = Buffer.concat([out.subarray(0, place), change.bytes, out.subarray(place)]); break;
      case "delete": out = Buffer.concat([out.subarray(0, place), out.subarray(place + change.length)]); break;
      case "repeat": out = Buffer.concat([out.subarray(0, place + change.length), out.subarray(place)]); break;
      case "truncate": out = out.subarray(0, place); break;
    }
  }
  return out;
}

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

/** Opens a file and reads every weight. @returns the fault's code, or "opened"; throws what is no fault */
async function tryModel(path: string): Promise<string> {
  try {
    const opened = await onnx.open(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
    try {
      for (const { tensor: weight, views } of opened.layers) {
        const values = await opened.read(weight);
        if (values.length !== weight.shape.reduce((product, size) => product * size, 1)) throw new Error(`${weight.name}: ${values.length} values for [${weight.shape.join(", ")}]`);
        for (const { rows, columns, offset } of views) {
          const last = [...rows, ...columns].reduce((end, { size, stride }) => end + (size - 1) * stride, offset);
          if (!(last < values.length)) throw new Error(`${weight.name}: a view ends at ${last} of ${values.length}`);
        }
      }
    } finally {
      await opened.close();
    }
    return "opened";
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}

/** A small model with everything that the reader knows: typed fields, subgraphs, scales, gates, reshapes. */
function everything(): Buffer {
  const halves = packed(5, Array.from({ length: 6 }, (_, index) => 0x3c00 + index));
  return model(graph({
    nodes: [
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
      tensor("half", [2, 3], halves, 10), int8Tensor("q", [2, 3], ramp(6)), tensor("scale", [2], [0.5, 2]),
    ],
    inputs: ["x"], outputs: ["y"],
  }));
}

describe("a mutated file", () => {
  const real = process.env["RANKLENS_FUZZ_FILE"] ?? join(import.meta.dirname, "../../models/workspace/digits_cnn.onnx");

  it.each([["of our own making", everything], ["of a real model", () => readFileSync(real)]])(
    "%s opens or gets a fault, and its weights can be read or get a fault", async (_what, content) => {
      const original = content();
      const places = meaningful(original);
      const path = join(folder(), "model.onnx");
      const codes = new Map<string, number>();
      await fc.assert(fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        rmSync(path, { force: true });
        writeFileSync(path, mutated(original, places, mutations));
        const code = await tryModel(path);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }), { seed: Number(process.env["RANKLENS_FUZZ_SEED"] ?? 20_240), numRuns: RUNS });
      if (process.env["RANKLENS_FUZZ_RUNS"] !== undefined) console.log(Object.fromEntries(codes));
      expect(codes.get("opened")).toBeGreaterThan(0);
      expect(codes.get("malformed")).toBeGreaterThan(0);
      expect(codes.get("truncated")).toBeGreaterThan(0);
    }, 600_000);
});
