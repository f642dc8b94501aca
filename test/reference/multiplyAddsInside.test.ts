import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { multiplyAddsApart } from "../../src/engine/multiplyAddsApart";
import { multiplyAddsOf, wholeStep } from "../../src/factorize/scheme";
import { openSource } from "../../src/factorize/sources";
import { openModel } from "../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { buildPrograms, type Programs } from "../engine/support/programs";
import { gaussians } from "../unit/factorize/support/runnable";
import { bytes, file, graph, graphAttribute, int, int64Tensor, intAttribute, model, node, packed, tensor, text, typedValue } from "../unit/onnx/onnxFile";
import { describeWithModels, MODELS, modelFiles } from "./models";

/** Multiply-adds of what ONNX Runtime runs out of sight: states of recurrent layers, branches and loops. */
const [STEPS, BATCH, INPUT, HIDDEN] = [5, 3, 10, 6];

let programs: Programs;
beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());

async function counted(path: string): Promise<{ byLayer: Record<string, number>; uncounted: readonly string[]; total: number }> {
  const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
  const opened = await openModel(path, options);
  const source = await openSource(opened, options, "factored");
  const { positions, uncounted, total } = await multiplyAddsApart(source, path, programs.verify, new AbortController().signal);
  const byLayer = Object.fromEntries(source.activations!.layers.flatMap((target) => (positions.has(target.name) ? [[target.name, multiplyAddsOf([wholeStep(target)], positions.get(target.name)!)]] : [])));
  await Promise.all([source.close(), opened.close()]);
  return { byLayer, uncounted, total };
}

const value = (field: number, name: string, type: number, shape: readonly number[]): Buffer => bytes(field, typedValue(name, type, shape));
const weight = (name: string, rows: number, columns: number): Buffer => tensor(name, [rows, columns], gaussians(rows * columns, 3));

describe("multiply-adds of a recurrent layer", () => {
  it.each([["LSTM", 4], ["GRU", 3], ["RNN", 1]] as const)("%s are those of its input and of its state at each step, in both directions", async (opType, gates) => {
    const height = gates * HIDDEN;
    const direction = Buffer.concat([text(1, "direction"), text(4, "bidirectional"), int(20, 3)]);
    const { byLayer, uncounted, total } = await counted(file(model(Buffer.concat([
      graph({
        nodes: [node(opType, ["x", "w", "r"], ["y"], [intAttribute("hidden_size", HIDDEN), direction], "rnn")],
        initializers: [tensor("w", [2, height, INPUT], gaussians(2 * height * INPUT, 1)), tensor("r", [2, height, HIDDEN], gaussians(2 * height * HIDDEN, 2))],
      }),
      value(11, "x", 1, [STEPS, BATCH, INPUT]), value(12, "y", 1, [STEPS, 2, BATCH, HIDDEN]),
    ]))));
    expect(byLayer).toEqual({ w: STEPS * BATCH * 2 * height * INPUT, r: STEPS * BATCH * 2 * height * HIDDEN });
    expect(uncounted).toEqual([]);
    expect(total).toBe(STEPS * BATCH * 2 * height * (INPUT + HIDDEN));
  });
});

describe("multiply-adds inside of branches and loops", () => {
  const multiply = (input: string, output: string, by: string): Buffer => node("MatMul", [input, by], [output]);

  it("are those of the branch that ran; what did not is named", async () => {
    const branch = (by: string): Buffer => Buffer.concat([graph({ nodes: [multiply("x", `out_${by}`, by)], initializers: [weight(by, 10, 8)] }), value(12, `out_${by}`, 1, [4, 8])]);
    const { byLayer, uncounted, total } = await counted(file(model(Buffer.concat([
      graph({
        nodes: [node("If", ["condition"], ["y"], [graphAttribute("then_branch", branch("taken")), graphAttribute("else_branch", branch("other"))])],
        initializers: [tensor("condition", [], packed(5, [1]), 9)],
      }),
      value(11, "x", 1, [4, 10]), value(12, "y", 1, [4, 8]),
    ]))));
    expect(byLayer).toEqual({ taken: 4 * 10 * 8 });
    expect(uncounted).toEqual(["other"]);
    expect(total).toBe(4 * 10 * 8);
  });

  it("are counted as often as a loop runs, also of a weight that is outside of it and used there too", async () => {
    const body = Buffer.concat([
      graph({ nodes: [multiply("state", "product", "own"), multiply("product", "next", "shared"), node("Identity", ["going"], ["goes"])], initializers: [weight("own", 6, 6)] }),
      value(11, "turn", 7, []), value(11, "going", 9, []), value(11, "state", 1, [2, 6]), value(12, "goes", 9, []), value(12, "next", 1, [2, 6]),
    ]);
    const { byLayer, uncounted } = await counted(file(model(Buffer.concat([
      graph({
        nodes: [multiply("x", "start", "shared"), node("Loop", ["turns", "condition", "start"], ["y"], [graphAttribute("body", body)])],
        initializers: [weight("shared", 6, 6), int64Tensor("turns", [7]), tensor("condition", [], packed(5, [1]), 9)],
      }),
      value(11, "x", 1, [2, 6]), value(12, "y", 1, [2, 6]),
    ]))));
    expect(byLayer).toEqual({ own: 7 * 2 * 36, shared: 8 * 2 * 36 });
    expect(uncounted).toEqual([]);
  });
});

const silero = modelFiles(/^onnx.silero_vad_v6\.onnx$/);
describeWithModels("multiply-adds of a real model in branches", silero, () => {
  it.each(silero)("%s: convolutions of one sampling rate are counted, those of the other are named", async (name) => {
    const { byLayer, uncounted } = await counted(`${MODELS}/${name}`);
    // Each rate has six; the weights of its LSTM are put together by other operators, which are not counted.
    expect(Object.keys(byLayer)).toHaveLength(6);
    expect(uncounted).toHaveLength(6 + 2 * 2);
    expect(uncounted.filter((each) => each in byLayer)).toEqual([]);
  });
});
