import { join } from "node:path";
import { expect, it } from "vitest";
import { sideBySide } from "../../src/verify/sideBySide";
import { describeWithModels, MODELS, modelFiles } from "./models";

/** All but the one whose operators stock ONNX Runtime does not have. */
const FILES = modelFiles(/^(?:derived.)?onnx.(?!ort_superres).*\.onnx$/);

describeWithModels("real ONNX models", FILES, () => {
  it.each(FILES)("run on seeded inputs, whatever their graphs leave open, and are themselves: %s", async (name) => {
    const path = join(MODELS, name);
    const { outputs, inputs } = await sideBySide({ original: path, candidate: path, data: null });
    expect(inputs).toMatch(/^seeded random inputs of the graph's shapes/);
    expect(outputs.length).toBeGreaterThan(0);
    for (const output of outputs) expect(output).toMatchObject({ relativeError: 0, largestDifference: 0 });
  });
});
