import { placeOf, type Place } from "../names";
import type { LayerConfig, ModelConfig } from "./config";
import { snakeCase } from "./naming";

/** One variable of one layer. */
export interface Variable {
  /** "kernel", "recurrent_kernel", "bias", "gamma" …; as the file has it where it is none that Keras's own layers have. */
  readonly name: string;
  /** Class of the layer in the form of Keras's names: "conv2d", "lstm_cell"; null where nothing tells. */
  readonly layerClass: string | null;
  readonly config: LayerConfig | null;
  /** Steps of the path that name the layer: ["encoder", "dense_1"]. */
  readonly layerPath: readonly string[];
}

/** Groups that hold the weights of a whole model. */
const CONTAINERS = new Set(["model_weights", "layers", "_layer_checkpoint_dependencies", "vars"]);
/** What Keras 3 numbers instead of naming. */
const NUMBERED: Readonly<Record<string, readonly string[]>> = {
  dense: ["kernel", "bias"], einsum_dense: ["kernel", "bias"], embedding: ["embeddings"],
  conv1d: ["kernel", "bias"], conv2d: ["kernel", "bias"], conv3d: ["kernel", "bias"],
  conv1d_transpose: ["kernel", "bias"], conv2d_transpose: ["kernel", "bias"], conv3d_transpose: ["kernel", "bias"],
  depthwise_conv1d: ["depthwise_kernel", "bias"], depthwise_conv2d: ["depthwise_kernel", "bias"],
  separable_conv1d: ["depthwise_kernel", "pointwise_kernel", "bias"], separable_conv2d: ["depthwise_kernel", "pointwise_kernel", "bias"],
  lstm_cell: ["kernel", "recurrent_kernel", "bias"], gru_cell: ["kernel", "recurrent_kernel", "bias"], simple_rnn_cell: ["kernel", "recurrent_kernel", "bias"],
  conv_lstm_cell: ["kernel", "recurrent_kernel", "bias"],
  // Of a layer inside another, as Bidirectional's: the shapes of its variables tell which.
  rnn_cell: ["kernel", "recurrent_kernel", "bias"],
  batch_normalization: ["gamma", "beta", "moving_mean", "moving_variance"], layer_normalization: ["gamma", "beta"], group_normalization: ["gamma", "beta"],
};
/** Parts of MultiHeadAttention. */
const ATTENTION = /^(?:query|key|value|output|attention_output)(?:_dense)?$/;
const COUNT = /_\d+$/;
/** TensorFlow ends a variable's name so. */
const OUTPUT = /:\d+$/;

/** Takes a dataset's path apart. */
export function variableOf(path: readonly string[], model: ModelConfig): Variable {
  const own = (path.at(-1) ?? "").replace(OUTPUT, "");
  const steps = path.slice(0, -1).filter((step) => !CONTAINERS.has(step));
  const layerPath = steps.filter((step, index) => index === 0 || !repeats(step, steps[index - 1]!));
  const config = configOf(path, steps, model);
  const layerClass = classOf(layerPath, config);
  const numbered = layerClass === null || !/^\d+$/.test(own) ? undefined : NUMBERED[layerClass]?.[Number(own)];
  return { name: numbered ?? own, layerClass, config, layerPath };
}

/** The config of the innermost layer that it knows. Where variables are numbered, layers have names that Keras made up. */
function configOf(path: readonly string[], steps: readonly string[], { layers, counted }: ModelConfig): LayerConfig | null {
  const isCounted = path.at(-2) === "vars";
  for (let length = steps.length; length > 0; length--) {
    const found = isCounted ? counted.get(steps.slice(0, length).join("/")) : layers.get(steps[length - 1]!);
    if (found !== undefined) return found;
  }
  return null;
}

/** Keras repeats a layer's name as the scope of its variables, sometimes with another count: dense/dense_3. */
function repeats(step: string, before: string): boolean {
  return step === before || (step.startsWith(`${before}_`) && COUNT.test(step) && step.replace(COUNT, "") === before);
}

/** By the innermost step that is named as a layer's class, with or without a count; by the config otherwise. */
function classOf(layerPath: readonly string[], config: LayerConfig | null): string | null {
  for (let index = layerPath.length - 1; index >= 0; index--) {
    const step = layerPath[index]!.replace(COUNT, "");
    if (step === "cell") return `${(layerPath.slice(0, index).map((outer) => /(?:conv_)?lstm|gru|simple_rnn/.exec(outer)?.[0]).findLast((found) => found !== undefined) ?? "rnn")}_cell`;
    if (ATTENTION.test(step)) return "einsum_dense";
    if (Object.hasOwn(NUMBERED, step)) return step;
  }
  return config === null ? null : snakeCase(config.className);
}

/** The cell of a recurrent layer: the layer itself, to a person. */
const CELL = /^(?:(?:conv_)?lstm|gru|simple_rnn)_cell(?:_\d+)?$|^cell$/;

/** The steps of a path that name a layer to a person. */
export function withoutCells(layerPath: readonly string[]): readonly string[] {
  return layerPath.filter((step) => !CELL.test(step));
}

/** "lstm_1", or "lstm_1.recurrent_kernel" where a layer has more than one matrix. */
export function placeOfVariable({ layerPath, layerClass, name }: Variable): Place {
  const module = withoutCells(layerPath).join(".");
  if (module === "") return placeOf(name);
  const isOnly = name === "kernel" || name === "embeddings" || (layerClass ?? "").startsWith("depthwise_conv");
  return placeOf(isOnly ? module : `${module}.${name}`);
}
