import type { Layout } from "../layout";
import { constantOf } from "./constants";
import type { Node, Use, Value } from "./graph";
import { integer, type QuantizedInput } from "./operators";
import { rowMajor } from "./strides";
import { elementsOf, type TensorRecord } from "./tensorProto";

/**
 * How stored integers become weights: (q − zeroPoint) · scale (Operators.md, DequantizeLinear).
 * Scale and zero point have one element, or one for each index of `axis` of the stored tensor, or,
 * with `blockSize` > 0, the stored tensor's rank with `axis` divided by it.
 */
export interface Quantization {
  readonly scale: TensorRecord;
  readonly zeroPoint: TensorRecord | null;
  /** null: one scale for the whole tensor. */
  readonly axis: number | null;
  readonly blockSize: number;
}

/** Steps from an integer product to the multiplication with its scale: Cast, then Mul. */
const MOST_STEPS_TO_SCALE = 4;
/** Uses of one product that are looked at. */
const MOST_USES = 16;

/** Of a DequantizeLinear node that takes `layout`'s tensor; null when its scale is not in the file or does not fit. */
export function dequantizeLinear(node: Node, layout: Layout | null, stored: readonly number[]): Quantization | null {
  const axis = integer(node, "axis", 1);
  const blockSize = integer(node, "block_size", 0);
  return fitted(constantOf(node.inputs[1]), constantOf(node.inputs[2]), (shape) => (axis < 0 ? axis + shape.length : axis), blockSize, layout, stored,
    (node.inputs[2] ?? null) !== null);
}

/** Of an operator on integers, whose scale is an input, or is multiplied to its product. */
export function quantizedOperator(node: Node, inputs: QuantizedInput, layout: Layout | null, stored: readonly number[]): Quantization | null {
  const scale = inputs.scale === null ? scaleOfProduct(node) : constantOf(node.inputs[inputs.scale]);
  const zeroPoint = inputs.zeroPoint === null ? null : node.inputs[inputs.zeroPoint];
  return fitted(scale, constantOf(zeroPoint), (shape) => inputs.axis(shape, node), inputs.blockSize?.(node) ?? 0, layout, stored, (zeroPoint ?? null) !== null);
}

/** Of integers that are looked up first and dequantized after (a quantized embedding): one scale for all. */
export function dequantizedAfter(node: Node, stored: readonly number[]): Quantization | null {
  for (const use of node.outputs[0]?.uses.slice(0, MOST_USES) ?? []) {
    if (use.node.opType !== "DequantizeLinear" || use.input !== 0) continue;
    const found = dequantizeLinear(use.node, rowMajor(stored), stored);
    if (found?.axis === null) return found;
  }
  return null;
}

function fitted(
  scale: TensorRecord | null, zeroPoint: TensorRecord | null, axisOf: (shape: readonly number[]) => number, blockSize: number,
  layout: Layout | null, stored: readonly number[], hasZeroPoint: boolean,
): Quantization | null {
  if (scale === null || (hasZeroPoint && zeroPoint === null) || blockSize < 0) return null;
  const count = elementsOf(scale.shape);
  if (zeroPoint !== null && elementsOf(zeroPoint.shape) !== count && elementsOf(zeroPoint.shape) !== 1) return null;
  if (count === 1) return { scale, zeroPoint, axis: null, blockSize: 0 };
  if (layout === null) return null;
  const axis = storedAxis(layout, axisOf(layout.shape), stored);
  if (axis === null) return null;
  if (blockSize === 0) return count === stored[axis] ? { scale, zeroPoint, axis, blockSize } : null;
  const blocks = stored.map((size, at) => (at === axis ? Math.ceil(size / blockSize) : size));
  return String(scale.shape) === String(blocks) ? { scale, zeroPoint, axis, blockSize } : null;
}

/** The stored tensor's axis that lies where axis `axis` of the layout does. */
function storedAxis(layout: Layout, axis: number, stored: readonly number[]): number | null {
  const plain = rowMajor(stored);
  const size = layout.shape[axis], stride = layout.strides[axis];
  const at = stored.findIndex((candidate, index) => candidate === size && plain.strides[index] === stride);
  return at < 0 ? null : at;
}

/**
 * ONNX Runtime's dynamic quantization multiplies the integer product, cast to float, by
 * activation scale · weight scale (onnxruntime/quantization/operators/matmul.py).
 */
function scaleOfProduct(node: Node): TensorRecord | null {
  let value: Value | undefined = node.outputs[0];
  for (let step = 0; step < MOST_STEPS_TO_SCALE && value !== undefined; step++) {
    const uses: readonly Use[] = value.uses.slice(0, MOST_USES);
    const multiplied = uses.find((use) => use.node.opType === "Mul");
    if (multiplied !== undefined) {
      const other = multiplied.node.inputs[1 - multiplied.input];
      return constantOf(other) ?? constantFactor(other?.producer ?? null);
    }
    value = uses.find((use) => use.node.opType === "Cast")?.node.outputs[0];
  }
  return null;
}

function constantFactor(node: Node | null): TensorRecord | null {
  if (node?.opType !== "Mul") return null;
  return constantOf(node.inputs[0]) ?? constantOf(node.inputs[1]);
}
