import { DEFAULT_OPEN_OPTIONS, type Model, type OpenOptions } from "../../../src/models/model";
import { onnx } from "../../../src/models/onnx/format";
import { file } from "./onnxFile";

/** Opens a model that is written for one test; `body` also reads from it before it is closed. */
export async function withModel<T>(content: Uint8Array | string, body: (model: Model) => T | Promise<T>, options: Partial<OpenOptions> = {}): Promise<T> {
  const model = await onnx.open(typeof content === "string" ? content : file(content), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1, ...options });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}
