import { Fault } from "../shared/fault";
import type { Model, OpenOptions } from "../models/model";
import { openOnnxSource } from "./onnx/source";
import { openSafetensorsSource } from "./safetensors/source";
import type { Output, Source } from "./source";

/** Endings of the files that can be written. */
const ENDINGS: Readonly<Record<string, string>> = { onnx: ".onnx", safetensors: ".safetensors" };

/** A model's layers as they can be factorized, by its format. @throws Fault unsupported, and those of the format */
export async function openSource(model: Model, options: OpenOptions, output: Output): Promise<Source> {
  const { path, format } = model.summary;
  if (format === "onnx") {
    if (output !== "factored") throw new Fault("usage", `--as ${output} is for safetensors: an ONNX graph holds the factors itself.`);
    return openOnnxSource(path, model.layers, options);
  }
  if (format === "safetensors") return openSafetensorsSource(path, model.layers, output);
  throw new Fault("unsupported", `Models of the format ${format} cannot be factorized.`, "ONNX and safetensors can.");
}

/** Of the file that a model of this format is written to; empty where it cannot be. */
export function endingOf(format: string): string {
  return ENDINGS[format] ?? "";
}

/** @throws Fault usage when a name's ending is not that of the model's format */
export function assertEnding(model: Model, output: string): void {
  const ending = ENDINGS[model.summary.format];
  if (ending === undefined || output.toLowerCase().endsWith(ending)) return;
  throw new Fault("usage", `The factorized model is ${model.summary.format}: the name of the output ends in ${ending}.`);
}
