import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sideBySide } from "../../src/verify/sideBySide";
import { factorizeAll } from "../unit/factorize/support/factorized";
import { folder } from "../unit/support/folders";
import { describeWithModels, MODELS } from "./models";

const CLASSIFIER = join("onnx", "ort_mnist_cnn.onnx");
const IMAGES = join(MODELS, "data", "mnist_t10k-images-idx3-ubyte.gz");
const COUNT = 200;

interface Figures {
  readonly relativeError: number;
  readonly cosine: number;
  readonly largestDifference: number;
  readonly topOneAgreement: number;
  readonly byClass: Readonly<Record<string, readonly [samples: number, agreement: number]>>;
}

describeWithModels("the figures of a verification", [CLASSIFIER], () => {
  it("are those of PyTorch and NumPy on the same digits: error, cosine, largest difference, the same class, and by class", async () => {
    const original = join(MODELS, CLASSIFIER);
    const { path: candidate, layers } = await factorizeAll(original, "spatial", (full) => Math.ceil(full / 3));
    expect(layers.length).toBeGreaterThan(0);
    const data = join(folder(), "digits.npz");
    const script = join(import.meta.dirname, "verified_onnx.py");
    const told = JSON.parse(execFileSync("/usr/bin/python3", [script, original, candidate, IMAGES, String(COUNT), data], { encoding: "utf8" })) as Figures;
    const { outputs: [found], batches } = await sideBySide({ original, candidate, data });
    expect(batches).toBe(COUNT);
    for (const figure of ["relativeError", "cosine", "largestDifference"] as const) expect(found![figure] / told[figure]).toBeCloseTo(1, 4);
    expect(found!.topOneAgreement).toBe(told.topOneAgreement);
    expect(told.topOneAgreement).toBeLessThan(1);
    expect(Object.fromEntries(found!.byClass!.map(({ index, samples, agreement }) => [index, [samples, agreement]]))).toEqual(told.byClass);
  });
});
