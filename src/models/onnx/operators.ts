import type { WeightRole } from "../views";
import type { Node } from "./graph";

/**
 * What ONNX's operators do with a stored tensor, by input number.
 * Sources: onnx/docs/Operators.md; onnxruntime/docs/ContribOperators.md (domain com.microsoft).
 */

const MICROSOFT = "com.microsoft";
/** TensorProto.DataType of bytes. */
const UINT8 = 2;

/** Gate orders of ONNX's W, R and B (Operators.md: LSTM "iofc", GRU "zrh"; an RNN has one). */
export const GATES = { lstm: ["i", "o", "f", "c"], gru: ["z", "r", "h"], rnn: ["h"] } as const;
const RECURRENT = { LSTM: "lstm", GRU: "gru", RNN: "rnn" } as const;

/** Inputs that hold what belongs to a quantized weight. */
export interface QuantizedInput {
  readonly scale: number | null;
  readonly zeroPoint: number | null;
  /** Axis of the weight along which there is one scale each, where there are several. */
  readonly axis: (shape: readonly number[], node: Node) => number;
  /** Size of the blocks along it that share a scale; left out: 1. */
  readonly blockSize?: (node: Node) => number;
}

/** One operator's weight inputs. */
interface Operator {
  readonly weights: readonly number[];
  readonly role: (node: Node, input: number, shape: readonly number[]) => WeightRole;
  /** Names of further inputs, told as the reason for which they are skipped. */
  readonly others?: Readonly<Record<number, string>>;
  readonly quantized?: Readonly<Record<number, QuantizedInput>>;
  /** Weights are packed in a way of the operator's own (`packed.ts`). */
  readonly packed?: true;
}

const OTHER: WeightRole = { kind: "other" };
const columns = (shape: readonly number[]) => shape.length - 1;
const rowsOfLeft = (shape: readonly number[]) => shape.length - 2;
const outputChannels = () => 0;
const quantized = (scale: number | null, zeroPoint: number | null, axis: QuantizedInput["axis"]): QuantizedInput => ({ scale, zeroPoint, axis });

const conv = (node: Node): WeightRole => ({ kind: "conv", groups: integer(node, "group", 1) });

/** `right` is the number of the input that is multiplied from the right. */
const matMul = (right: number) => (node: Node, input: number, shape: readonly number[]): WeightRole => {
  const isRight = input === right;
  const transposed = integer(node, isRight ? "transB" : "transA", 0) !== 0;
  // x·W keeps inputs in the rows of W, W·x in its columns; transposed each the other way round.
  const layout = isRight === transposed ? "out_in" : "in_out";
  const stacks = shape.slice(0, -2).filter((size) => size > 1).length;
  if (stacks === 0) return { kind: "linear", layout };
  return stacks === 1 ? { kind: "expert", layout } : OTHER;
};

function recurrent(node: Node, input: number, shape: readonly number[]): WeightRole {
  const kind = RECURRENT[node.opType as keyof typeof RECURRENT];
  return { kind, weight: input === 1 ? "input" : "recurrent", layout: shape.length === 3 ? "directions_gates_in" : "gates_in", gates: GATES[kind] };
}

/** com.microsoft Attention keeps q, k and v side by side in the columns of (in, q + k + v). */
function attention(node: Node, _input: number, shape: readonly number[]): WeightRole {
  const width = shape[1] ?? 0;
  const given = node.attributes.get("qkv_hidden_sizes")?.ints ?? [];
  const sizes = given.length === 3 ? given : [width / 3, width / 3, width / 3];
  const fits = shape.length === 2 && sizes.every((size) => Number.isInteger(size) && size > 0) && sizes.reduce((sum, size) => sum + size, 0) === width;
  if (!fits) return shape.length === 2 ? { kind: "linear", layout: "in_out" } : OTHER;
  return { kind: "attention", layout: "in_out", fused: ["q", "k", "v"].map((part, index) => ({ part, size: sizes[index]! })) };
}

function gather(node: Node, _input: number, shape: readonly number[]): WeightRole {
  return shape.length === 2 && integer(node, "axis", 0) === 0 ? { kind: "embedding" } : OTHER;
}

function gatherRows(node: Node, _input: number, shape: readonly number[]): WeightRole {
  return shape.length === 2 && integer(node, "gather_axis", 0) === 0 ? { kind: "embedding" } : OTHER;
}

/** com.microsoft MoE stacks (experts, out, in). */
function experts(_node: Node, _input: number, shape: readonly number[]): WeightRole {
  return shape.length === 3 ? { kind: "expert", layout: "out_in" } : OTHER;
}

