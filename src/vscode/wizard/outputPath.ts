import { reportFileName } from "../reportFiles";

const REPORT_ENDING = ".ranks.json";

/** "nets/digits.onnx" → "nets/digits.factorized": beside the model and told apart from it; the format's ending follows. */
export function outputStem(modelPath: string): string {
  return `${reportFileName(modelPath, "json").slice(0, -REPORT_ENDING.length)}.factorized`;
}
