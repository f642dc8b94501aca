import type { ReadableLayer } from "../../../models/keras/layers";
import type { Variable } from "../../../models/keras/variables";
import type { Values } from "../../../models/model";
import { product } from "../../target";

/** Names of a normalization's variables in torch.nn, by Keras's. */
const NORMALIZATION: Readonly<Record<string, string>> = { gamma: "weight", beta: "bias", moving_mean: "running_mean", moving_variance: "running_var" };
const SEPARABLE: Readonly<Record<string, string>> = { depthwise_kernel: "depthwise.weight", pointwise_kernel: "pointwise.weight" };

/** Where a variable goes in PyTorch: its name and shape, and what of Keras's order changes. */
export interface PlaceIn {
  readonly own: string;
  /** Left out: the layer's own path. */
  readonly module?: readonly string[];
  readonly shape: readonly number[];
  /** Keras's axes in PyTorch's order, and their sizes where these are not the shape. */
  readonly axes?: readonly number[];
  readonly sizes?: readonly number[];
  readonly blocks?: readonly number[];
  /** The part of the variable that goes there; left out: all of it. */
  readonly take?: (values: Values) => Values;
}

/** @param outputs of the layer's kernel, where that has more axes than two and is used as a matrix */
export function placeIn({ name: variable, layerClass }: Variable, shape: readonly number[], entry: ReadableLayer | undefined, outputs: number | null): PlaceIn {
  const weight = layerClass?.startsWith("separable") === true ? (SEPARABLE[variable] ?? "weight") : "weight";
  const asIs = (own: string): PlaceIn => ({ own, shape });
  if (variable === "bias" && outputs !== null) return { own: variable, shape: [outputs] };
  if (entry === undefined) return asIs(NORMALIZATION[variable] ?? variable);
  const { kind, views } = entry.layer;
  const turned = (axes: readonly number[]): PlaceIn => ({ own: weight, shape: axes.map((axis) => shape[axis]!), axes });
  const last = shape.length - 1;
  const window = shape.slice(0, -2).map((_, axis) => axis);
  if (kind === "embedding" && shape.length === 2) return asIs(weight);
  if (kind === "linear" && shape.length === 2 && views[0]?.input === "rows") return turned([1, 0]);
  // (in, heads, dim) or (heads, dim, out): axes that belong together are one, as they lie.
  if (variable === "kernel" && outputs !== null) return { own: weight, shape: [outputs, product(shape) / outputs], axes: [1, 0] };
  if (views[0]?.unfolding === "depthwise" && shape.length > 2) {
    const axes = [last - 1, last, ...window];
    return { own: weight, axes, sizes: axes.map((axis) => shape[axis]!), shape: [product(shape.slice(-2)), 1, ...shape.slice(0, -2)] };
  }
  const isKernel = variable === "kernel" || variable === "pointwise_kernel";
  return isKernel && (kind === "conv" || kind === "conv_transpose") && shape.length > 2 ? turned([last, last - 1, ...window]) : asIs(variable);
}