/** Of tensors of four bits each; bytes that hold several numbers are packed (`packed.ts`). */
const gatheredBlocks: QuantizedInput = {
  scale: 2, zeroPoint: 3, blockSize: (node) => integer(node, "block_size", 128),
  axis: (shape, node) => { const axis = integer(node, "quantize_axis", 1); return axis < 0 ? axis + shape.length : axis; },
};

/** com.microsoft LongformerAttention has a second matrix, for tokens that attend to all. */
const LONGFORMER: Operator = { weights: [1, 4], role: attention, others: { 2: "bias", 3: "mask", 5: "bias", 6: "mask" } };
const ATTENTION: Operator = { weights: [1], role: attention, others: { 2: "bias" } };
const linear = (): WeightRole => ({ kind: "linear", layout: "in_out" });

const PACKED = { role: () => OTHER, packed: true } as const;

const RNN_OPERATOR: Operator = { weights: [1, 2], role: recurrent, others: { 3: "bias", 5: "initial state", 6: "initial state", 7: "peephole weights" } };

const OPERATORS: Readonly<Record<string, Operator>> = {
  Conv: { weights: [1], role: conv, others: { 2: "bias" } },
  DeformConv: { weights: [1], role: conv, others: { 2: "offset", 3: "bias" } },
  ConvTranspose: { weights: [1], role: (node) => ({ kind: "conv_transpose", groups: integer(node, "group", 1) }), others: { 2: "bias" } },
  ConvInteger: { weights: [1], role: conv, others: { 2: "zero point", 3: "zero point" }, quantized: { 1: quantized(null, 3, outputChannels) } },
  QLinearConv: {
    weights: [3], role: conv, others: { 1: "scale", 2: "zero point", 4: "scale", 5: "zero point", 6: "scale", 7: "zero point", 8: "bias" },
    quantized: { 3: quantized(4, 5, outputChannels) },
  },
  MatMul: { weights: [0, 1], role: matMul(1) },
  Gemm: { weights: [0, 1], role: matMul(1), others: { 2: "bias" } },
  MatMulInteger: {
    weights: [0, 1], role: matMul(1), others: { 2: "zero point", 3: "zero point" },
    quantized: { 0: quantized(null, 2, rowsOfLeft), 1: quantized(null, 3, columns) },
  },
  QLinearMatMul: {
    weights: [0, 3], role: matMul(3), others: { 1: "scale", 2: "zero point", 4: "scale", 5: "zero point", 6: "scale", 7: "zero point" },
    quantized: { 0: quantized(1, 2, rowsOfLeft), 3: quantized(4, 5, columns) },
  },
  LSTM: RNN_OPERATOR, GRU: RNN_OPERATOR, RNN: RNN_OPERATOR,
  Gather: { weights: [0], role: gather, others: { 1: "indices" } },
  Einsum: { weights: [0, 1, 2, 3], role: () => OTHER },
  BatchNormalization: { weights: [], role: () => OTHER, others: { 1: "scale", 2: "bias", 3: "running mean", 4: "running variance" } },
  InstanceNormalization: { weights: [], role: () => OTHER, others: { 1: "scale", 2: "bias" } },
  LayerNormalization: { weights: [], role: () => OTHER, others: { 1: "scale", 2: "bias" } },
  GroupNormalization: { weights: [], role: () => OTHER, others: { 1: "scale", 2: "bias" } },
  PRelu: { weights: [], role: () => OTHER, others: { 1: "slope" } },
  DequantizeLinear: { weights: [], role: () => OTHER, others: { 1: "scale", 2: "zero point" } },
  QuantizeLinear: { weights: [], role: () => OTHER, others: { 1: "scale", 2: "zero point" } },
};

