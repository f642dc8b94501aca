import { basename } from "node:path";
import { Fault } from "../shared/fault";
import { joinAdapters } from "./adapters/join";
import { fileFor } from "./folder";
import { DEFAULT_OPEN_OPTIONS, type Format, type Model, type OpenOptions } from "./model";
import { gguf } from "./gguf/format";
import { keras } from "./keras/format";
import { numpy } from "./numpy/format";
import { onnx } from "./onnx/format";
import { pytorch } from "./pytorch/format";
import { safetensors } from "./safetensors/format";
import { savedmodel } from "./savedmodel/format";
import { tflite } from "./tflite/format";

/** All formats. A new one is a folder beside these and a line here. */
export const FORMATS: readonly Format[] = [onnx, safetensors, pytorch, gguf, keras, tflite, savedmodel, numpy];

/** The format that a file's name says, or undefined. */
export function formatOf(path: string): Format | undefined {
  const name = basename(path).toLowerCase();
  return FORMATS.find((format) => format.endings.some((ending) => name.endsWith(ending)));
}

/**
 * Opens a model, headers only. A folder is opened as the file that stands for it.
 * @throws Fault unknown-format, is-a-folder, and whatever the format finds wrong
 */
export async function openModel(path: string, options: Partial<OpenOptions> = {}): Promise<Model> {
  const file = await fileFor(path, (name) => formatOf(name) !== undefined);
  const format = formatOf(file);
  if (format === undefined) {
    const endings = FORMATS.flatMap((known) => known.endings).join(", ");
    throw new Fault("unknown-format", `${basename(file)} is not a model file that RankLens reads.`, `It reads ${endings}.`);
  }
  const model = await format.open(file, { ...DEFAULT_OPEN_OPTIONS, ...options });
  return joinAdapters(model, file).catch(async (error: unknown) => {
    await model.close();
    throw error;
  });
}
