import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import { openModel } from "../../../src/models/formats";
import { offByDefault } from "../../../src/factorize/candidates";
import { openOnnxSource } from "../../../src/factorize/onnx/source";
import { isTarget } from "../../../src/factorize/source";
import { openSource } from "../../../src/factorize/sources";
import { noise, writeModel } from "../../engine/support/modelFiles";
import { folder } from "../support/folders";
import { bytes, file, graph, int, intAttribute, model, node, packed, tensor, text } from "../onnx/onnxFile";
import { factorizeAll } from "./support/factorized";
import { gaussians, relativeDistance, value } from "./support/runnable";

const ROUNDING = 1e-5;
const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const;
const HIDDEN = 6, INPUT = 10, STEPS = 5, BATCH = 3;

interface Options {
  readonly opType: keyof typeof GATES;
  readonly directions: 1 | 2;
  readonly bias?: boolean;
  /** Lengths of the sequences, and the first state. */
  readonly state?: boolean;
  /** The sequence of outputs is not asked for, the last state alone. */
  readonly lastOnly?: boolean;
}

function recurrentModel({ opType, directions, bias = false, state = false, lastOnly = false }: Options): string {
  const height = GATES[opType] * HIDDEN;
  const words = (name: string, word: string) => Buffer.concat([text(1, name), text(4, word), int(20, 3)]);
  const attributes = [intAttribute("hidden_size", HIDDEN), ...(directions === 2 ? [words("direction", "bidirectional")] : [])];
  const inputs = ["x", "w", "r", bias ? "b" : "", state ? "lengths" : "", state ? "h" : ""];
  const body = Buffer.concat([
    graph({
      nodes: [node(opType, inputs, lastOnly ? ["", "y"] : ["y"], attributes, "rnn")],
      initializers: [
        tensor("w", [directions, height, INPUT], gaussians(directions * height * INPUT, 2)), tensor("r", [directions, height, HIDDEN], gaussians(directions * height * HIDDEN, 3)),
        ...(bias ? [tensor("b", [directions, 2 * height], gaussians(directions * 2 * height, 4))] : []),
        ...(state ? [tensor("lengths", [BATCH], packed(5, [5, 2, 4]), 6), tensor("h", [directions, BATCH, HIDDEN], gaussians(directions * BATCH * HIDDEN, 5))] : []),
      ],
    }),
    value(11, "x", 3), bytes(12, text(1, "y"), bytes(2, bytes(1, int(1, 1)))),
  ]);
  return file(model(body));
}

async function outputs(path: string): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(path);
  const results = await session.run({ x: new ort.Tensor("float32", Float32Array.from(gaussians(STEPS * BATCH * INPUT, 9)), [STEPS, BATCH, INPUT]) });
  await session.release();
  return results["y"]!.data as Float32Array;
}

describe("at full rank a recurrent layer gives the original outputs in ONNX Runtime", () => {
  it.each<Options>([
    { opType: "LSTM", directions: 1 }, { opType: "LSTM", directions: 2, bias: true }, { opType: "LSTM", directions: 1, bias: true, state: true }, { opType: "LSTM", directions: 1, lastOnly: true },
    { opType: "GRU", directions: 1, bias: true }, { opType: "GRU", directions: 2, state: true }, { opType: "RNN", directions: 1 }, { opType: "RNN", directions: 2, bias: true, state: true, lastOnly: true },
  ])("with %o", async (options) => {
    const path = recurrentModel(options);
    const { path: factorized, layers, factors } = await factorizeAll(path, "svd");
    expect(layers).toEqual(["w"]);
    const height = GATES[options.opType] * HIDDEN;
    const rank = Math.min(INPUT, options.directions * height);
    expect(factors.get("w")!.map(({ op, shape }) => [op, shape])).toEqual([["linear", [rank, INPUT]], ["recurrent", [options.directions, height, rank]]]);
    expect(relativeDistance(await outputs(path), await outputs(factorized))).toBeLessThan(ROUNDING);
  });
});

describe("a recurrent layer", () => {
  it("keeps the weight of its state, and says why", async () => {
    const path = recurrentModel({ opType: "LSTM", directions: 1 });
    const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
    const opened = await openModel(path, options);
    const source = await openOnnxSource(path, opened.layers, options);
    const reasons = opened.layers.map(({ tensor: { name } }, index) => [name, "reason" in source.targets[index]! ? source.targets[index].reason : "target"]);
    expect(reasons).toContainEqual(["w", "target"]);
    expect(reasons).toContainEqual(["r", expect.stringMatching(/multiplies the state inside LSTM/)]);
    await Promise.all([source.close(), opened.close()]);
  });

  it("of PyTorch has factors for its state too, which are off unless they are asked for", async () => {
    const path = writeModel(folder(), "model.safetensors", { "lstm.weight_ih_l0": noise(1, 24, 12), "lstm.weight_hh_l0": noise(2, 24, 6), "fc.weight": noise(3, 10, 6) });
    const opened = await openModel(path);
    const source = await openSource(opened, DEFAULT_OPEN_OPTIONS, "factored");
    const off = offByDefault(opened.layers, source);
    expect(source.targets.map((target) => isTarget(target))).toEqual([true, true, true]);
    expect(off.get("lstm.weight_hh_l0")).toMatch(/^state weight .* off unless included$/);
    expect(off.has("lstm.weight_ih_l0")).toBe(false);
    await Promise.all([source.close(), opened.close()]);
  });
});
