import { copyFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { describeWithModels, modelFiles, MODELS } from "../reference/models";
import { journey } from "./support/journey";
import { waitForText } from "./support/reportPage";

/** One real model of each kind of file, small ones. */
const ENDINGS = [/mnist_cnn\.onnx$/, /tinystories_656k\/model\.safetensors$/, /tsp_20\.pt$/, /RFB-320\.pth$/, /r8\/adapter_model\.bin$/, /q4_0\.gguf$/, /resnet8_cifar10\.h5$/, /hand_keypoint_mlp\.hdf5$/, /kws_int8\.tflite$/, /\.npz$/];
const files = ENDINGS.flatMap((ending) => modelFiles(ending).slice(0, 1));

describeWithModels("every kind of file in the editor", files, () => {
  const window = journey("formats", (folder) => files.forEach((file) => copyFileSync(join(MODELS, file), join(folder, basename(file)))));

  it("is at hand", () => expect(files).toHaveLength(ENDINGS.length));

  it.each(files)("%s shows its ranks after a right-click", async (file) => {
    const report = await window().analyzeFromExplorer(basename(file));
    expect(await waitForText(report, /^(All|\d+ of) \d+ matrices are measured\.$/)).toMatch(/^All/);
    await window().shot(basename(file));
    await window().page.keyboard.press("Control+F4");
  });

  it("breaks no content security policy and logs no error", () => {
    expect(window().complaints).toEqual([]);
  });
});
