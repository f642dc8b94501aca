import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS, type Model, type Values } from "../../src/models/model";
import { tflite } from "../../src/models/tflite/format";
import { describeWithModels, modelFiles, MODELS } from "./models";

/** Against a reader in Python that was written from the layout of FlatBuffers: every tensor, bit for bit. */
const SCRIPT = join(import.meta.dirname, "tflite_tensors.py");

interface Reference {
  readonly name: string;
  readonly shape: readonly number[];
  /** SHA-256 of the values, dequantized; null where the script knows none. */
  readonly sha: string | null;
}

const sha = (values: Values) => createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");

async function withModel<T>(file: string, body: (model: Model) => Promise<T>): Promise<T> {
  const model = await tflite.open(join(MODELS, file), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}

const files = modelFiles(/\.tflite$/);

describeWithModels("every TensorFlow Lite model at hand", files, () => {
  it.each(files)("%s: has the tensors and the values that Python reads", async (file) => {
    const reference = JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, join(MODELS, file)], { encoding: "utf8", maxBuffer: 2 ** 26 })) as Reference[];
    await withModel(file, async (model) => {
      // A name that comes again has a number.
      const listed = [...model.layers.map(({ tensor }) => tensor), ...model.skipped].map(({ name, shape }) => `${name.replace(/ \(\d+\)$/, "")} [${shape.join(", ")}]`);
      expect(listed.sort()).toEqual(reference.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).sort());
      for (const { tensor } of model.layers) {
        const expected = reference.filter(({ name }) => name === tensor.name.replace(/ \(\d+\)$/, "")).map((each) => each.sha);
        expect(expected).toContain(sha(await model.read(tensor)));
      }
    });
  });

  it.each([["tflite/mlperf_ad01_fp32.tflite", "tflite/mlperf_ad01_int8.tflite"], ["tflite/mlperf_resnet8_fp32.tflite", "tflite/mlperf_resnet8_int8.tflite"], ["tflite/mlperf_vww_fp32.tflite", "tflite/mlperf_vww_int8.tflite"]])(
    "%s: is within one step of its quantized twin, %s, layer by layer", async (plain, quantized) => {
      const weights = (file: string) => withModel(file, async (model) => Promise.all(model.layers.map(async ({ tensor, kind }) => ({ kind, shape: tensor.shape, values: await model.read(tensor) }))));
      const [originals, twins] = [await weights(plain), await weights(quantized)];
      expect(twins.map(({ kind, shape }) => [kind, shape])).toEqual(originals.map(({ kind, shape }) => [kind, shape]));
      originals.forEach(({ values }, index) => {
        const originalValues = Array.from(values), twin = twins[index]!.values;
        const largest = originalValues.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        // One scale for all, or one a channel: none is larger than the largest value needs.
        expect(originalValues.every((value, at) => Math.abs(value - twin[at]!) <= (largest / 127) * 0.51)).toBe(true);
      });
    });
});