const MICROSOFT_OPERATORS: Readonly<Record<string, Operator>> = {
  FusedMatMul: { weights: [0, 1], role: matMul(1) },
  FusedGemm: { weights: [0, 1], role: matMul(1), others: { 2: "bias" } },
  FusedConv: { weights: [1], role: conv, others: { 2: "bias" } },
  GemmFastGelu: { weights: [0, 1], role: matMul(1), others: { 2: "bias" } },
  QLinearConv: OPERATORS["QLinearConv"]!,
  DynamicQuantizeMatMul: {
    weights: [1], role: matMul(1), others: { 2: "scale", 3: "zero point", 4: "bias" }, quantized: { 1: quantized(2, 3, columns) },
  },
  MatMulIntegerToFloat: {
    weights: [0, 1], role: matMul(1), others: { 2: "scale", 3: "scale", 4: "zero point", 5: "zero point", 6: "bias" },
    quantized: { 0: quantized(2, 4, rowsOfLeft), 1: quantized(3, 5, columns) },
  },
  QGemm: {
    weights: [0, 3], role: matMul(3), others: { 1: "scale", 2: "zero point", 4: "scale", 5: "zero point", 6: "bias", 7: "scale", 8: "zero point" },
    quantized: { 0: quantized(1, 2, rowsOfLeft), 3: quantized(4, 5, columns) },
  },
  Attention: ATTENTION, PackedAttention: ATTENTION, DecoderMaskedSelfAttention: ATTENTION, LongformerAttention: LONGFORMER,
  DecoderAttention: { weights: [2, 3], role: linear, others: { 4: "bias" } },
  QAttention: {
    weights: [1], role: attention, others: { 2: "bias", 3: "scale", 4: "scale", 6: "zero point", 7: "zero point" },
    quantized: { 1: quantized(4, 7, columns) },
  },
  MoE: { weights: [2, 4, 6], role: experts, others: { 3: "bias", 5: "bias", 7: "bias" } },
  RotaryEmbedding: { weights: [], role: () => OTHER, others: { 2: "cosine table", 3: "sine table" } },
  GroupQueryAttention: { weights: [], role: () => OTHER, others: { 7: "cosine table", 8: "sine table" } },
  MatMulNBits: { ...PACKED, weights: [1], others: { 2: "scale", 3: "zero point", 4: "order of groups", 5: "bias" } },
  MatMulBnb4: { ...PACKED, weights: [1], others: { 2: "scale" } },
  GatherBlockQuantized: { weights: [0], role: gatherRows, others: { 1: "indices", 2: "scale", 3: "zero point" }, quantized: { 0: gatheredBlocks } },
  QMoE: { ...PACKED, weights: [2, 5, 8], others: { 3: "scale", 4: "bias", 6: "scale", 7: "bias", 9: "scale", 10: "bias" } },
  DynamicQuantizeLSTM: { ...PACKED, weights: [1, 2], others: { 3: "bias", 7: "peephole weights", 8: "scale", 9: "zero point", 10: "scale", 11: "zero point" } },
  EmbedLayerNormalization: { weights: [2, 3, 4], role: () => ({ kind: "embedding" }), others: { 5: "scale", 6: "bias" } },
};

function operatorOf(node: Node): Operator | undefined {
  if (node.domain === "") return Object.hasOwn(OPERATORS, node.opType) ? OPERATORS[node.opType] : undefined;
  if (node.domain === MICROSOFT) return Object.hasOwn(MICROSOFT_OPERATORS, node.opType) ? MICROSOFT_OPERATORS[node.opType] : undefined;
  return undefined;
}

/**
 * What a node does with its input number `input`, whose shape is `shape`: the role of a weight, or null when
 * that input is none. Unknown operators of other domains use a matrix in a way not known: role `other`.
 */
export function roleOf(node: Node, input: number, shape: readonly number[]): WeightRole | null {
  const operator = operatorOf(node);
  if (operator === undefined) return node.domain === "" || node.domain === "ai.onnx.ml" || shape.length < 2 ? null : OTHER;
  if (!operator.weights.includes(input) || (shape.length < 2 && operator.packed !== true)) return null;
  return operator.role(node, input, shape);
}

/**
 * Whether a node's weights are packed in a way of its own, as 4-bit blocks of MatMulNBits are.
 * @param dataType of the weight: GatherBlockQuantized also takes tensors of 4-bit types, which are not
 */
export function isPacked(node: Node, dataType: number): boolean {
  return operatorOf(node)?.packed === true || (node.domain === MICROSOFT && node.opType === "GatherBlockQuantized" && dataType === UINT8);
}

/** Where scale and zero point of a quantized weight input are; null for an operator of floats. */
export function quantizedInputOf(node: Node, input: number): QuantizedInput | null {
  return operatorOf(node)?.quantized?.[input] ?? null;
}

/** "as bias of Conv", "by Add": a use that is no weight, in words. */
export function useInWords(node: Node, input: number): string {
  const other = operatorOf(node)?.others?.[input];
  const operator = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
  return other === undefined ? `by ${operator}` : `as ${other} of ${operator}`;
}

/** An integer attribute, or its default. */
export function integer(node: Node, name: string, otherwise: number): number {
  return node.attributes.get(name)?.int ?? otherwise;
}
