import type { SkippedTensor } from "../../shared/report";
import { clipped } from "../clipped";
import type { Layer, OpenOptions } from "../model";
import { placeOf } from "../names";
import { viewsOf, type WeightRole } from "../views";
import type { Constant, Graph, Use } from "./graph";
import { roleOf } from "./roles";
import { elementsOf, whyUnread } from "./values";

export interface ReadableLayer {
  readonly layer: Layer;
  readonly constant: Constant;
}

export interface Sorted {
  /** In the order in which the model runs. */
  readonly layers: readonly ReadableLayer[];
  readonly skipped: readonly SkippedTensor[];
  /** Values of all floats, and of integers that have a scale. */
  readonly parameters: number;
}

/** Puts every tensor that has values into `layers` or, with the reason, into `skipped`. */
export function sortConstants({ constants }: Graph, options: OpenOptions): Sorted {
  const layers: { readonly layer: ReadableLayer; readonly order: number }[] = [];
  const skipped: SkippedTensor[] = [];
  const counted = new Set<number>();
  const taken = new Map<string, number>();
  let parameters = 0;
  for (const constant of constants) {
    const { shape, type } = constant;
    const name = unique(constant.name === "" ? "(unnamed tensor)" : constant.name, taken);
    // Two tensors of one buffer are the same weights.
    if (!counted.has(constant.begin) && (type.use === "float" || (type.use === "quantized" && constant.quantization !== null)) && whyUnread(constant) === null) {
      counted.add(constant.begin);
      parameters += elementsOf(shape);
    }
    const sorted = sort(constant, options);
    if (typeof sorted === "string") skipped.push({ name, shape, dtype: type.name, reason: sorted });
    else {
      const layer: Layer = { tensor: { name, dtype: type.name, shape }, kind: sorted.kind, views: sorted.views, ...placeOf(pathOf(constant.name)), notes: sorted.notes };
      layers.push({ layer: { layer, constant }, order: sorted.order });
    }
  }
  layers.sort((a, b) => a.order - b.order);
  return { layers: layers.map(({ layer }) => layer), skipped, parameters };
}

/** Rows of one name are one layer: a name that comes again gets a number. */
function unique(name: string, taken: Map<string, number>): string {
  const copies = taken.get(name) ?? 0;
  taken.set(name, copies + 1);
  return copies === 0 ? name : unique(`${name} (${copies + 1})`, taken);
}

function sort(constant: Constant, { smallestTensor }: OpenOptions): (Pick<Layer, "kind" | "views" | "notes"> & { order: number }) | string {
  const { shape, type, uses, quantization } = constant;
  const unread = whyUnread(constant);
  if (unread !== null) return unread;
  const count = elementsOf(shape);
  const found = uses.map((use) => ({ use, role: roleOf(use, shape) }));
  const first = found.find(({ role }) => role.kind === "weight");
  if (first === undefined || first.role.kind !== "weight") {
    return found.some(({ role }) => role.kind === "bias") ? "bias" : `${type.name}, ${usesInWords(uses)}: not a weight matrix`;
  }
  if (count === 0) return "no elements";
  if (type.use === "other") return `${type.name}: not a weight`;
  if (type.use === "quantized" && quantization === null) return `${type.name} without a scale, ${usesInWords(uses)}`;
  if (shape.length < 2) return "one axis: no matrix";
  if (count < smallestTensor) return `${count} weights, fewer than the ${smallestTensor} from which tensors are measured`;
  const { shape: used, role } = shaped(shape, first.role.role);
  const { kind, views, notes } = viewsOf(used, role);
  return {
    kind, views, order: first.use.operator.order,
    notes: [
      ...(type.use === "quantized" ? [quantizationInWords(constant)] : []), ...first.role.notes,
      ...(found.filter((other) => other.role.kind === "weight").length > 1 ? [`used by ${found.length} operators`] : []), ...notes,
    ],
  };
}

/** A depthwise kernel is (1, kh, kw, channels): of one axis too many, and one too few. */
function shaped(shape: readonly number[], role: WeightRole): { shape: readonly number[]; role: WeightRole } {
  return role.kind === "conv" && role.channels === "depthwise" && shape.length > 2 && shape[0] === 1 ? { shape: [...shape.slice(1), 1], role } : { shape, role };
}

function quantizationInWords({ type, quantization }: Constant): string {
  return (quantization?.scales.length ?? 0) > 1 ? `${type.name}, dequantized per axis ${quantization?.axis ?? 0}` : `${type.name}, dequantized`;
}

/** Operators that a reason names. */
const MOST_NAMES = 4;

function usesInWords(uses: readonly Use[]): string {
  const names = [...new Set(uses.map(({ operator }) => operator.name))];
  if (names.length === 0) return "used by no operator";
  return `used by ${names.slice(0, MOST_NAMES).map(clipped).join(", ")}${names.length > MOST_NAMES ? " and others" : ""}`;
}

/** What TensorFlow appends to the name of a layer. */
const PLUMBING = /^(?:MatMul|BiasAdd|Conv[123]D|Tensordot|depthwise|separable_conv2d|ReadVariableOp(?:_\d+)?|kernel|weights?|Read|resource|transpose(?:_\d+)?|Reshape(?:_\d+)?|conv2d_transpose|FakeQuantWithMinMaxVars(?:PerChannel)?|Identity|pseudo_qconst\d*|Relu6?)$/;
/** Names of what a weight was folded with, or called by. */
const FOLDED = /FusedBatchNorm|^StatefulPartitionedCall/;
const CALL = /\/StatefulPartitionedCall.*$/;

/**
 * "model/dense_3/MatMul;model/dense_3/BiasAdd" as "model.dense_3": the converter joins the names of what it fused. The first that says
 * where the weight itself is counts; a name of one step ("MatMul_1") tells the matrices of one layer apart.
 */
function pathOf(name: string): string {
  const parts = name.split(";");
  const told = parts.find((part) => part.includes("/") && !FOLDED.test(part)) ?? parts[0] ?? name;
  const steps = told.replace(/:\d+$/, "").replace(CALL, "").split("/").filter((step) => step !== "");
  while (steps.length > 1 && PLUMBING.test(steps.at(-1)!)) steps.pop();
  const own = told !== parts[0] && /_\d+$/.test(parts[0] ?? "") && !parts[0]!.includes("/") ? [parts[0]!] : [];
  return steps.length === 0 ? name : [...steps, ...own].join(".");
}
