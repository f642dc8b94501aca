import type { WeightRole } from "../views";
import { cudnnKind, type RecurrentKind } from "./cudnn";
import type { Variable } from "./variables";

/** How a variable is measured. */
export interface Kernel {
  readonly role: WeightRole;
  /** The shape that the role is for: axes that belong together are one. */
  readonly shape: readonly number[];
  readonly notes: readonly string[];
  /** Set where the values are stored in cuDNN's order and are put into Keras's when they are read. */
  readonly cudnn: RecurrentKind | null;
}

/** The shape of another variable of the same layer. */
export type Siblings = (name: string) => readonly number[] | undefined;

const REASONS: Readonly<Record<string, string>> = {
  bias: "bias", gamma: "scale of a normalization", beta: "shift of a normalization",
  moving_mean: "running statistics of a normalization", moving_variance: "running statistics of a normalization",
};

/** Gates in the order of their columns (keras.layers.LSTM, GRU; the gate z is GRU's update gate, r its reset gate). */
const GATES: Readonly<Record<RecurrentKind, readonly string[]>> = { lstm: ["i", "f", "c", "o"], gru: ["z", "r", "h"], rnn: ["h"] };
const KIND_BY_RATIO: Readonly<Record<number, RecurrentKind>> = { 4: "lstm", 3: "gru", 1: "rnn" };

/** What a variable does, or why it is no weight matrix. */
export function kernelOf(variable: Variable, shape: readonly number[], siblings: Siblings): Kernel | string {
  const { name, layerClass } = variable;
  const reason = Object.hasOwn(REASONS, name) ? REASONS[name] : undefined;
  if (reason !== undefined) return reason;
  if (shape.length === 0) return "a single number";
  if (shape.length === 1) return "one axis: no matrix";
  const groups = variable.config?.groups ?? 1;
  switch (name) {
    case "embeddings": return known({ kind: "embedding" }, shape);
    case "depthwise_kernel": return known({ kind: "conv", groups: 1, channels: "depthwise" }, shape);
    case "pointwise_kernel": return known({ kind: "conv", groups: 1, channels: "last" }, shape);
    case "kernel": case "recurrent_kernel": break;
    default: return known({ kind: "other" }, shape);
  }
  const recurrent = siblings("recurrent_kernel");
  if (recurrent !== undefined && recurrent.length === 2 && shape.length === 2) return recurrentKernel(variable, shape, recurrent, siblings("bias"));
  if (recurrent !== undefined && shape.length > 2) return known({ kind: "conv", groups: 1, channels: "last" }, shape, ["a convolutional LSTM's: its gates as one"]);
  if (layerClass !== null && /^conv\dd_transpose$/.test(layerClass)) return known({ kind: "conv_transpose", groups: 1, channels: "last" }, shape);
  if (layerClass !== null && layerClass.startsWith("depthwise_conv")) return known({ kind: "conv", groups: 1, channels: "depthwise" }, shape);
  if (layerClass !== null && /^conv\dd$/.test(layerClass)) return known({ kind: "conv", groups, channels: "last" }, shape);
  if (layerClass === "einsum_dense") return einsumKernel(variable, shape);
  if (shape.length === 2) return known({ kind: "linear", layout: "in_out" }, shape);
  return shape.length <= 5 ? known({ kind: "conv", groups: 1, channels: "last" }, shape, ["taken as a convolution by its shape"]) : known({ kind: "other" }, shape);
}

function known(role: WeightRole, shape: readonly number[], notes: readonly string[] = [], cudnn: RecurrentKind | null = null): Kernel {
  return { role, shape, notes, cudnn };
}

function recurrentKernel({ name, layerClass, config }: Variable, shape: readonly number[], recurrent: readonly number[], bias: readonly number[] | undefined): Kernel {
  const units = recurrent[0] ?? 1;
  const kind = KIND_BY_RATIO[(recurrent[1] ?? 0) / units];
  if (kind === undefined) return known({ kind: "linear", layout: "in_out" }, shape, ["a recurrent layer whose gates are not known"]);
  const cudnn = cudnnKind(kind, units, bias, `${layerClass ?? ""} ${config?.className ?? ""}`);
  const notes = cudnn === null ? [] : ["stored in cuDNN's order, put into Keras's"];
  return known({ kind, weight: name === "kernel" ? "input" : "recurrent", layout: "in_gates", gates: GATES[kind] }, shape, notes, cudnn);
}

/** EinsumDense and the parts of attention contract either the first axes of their kernel or others: (in, heads, dim), (heads, dim, out). */
function einsumKernel({ config, layerPath }: Variable, shape: readonly number[]): Kernel {
  if (shape.length === 2) return known({ kind: "linear", layout: "in_out" }, shape);
  const contracted = /(?:^|_)output(?:_dense)?(?:_\d+)?$/.test(layerPath.at(-1) ?? "") ? shape.length - 1 : contractedAxes(config?.equation ?? null, shape.length);
  const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  if (contracted === null) return known({ kind: "other" }, shape);
  return known({ kind: "linear", layout: "in_out" }, [product(shape.slice(0, contracted)), product(shape.slice(contracted))], [`used as [${product(shape.slice(0, contracted))}, ${product(shape.slice(contracted))}]`]);
}

/** How many of a kernel's first axes are summed over; null when it is others. Without an equation the first one is. */
function contractedAxes(equation: string | null, axes: number): number | null {
  const [, kernel = "", out = ""] = /^[^,]*,(\w+)->(.*)$/.exec(equation ?? "") ?? [];
  if (kernel === "") return 1;
  if (kernel.length !== axes) return null;
  const summed = [...kernel].map((letter) => !out.includes(letter));
  const count = summed.filter(Boolean).length;
  return count > 0 && count < axes && summed.slice(0, count).every(Boolean) ? count : null;
}
