import type { NodeRecord } from "../../models/onnx/graphProto";
import { ATTRIBUTE, NODE } from "../../models/onnx/schema";
import type { Step } from "../scheme";
import { bytesField, integerField, joined, textField } from "./encode";
import { integerOf } from "./uses";

/** AttributeProto.AttributeType. */
const INT = 2, INTS = 7;
/** AttributeProto.type; schema.ts lists what is read. */
const ATTRIBUTE_TYPE = 20;

/** What a new node is made of. `further` are encoded fields that the old node had: its domain, doc string, metadata. */
interface NodeParts {
  readonly name: string;
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly Uint8Array[];
  readonly further?: Uint8Array;
}

export function nodeProto({ name, opType, inputs, outputs, attributes = [], further = new Uint8Array(0) }: NodeParts): Uint8Array {
  return joined([
    ...inputs.map((input) => textField(NODE.input, input)), ...outputs.map((output) => textField(NODE.output, output)), textField(NODE.name, name), textField(NODE.opType, opType),
    ...attributes.map((attribute) => bytesField(NODE.attribute, attribute)), further,
  ]);
}

/** What of an old node goes over as it is. */
export interface OldNode {
  readonly record: NodeRecord;
  /** Its attributes as encoded, by name. */
  readonly attributes: ReadonlyMap<string, Uint8Array>;
  readonly further: Uint8Array;
}

export interface StepNames {
  /** The factor's tensor. */
  readonly weight: string;
  readonly node: string;
  /** The value that it gives on. */
  readonly output: string;
}

/** Names of values and nodes that a step needs beside its own, and the version of ONNX's operators. */
export interface Surroundings {
  readonly take: (name: string) => string;
  readonly opset: number;
}

/**
 * The nodes that take a node's place.
 * @param weightInput which of its inputs the weight was
 * @returns encoded NodeProtos, in order
 */
export function nodesFor(old: OldNode, weightInput: number, steps: readonly Step[], names: readonly StepNames[], surroundings: Surroundings): Uint8Array[] {
  const { record } = old;
  if (isRecurrent(record)) return recurrentNodes(old, weightInput, names);
  const [data = "", ...others] = record.inputs.filter((_, index) => index !== weightInput);
  // Gather's indices and the data of everything else come first; a bias is what follows.
  const bias = others.filter((name) => name !== "");
  return steps.flatMap((step, index): Uint8Array | Uint8Array[] => {
    const { weight, node, output } = names[index]!;
    const last = index === steps.length - 1;
    const from = index === 0 ? data : names[index - 1]!.output;
    const common = { name: node, outputs: [output], ...(last ? { further: old.further } : {}) };
    if (step.op === "conv" || step.op === "conv_transpose") {
      return nodeProto({ ...common, opType: step.op === "conv" ? "Conv" : "ConvTranspose", inputs: [from, weight, ...(last ? bias : [])], attributes: convolutionAttributes(old, step) });
    }
    if (step.op === "embedding") return nodeProto({ ...common, opType: "Gather", inputs: [weight, from], attributes: named(old, ["axis"]) });
    if (step.op === "linear" && step.groups > 1) return partsOf(old, from, step, names[index]!, surroundings);
    if (record.opType === "Gemm") return gemm(old, common, from, weight, bias, index === 0, last);
    return nodeProto({ ...common, opType: "MatMul", inputs: record.opType === "MatMul" && weightInput === 0 ? [weight, from] : [from, weight] });
  });
}

/** The factor in front takes the operator's input; the operator itself stays, its weight as wide as the rank. */
function recurrentNodes({ record, attributes, further }: OldNode, weightInput: number, [first, last]: readonly StepNames[]): Uint8Array[] {
  const inputs = record.inputs.map((input, index) => (index === 0 ? first!.output : index === weightInput ? last!.weight : input));
  return [
    nodeProto({ name: first!.node, opType: "MatMul", inputs: [record.inputs[0] ?? "", first!.weight], outputs: [first!.output] }),
    nodeProto({ name: last!.node, opType: record.opType, inputs, outputs: record.outputs, attributes: [...attributes.values()], further }),
  ];
}

/** Operator sets from which Split takes its sizes as an input, and from which it wants to be told into how many parts. */
const SPLIT_SIZES = 13, SPLIT_COUNTS = 18;

/**
 * The input's channels in equal parts, each multiplied with its own block of the weight, side by side again. The sizes of the
 * parts are written down: ONNX Runtime takes two Splits of one value for the same if only the number of their outputs differs.
 */
