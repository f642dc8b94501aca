import type { SkippedTensor } from "../../shared/report";
import type { Dataset } from "../hdf5/file";
import { dtypeOf, elementsOf, whyUnread } from "../hdf5/values";
import type { Layer, OpenOptions } from "../model";
import { viewsOf } from "../views";
import { inModelOrder } from "./config";
import type { Container } from "./container";
import type { RecurrentKind } from "./cudnn";
import { kernelOf, type Siblings } from "./roles";
import { placeOfVariable, variableOf, type Variable } from "./variables";

export interface ReadableLayer {
  readonly layer: Layer;
  readonly dataset: Dataset;
  readonly cudnn: RecurrentKind | null;
}

export interface Sorted {
  readonly layers: readonly ReadableLayer[];
  readonly skipped: readonly SkippedTensor[];
  /** Values of all floats that are the model's own. */
  readonly parameters: number;
}

/** Groups beside the model's own weights. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^optimizer(?:_weights)?\//, "state of the optimizer: not a weight of the model"],
  [/^(?:metrics|compile_metrics|loss_tracker)\//, "state of a metric: not a weight of the model"],
];

/** Puts every dataset into `layers` or, with the reason, into `skipped`. */
export function sortDatasets({ weights, config, layerNames }: Container, options: OpenOptions): Sorted {
  const layers: ReadableLayer[] = [], skipped: SkippedTensor[] = [];
  let parameters = 0;
  const variables = weights.datasets.map((dataset) => ({ dataset, path: dataset.path, variable: variableOf(dataset.path, config) }));
  const shapes = new Map(variables.map(({ dataset, variable }) => [siblingKey(dataset.path, variable.name), dataset.shape]));
  for (const { dataset, variable } of inModelOrder(variables, layerNames)) {
    const name = dataset.path.join("/"), dtype = dtypeOf(dataset);
    const siblings: Siblings = (other) => shapes.get(siblingKey(dataset.path, other));
    const other = OTHERS.find(([pattern]) => pattern.test(name));
    if (other === undefined && isFloat(dtype)) parameters += elementsOf(dataset.shape);
    const sorted = other?.[1] ?? sort(dataset, variable, weights.bytes.source.size, siblings, options);
    if (typeof sorted === "string") skipped.push({ name, shape: dataset.shape, dtype, reason: sorted });
    else layers.push({ layer: { tensor: { name, dtype, shape: dataset.shape }, ...sorted.made, ...placeOfVariable(variable) }, dataset, cudnn: sorted.cudnn });
  }
  return { layers, skipped, parameters };
}

/** Whether a dataset, by its path, is beside the model's own weights. */
export function isBeside(name: string): boolean {
  return OTHERS.some(([pattern]) => pattern.test(name));
}

/** Variables of one group are those of one layer. */
function siblingKey(path: readonly string[], variable: string): string {
  return JSON.stringify([path.slice(0, -1), variable]);
}

function isFloat(dtype: string): boolean {
  return dtype.startsWith("float") || dtype === "bfloat16";
}

function sort(dataset: Dataset, variable: Variable, size: number, siblings: Siblings, { smallestTensor }: OpenOptions): { made: Pick<Layer, "kind" | "views" | "notes">; cudnn: RecurrentKind | null } | string {
  const { shape } = dataset, dtype = dtypeOf(dataset);
  const unread = whyUnread(dataset, size);
  if (unread !== null) return unread;
  const count = elementsOf(shape);
  if (count === 0) return "no elements";
  if (!isFloat(dtype)) return dtype === "int8" ? "int8, quantized in a way of Keras's own, which RankLens does not read" : `${dtype}: not a weight`;
  const kernel = kernelOf(variable, shape, siblings);
  if (typeof kernel === "string") return kernel;
  if (count < smallestTensor) return `${count} weights, fewer than the ${smallestTensor} from which tensors are measured`;
  const { kind, views, notes } = viewsOf(kernel.shape, kernel.role);
  return { made: { kind, views, notes: [...kernel.notes, ...notes] }, cudnn: kernel.cudnn };
}
