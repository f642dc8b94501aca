import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { SkippedTensor } from "../../shared/report";
import { clipped } from "../clipped";
import { NO_CONFIG } from "../keras/config";
import type { RecurrentKind } from "../keras/cudnn";
import { naturalKey } from "../keras/naming";
import { kernelOf, type Siblings } from "../keras/roles";
import { placeOfVariable, variableOf, type Variable } from "../keras/variables";
import type { Layer, OpenOptions } from "../model";
import { viewsOf } from "../views";
import type { Bundle, BundleEntry } from "./bundle";
import { OBJECT_GRAPH } from "./objectGraph";
import { typeOf } from "./schema";

export interface ReadableLayer {
  readonly layer: Layer;
  readonly entry: BundleEntry;
  readonly cudnn: RecurrentKind | null;
}

export interface Sorted {
  readonly layers: readonly ReadableLayer[];
  readonly skipped: readonly SkippedTensor[];
  /** Values of all floats that are the model's own. */
  readonly parameters: number;
}

/** What TensorFlow 2 appends to the keys of variables. */
const SUFFIX = /\/\.ATTRIBUTES\/VARIABLE_VALUE$/;
/** State beside the model's own variables: TensorFlow 2's, and the suffixes of TensorFlow 1's optimizers. */
const OPTIMIZER = /\/\.OPTIMIZER_SLOT\/|^optimizer\/|^_?optimizer|(?:^|\/)(?:Adam|Adamax|Momentum|RMSProp|Adagrad|Adadelta|Ftrl|LAMB|AdamWeightDecay|adam_[mv])(?:_\d+)?$/;
const METRIC = /^keras_api\/metrics\/|^metrics\//;

/** Puts every tensor into `layers` or, with the reason, into `skipped`. @throws Fault truncated */
export function sortEntries(bundle: Bundle, names: ReadonlyMap<string, string>, options: OpenOptions): Sorted {
  const named = namedEntries(bundle, names);
  const shapes = new Map(named.map(({ entry, variable }) => [siblingKey(variable), entry.shape]));
  const layers: ReadableLayer[] = [], skipped: SkippedTensor[] = [];
  let parameters = 0;
  for (const { name, entry, variable } of named) {
    const { shape } = entry;
    const { name: dtype } = typeOf(entry.type);
    const reason = whyNotOwn(entry.key) ?? whyUnread(entry, bundle);
    if (reason === null && isFloat(entry)) parameters += shape.reduce((product, size) => product * size, 1);
    const siblings: Siblings = (other) => shapes.get(siblingKey({ ...variable, name: other }));
    const sorted = reason ?? sort(entry, variable, siblings, options);
    if (typeof sorted === "string") skipped.push({ name, shape, dtype, reason: sorted });
    else layers.push({ layer: { tensor: { name, dtype, shape }, ...sorted.made, ...placeOfVariable(variable) }, entry, cudnn: sorted.cudnn });
  }
  return { layers, skipped, parameters };
}

interface Named {
  readonly name: string;
  readonly entry: BundleEntry;
  readonly variable: Variable;
}

/** Under the variables' own names, where no two are the same, in their order with numbers as numbers. */
function namedEntries({ entries }: Bundle, names: ReadonlyMap<string, string>): readonly Named[] {
  const uses = new Map<string, number>();
  for (const { key } of entries) uses.set(names.get(key) ?? key, (uses.get(names.get(key) ?? key) ?? 0) + 1);
  const named = entries.map((entry) => {
    const own = names.get(entry.key);
    const name = own !== undefined && uses.get(own) === 1 && !OPTIMIZER.test(entry.key) ? own : entry.key.replace(SUFFIX, "");
    return { name, entry, variable: variableOf(name.split("/"), NO_CONFIG), order: naturalKey(entry.key) };
  });
  return named.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
}

function siblingKey({ layerPath, name }: Variable): string {
  return JSON.stringify([layerPath, name]);
}

function isFloat({ type }: BundleEntry): boolean {
  return typeOf(type).isFloat;
}

function whyNotOwn(key: string): string | null {
  if (key === OBJECT_GRAPH) return "what belongs to which object of the program: no tensor";
  if (OPTIMIZER.test(key)) return "state of the optimizer: not a weight of the model";
  return METRIC.test(key) ? "state of a metric: not a weight of the model" : null;
}

/** @throws Fault truncated when a file of values ends before the tensor does */
function whyUnread({ key, shape, shard, offset, size, isSliced, type }: BundleEntry, { data }: Bundle): string | null {
  const { bytes, isFloat: isWeight, name } = typeOf(type);
  const bound = shape.reduce((product, axis) => product * Math.max(1, axis), 1) * 8;
  if (!(bound <= Number.MAX_SAFE_INTEGER)) return `its shape, [${shape.join(", ")}], has too large a product`;
  if (isSliced) return "stored in slices, which RankLens does not put together";
  if (!isWeight) return `${name}: not a weight`;
  const needed = shape.reduce((product, axis) => product * axis, 1) * bytes;
  if (needed !== size) return `its ${size} bytes are not those of its shape, [${shape.join(", ")}]`;
  const file = data[shard];
  if (file === undefined) return `in file ${shard} of ${data.length}`;
  if (file.found === null) return `${basename(file.path)} is missing`;
  if (offset + size > file.found.size) {
    throw new Fault("truncated", `${basename(file.path)} ends ${offset + size - file.found.size} bytes before the end of "${clipped(key)}".`, "The download is not complete: fetch the file again.");
  }
  return null;
}

function sort({ shape }: BundleEntry, variable: Variable, siblings: Siblings, { smallestTensor }: OpenOptions): { made: Pick<Layer, "kind" | "views" | "notes">; cudnn: RecurrentKind | null } | string {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count === 0) return "no elements";
  const kernel = kernelOf(variable, shape, siblings);
  if (typeof kernel === "string") return kernel;
  if (count < smallestTensor) return `${count} weights, fewer than the ${smallestTensor} from which tensors are measured`;
  const { kind, views, notes } = viewsOf(kernel.shape, kernel.role);
  return { made: { kind, views, notes: [...kernel.notes, ...notes] }, cudnn: kernel.cudnn };
}