function partsOf(old: OldNode, from: string, { groups: count, shape }: Step, { weight, node, output }: StepNames, { take, opset }: Surroundings): Uint8Array[] {
  const transposed = old.record.opType === "Gemm" && integerOf(old.record, "transA", 0) !== 0;
  const channels = old.record.opType === "Gemm" && integerOf(old.record, "transB", 0) !== 0 ? shape[1]! : shape[0]! / count;
  const sizes = Array.from({ length: count }, () => channels);
  const several = (name: string): string[] => Array.from({ length: count }, (_, part) => take(`${name}.${part}`));
  const [inputs, weights, outputs] = [several(`${output}.in`), several(`${weight}.part`), several(output)];
  const sizesName = opset >= SPLIT_SIZES ? take(`${output}.sizes`) : null;
  return [
    ...(sizesName === null ? [] : [nodeProto({ name: take(`${node}/sizes`), opType: "Constant", inputs: [], outputs: [sizesName], attributes: [integers("value_ints", sizes)] })]),
    nodeProto({
      name: take(`${node}/split_input`), opType: "Split", inputs: [from, ...(sizesName === null ? [] : [sizesName])], outputs: inputs,
      attributes: [integer("axis", transposed ? 0 : -1), ...(sizesName === null ? [integers("split", sizes)] : [])],
    }),
    nodeProto({ name: take(`${node}/split_weight`), opType: "Split", inputs: [weight], outputs: weights, attributes: [integer("axis", 0), ...(opset >= SPLIT_COUNTS ? [integer("num_outputs", count)] : [])] }),
    ...inputs.map((input, part) => nodeProto({
      name: take(`${node}/${part}`), opType: transposed ? "Gemm" : "MatMul", inputs: [input, weights[part]!], outputs: [outputs[part]!], attributes: transposed ? named(old, ["transA", "transB"]) : [],
    })),
    nodeProto({ name: node, opType: "Concat", inputs: outputs, outputs: [output], attributes: [integer("axis", -1)] }),
  ];
}

/** α and C belong to the last factor, a transposed input to the first. */
function gemm(old: OldNode, common: { name: string; outputs: readonly string[]; further?: Uint8Array }, from: string, weight: string, bias: readonly string[], first: boolean, last: boolean): Uint8Array {
  const attributes = named(old, [...(first ? ["transA"] : []), ...(last ? ["alpha", "beta"] : []), "transB"]);
  if (last) return nodeProto({ ...common, opType: "Gemm", inputs: [from, weight, ...bias], attributes });
  return integerOf(old.record, "transA", 0) === 0
    ? nodeProto({ ...common, opType: "MatMul", inputs: [from, weight] })
    : nodeProto({ ...common, opType: "Gemm", inputs: [from, weight], attributes });
}

/** Whether a factor's node wants it transposed: the first of an untransposed Gemm, or of an LSTM, is multiplied from the right. */
export function isTurned(record: NodeRecord, step: Step, index: number): boolean {
  if (isRecurrent(record)) return index === 0;
  return record.opType === "Gemm" && step.op === "linear" && index === 0 && integerOf(record, "transA", 0) === 0 && integerOf(record, "transB", 0) !== 0;
}

function convolutionAttributes(old: OldNode, { shape, groups, axes, op }: Step): Uint8Array[] {
  const kernel = shape.slice(2);
  const { attributes } = old.record;
  const own = (list: readonly number[], without: number): number[] => axes.map((takes, axis) => (takes ? (list[axis] ?? without) : without));
  const listOf = (name: string, without: number): Uint8Array[] => {
    const list = attributes.get(name)?.ints ?? [];
    return list.length === 0 ? [] : [integers(name, own(list, without))];
  };
  const pads = attributes.get("pads")?.ints ?? [];
  const half = kernel.length;
  return [
    integers("kernel_shape", kernel),
    integer("group", groups),
    ...listOf("strides", 1),
    ...listOf("dilations", 1),
    ...(pads.length === 0 ? [] : [integers("pads", [...own(pads.slice(0, half), 0), ...own(pads.slice(half), 0)])]),
    ...(op === "conv_transpose" ? listOf("output_padding", 0) : []),
    ...(axes.includes(true) ? named(old, ["auto_pad"]) : []),
  ];
}

export function isRecurrent({ opType, domain }: NodeRecord): boolean {
  return domain === "" && (opType === "LSTM" || opType === "GRU" || opType === "RNN");
}

function named(old: OldNode, names: readonly string[]): Uint8Array[] {
  return names.flatMap((name) => old.attributes.get(name) ?? []);
}

function integer(name: string, value: number): Uint8Array {
  return joined([textField(ATTRIBUTE.name, name), integerField(ATTRIBUTE.i, value), integerField(ATTRIBUTE_TYPE, INT)]);
}

function integers(name: string, values: readonly number[]): Uint8Array {
  return joined([textField(ATTRIBUTE.name, name), ...values.map((value) => integerField(ATTRIBUTE.ints, value)), integerField(ATTRIBUTE_TYPE, INTS)]);
}
