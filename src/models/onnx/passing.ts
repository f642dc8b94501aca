import type { Layout } from "../layout";
import { constantIntegers } from "./constants";
import type { Node, Use, Value } from "./graph";
import { integer } from "./operators";
import { dequantizeLinear, type Quantization } from "./quantization";
import { reshape, transpose } from "./strides";
import { DATA_TYPES } from "./schema";
import type { TensorRecord } from "./tensorProto";

/** Slices that are put together again: twelve for the three inputs of a bidirectional LSTM. */
const MOST_PARTS = 64;

/** A weight on its way through the graph. */
export interface Flow {
  readonly tensor: TensorRecord;
  readonly value: Value;
  /** Where the value's elements lie in the stored tensor; null once that is not known. */
  readonly layout: Layout | null;
  readonly quantization: Quantization | null;
  /** Rows [start, end) of `of` that were cut out. */
  readonly cut: { readonly of: Value; readonly start: number; readonly end: number } | null;
  /** Rows of the stored tensor in their new order, after cutting and joining them again. */
  readonly rows: readonly (readonly [number, number])[] | null;
  /** What was done to it that changes its meaning, for the notes. */
  readonly changes: readonly string[];
}

/** A step that only renames or moves weights. @returns null when the node does more than that */
export function pass(flow: Flow, use: Use): Flow | null {
  const { node, input } = use;
  const output = node.outputs[0];
  if (node.domain !== "" || output === undefined) return null;
  const moved = (layout: Layout | null): Flow => ({ ...flow, value: output, layout });
  if (node.opType === "Concat") return joined(flow, node, output);
  if (input !== 0) return null;
  switch (node.opType) {
    case "Identity": case "Cast": case "CastLike": case "Dropout": case "QuantizeLinear":
      return moved(flow.layout);
    case "Transpose":
      return moved(flow.layout && transpose(flow.layout, node.attributes.get("perm")?.ints ?? []));
    case "Reshape": case "Flatten": case "Squeeze": case "Unsqueeze": {
      const shape = flow.layout && newShape(node, flow.layout.shape);
      return moved(flow.layout && shape && reshape(flow.layout, shape));
    }
    case "DequantizeLinear": {
      const type = DATA_TYPES.get(flow.tensor.dataType);
      // Wider floats were quantized just before, and are what they were but for rounding.
      if (type === undefined || (type.use === "float" && type.bits > 8)) return moved(flow.layout);
      const quantization = dequantizeLinear(node, flow.layout, flow.tensor.shape);
      const isLost = quantization === null && type.use === "float";
      return { ...moved(flow.layout), quantization, changes: isLost ? [...flow.changes, "multiplied by a scale that is not found in the file"] : flow.changes };
    }
    case "Slice": case "Split":
      return sliced(flow, node, output);
    default:
      return null;
  }
}

function newShape(node: Node, shape: readonly number[]): number[] | null {
  switch (node.opType) {
    case "Flatten": {
      const axis = integer(node, "axis", 1);
      const at = axis < 0 ? axis + shape.length : axis;
      return [product(shape.slice(0, at)), product(shape.slice(at))];
    }
    case "Reshape":
      return reshaped(shape, listed(node, "shape"), integer(node, "allowzero", 0) !== 0);
    case "Squeeze": {
      const axes = (listed(node, "axes") ?? []).map((axis) => (axis < 0 ? axis + shape.length : axis));
      return shape.filter((size, axis) => !(size === 1 && (axes.length === 0 || axes.includes(axis))));
    }
    default: {
      const axes = listed(node, "axes");
      if (axes === null) return null;
      const rank = shape.length + axes.length;
      const added = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
      const left = [...shape];
      return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : left.shift() ?? 1));
    }
  }
}

/** Reshape's target: 0 keeps a size, one −1 takes what is left (Operators.md, Reshape). */
function reshaped(shape: readonly number[], target: readonly number[] | null, zeroIsZero: boolean): number[] | null {
  if (target === null) return null;
  const sizes = target.map((size, axis) => (size === 0 && !zeroIsZero ? shape[axis] ?? 0 : size));
  const known = product(sizes.filter((size) => size !== -1));
  if (known <= 0) return null;
  const filled = sizes.map((size) => (size === -1 ? product(shape) / known : size));
  return filled.every((size) => Number.isInteger(size) && size > 0) ? filled : null;
}

/** A list that older operator sets keep in an attribute and newer ones in input 1. */
function listed(node: Node, name: string): readonly number[] | null {
  return node.attributes.get(name)?.ints ?? constantIntegers(node.inputs[1]);
}

function sliced(flow: Flow, node: Node, output: Value): Flow {
  const cut = node.opType === "Slice" ? cutOf(node, flow.layout?.shape[0] ?? 0) : null;
  return {
    ...flow, value: output,
    cut: cut === null ? null : { of: flow.value, start: cut[0], end: cut[1] },
    changes: [...flow.changes, node.opType === "Slice" ? "sliced before it is used" : "split before it is used"],
  };
}

/** Rows that a Slice along axis 0 takes; null for any other Slice. */
function cutOf(node: Node, rows: number): readonly [number, number] | null {
  const from = (name: string, input: number) => node.attributes.get(name)?.ints ?? constantIntegers(node.inputs[input]);
  const starts = from("starts", 1), ends = from("ends", 2), axes = from("axes", 3) ?? [0], steps = from("steps", 4) ?? [1];
  if (starts?.length !== 1 || ends?.length !== 1 || axes[0] !== 0 || steps[0] !== 1) return null;
  const within = (index: number) => Math.max(0, Math.min(rows, index < 0 ? index + rows : index));
  return [within(starts[0]!), within(ends[0]!)];
}

/** Slices of one tensor that are joined again are that tensor with its rows in another order. */
function joined(flow: Flow, node: Node, output: Value): Flow {
  const source = flow.cut?.of;
  const follow = source !== undefined && integer(node, "axis", 0) === 0 && node.inputs.length <= MOST_PARTS;
  const parts = !follow ? [] : node.inputs.map((value) => {
    const slice = value?.producer;
    return slice?.opType === "Slice" && slice.inputs[0] === source ? cutOf(slice, flow.layout?.shape[0] ?? 0) : null;
  });
  const rows = parts.filter((part) => part !== null);
  const whole = rows.length > 0 && rows.length === parts.length && covers(rows, flow.layout?.shape[0] ?? 0);
  if (whole) return { ...flow, value: output, cut: null, rows, changes: flow.changes.slice(0, -1) };
  return { ...flow, value: output, cut: null, changes: [...flow.changes, "joined with other tensors before it is used"] };
}

function covers(rows: readonly (readonly [number, number])[], size: number): boolean {
  let at = 0;
  for (const [start, end] of [...rows].sort((a, b) => a[0] - b[0])) {
    if (start !== at) return false;
    at = end;
  }
  return at === size;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
