import type { Layout } from "../layout";
import type { WeightRole } from "../views";
import { functionKey, type LinkedModel, type Node, type StoredTensor, type Use, type Value } from "./graph";
import { quantizedInputOf, roleOf, useInWords } from "./operators";
import { pass, type Flow } from "./passing";
import { dequantizedAfter, quantizedOperator, type Quantization } from "./quantization";
import { rowMajor } from "./strides";

/** A node that uses a tensor as a weight. */
export interface WeightUse {
  readonly node: Node;
  /** Number of the node's input. */
  readonly input: number;
  readonly role: WeightRole;
  /** How the node sees the stored tensor. */
  readonly layout: Layout;
  readonly quantization: Quantization | null;
  readonly changes: readonly string[];
}

export interface Trace {
  readonly weights: readonly WeightUse[];
  /** Whether a DequantizeLinear makes numbers of it, weight or bias. */
  readonly dequantized: boolean;
  /** All other uses, in words, each once: "by Add", "as bias of Conv". */
  readonly others: readonly string[];
  /** False when it goes further than is followed. */
  readonly complete: boolean;
}

/** Values and uses that are looked at for one tensor: bounds the work on graphs made to be slow, and on cycles. */
const MOST_USES = 512;

/**
 * Follows a stored tensor through operators that only rename, reorder or dequantize it to the nodes that use it.
 */
export function traceTensor(stored: StoredTensor, functions: LinkedModel["functions"]): Trace {
  const weights: WeightUse[] = [];
  const others = new Set<string>();
  const seen = new Set<Value>();
  let uses = 0, dequantized = false;
  const queue: Flow[] = stored.value === null ? [] : [{
    tensor: stored.record, value: stored.value, layout: rowMajor(stored.record.shape), quantization: null, cut: null, rows: null, changes: [],
  }];
  for (let flow = queue.shift(); flow !== undefined; flow = queue.shift()) {
    if (seen.has(flow.value)) continue;
    seen.add(flow.value);
    dequantized ||= flow.quantization !== null;
    if ((uses += flow.value.aliases.length) <= MOST_USES) for (const value of flow.value.aliases) queue.push({ ...flow, value });
    for (const use of flow.value.uses) {
      if (++uses > MOST_USES) return { weights, dequantized, others: [...others], complete: false };
      const formal = functions.get(functionKey(use.node.domain, use.node.opType))?.[use.input];
      if (formal !== undefined) {
        queue.push({ ...flow, value: formal });
        continue;
      }
      const found = weightUse(flow, use);
      const next = found === null ? pass(flow, use) : null;
      if (found !== null) weights.push(found);
      else if (next !== null) queue.push(next);
      else others.add(useInWords(use.node, use.input));
    }
  }
  return { weights, dequantized, others: [...others], complete: uses <= MOST_USES };
}

function weightUse(flow: Flow, { node, input }: Use): WeightUse | null {
  const shape = flow.layout?.shape ?? flow.tensor.shape;
  const role = roleOf(node, input, shape);
  if (role === null) return null;
  const quantization = flow.quantization ?? operatorQuantization(flow, node, input);
  if (flow.layout === null) {
    const changes = [...flow.changes, "reshaped in a way that RankLens does not follow"];
    return { node, input, role: { kind: "other" }, layout: rowMajor(flow.tensor.shape), quantization, changes };
  }
  const ordered = inStoredOrder(role, flow);
  return { node, input, ...asStored(ordered, withoutStack(ordered, flow.layout)), quantization, changes: flow.changes };
}

/** A transposed matrix is shown as it is stored, with its input on the other side: its singular values are the same. */
function asStored(role: WeightRole, layout: Layout): { role: WeightRole; layout: Layout } {
  const [rows, columns] = layout.strides;
  if (role.kind !== "linear" || rows === undefined || columns === undefined || rows >= columns) return { role, layout };
  const stored = { shape: [...layout.shape].reverse(), strides: [...layout.strides].reverse() };
  return { role: { ...role, layout: role.layout === "in_out" ? "out_in" : "in_out" }, layout: stored };
}

/** MatMul broadcasts over axes of size 1 before the matrix (numpy.matmul): the role is that of the axes left. */
function withoutStack(role: WeightRole, layout: Layout): Layout {
  if (role.kind !== "linear" && role.kind !== "expert") return layout;
  const kept = [...layout.shape.keys()].filter((axis) => axis >= layout.shape.length - 2 || layout.shape[axis]! > 1);
  return { shape: kept.map((axis) => layout.shape[axis]!), strides: kept.map((axis) => layout.strides[axis]!) };
}

function operatorQuantization(flow: Flow, node: Node, input: number): Quantization | null {
  const inputs = quantizedInputOf(node, input);
  if (inputs !== null) return quantizedOperator(node, inputs, flow.layout, flow.tensor.shape);
  return node.opType === "Gather" ? dequantizedAfter(node, flow.tensor.shape) : null;
}

/**
 * Exporters reorder a framework's gates to ONNX's by slices that are joined again; the stored tensor keeps the
 * framework's order. Names its gates by where each ONNX gate comes from.
 */
function inStoredOrder(role: WeightRole, flow: Flow): WeightRole {
  if (flow.rows === null || !("gates" in role)) return role;
  const total = flow.rows.reduce((sum, [start, end]) => sum + end - start, 0);
  const size = total / role.gates.length;
  if (!Number.isInteger(size) || flow.layout?.shape.at(-2) !== total) return { kind: "other" };
  const gates = new Array<string>(role.gates.length).fill("");
  let at = 0;
  for (const [start, end] of flow.rows) {
    if (start % size !== 0 || (end - start) % size !== 0) return { kind: "other" };
    for (let row = start; row < end; row += size) gates[row / size] = role.gates[at++]!;
  }
  return { ...role, gates };
}
