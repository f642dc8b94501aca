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
  readonly output: string;
  readonly attributes?: readonly Uint8Array[];
  readonly further?: Uint8Array;
}

export function nodeProto({ name, opType, inputs, output, attributes = [], further = new Uint8Array(0) }: NodeParts): Uint8Array {
  return joined([
    ...inputs.map((input) => textField(NODE.input, input)), textField(NODE.output, output), textField(NODE.name, name), textField(NODE.opType, opType),
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

/**
 * The nodes that take a node's place.
 * @param weightInput which of its inputs the weight was
 * @returns encoded NodeProtos, in order
 */
export function nodesFor(old: OldNode, weightInput: number, steps: readonly Step[], names: readonly StepNames[]): Uint8Array[] {
  const { record } = old;
  const [data = "", ...others] = record.inputs.filter((_, index) => index !== weightInput);
  // Gather's indices and the data of everything else come first; a bias is what follows.
  const bias = others.filter((name) => name !== "");
  return steps.map((step, index) => {
    const { weight, node, output } = names[index]!;
    const last = index === steps.length - 1;
    const from = index === 0 ? data : names[index - 1]!.output;
    const common = { name: node, output, ...(last ? { further: old.further } : {}) };
    if (step.op === "conv" || step.op === "conv_transpose") {
      return nodeProto({ ...common, opType: step.op === "conv" ? "Conv" : "ConvTranspose", inputs: [from, weight, ...(last ? bias : [])], attributes: convolutionAttributes(old, step) });
    }
    if (step.op === "embedding") return nodeProto({ ...common, opType: "Gather", inputs: [weight, from], attributes: named(old, ["axis"]) });
    if (record.opType === "Gemm") return gemm(old, common, from, weight, bias, index === 0, last);
    return nodeProto({ ...common, opType: "MatMul", inputs: record.opType === "MatMul" && weightInput === 0 ? [weight, from] : [from, weight] });
  });
}

/** α and C belong to the last factor, a transposed input to the first. */
function gemm(old: OldNode, common: { name: string; output: string; further?: Uint8Array }, from: string, weight: string, bias: readonly string[], first: boolean, last: boolean): Uint8Array {
  const attributes = named(old, [...(first ? ["transA"] : []), ...(last ? ["alpha", "beta"] : []), "transB"]);
  if (last) return nodeProto({ ...common, opType: "Gemm", inputs: [from, weight, ...bias], attributes });
  return integerOf(old.record, "transA", 0) === 0
    ? nodeProto({ ...common, opType: "MatMul", inputs: [from, weight] })
    : nodeProto({ ...common, opType: "Gemm", inputs: [from, weight], attributes });
}

/** A factor's shape and values as its node wants them: the first of an untransposed Gemm is multiplied from the right. */
export function isTurned(record: NodeRecord, step: Step, index: number): boolean {
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

function named(old: OldNode, names: readonly string[]): Uint8Array[] {
  return names.flatMap((name) => old.attributes.get(name) ?? []);
}

function integer(name: string, value: number): Uint8Array {
  return joined([textField(ATTRIBUTE.name, name), integerField(ATTRIBUTE.i, value), integerField(ATTRIBUTE_TYPE, INT)]);
}

function integers(name: string, values: readonly number[]): Uint8Array {
  return joined([textField(ATTRIBUTE.name, name), ...values.map((value) => integerField(ATTRIBUTE.ints, value)), integerField(ATTRIBUTE_TYPE, INTS)]);
}
