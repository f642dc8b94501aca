import { GRAPH, INT64, MODEL, NODE, OPSET, VALUE_INFO } from "../../models/onnx/schema";
import type { MicroModel, MicroTensor } from "../micro";
import type { Step } from "../scheme";
import { dataOf, type UsedLayer } from "./activations";
import { bytesField, integerField, joined, textField } from "./encode";
import { isRecurrent, isTurned, nodeProto, nodesFor, type OldNode, type StepNames } from "./nodes";
import type { Surgeon } from "./surgery";
import { oldNode, tensorProto, valueInfo } from "./surgery";
import { UniqueNames } from "./uniqueNames";
import type { Consumer } from "./uses";

/** The first whose stored tensors need not be inputs too (IR.md, "Initializers"); every operator set runs under it. */
const IR_VERSION = 8;
const GRAPH_NAME = 2;

/**
 * One model for each node that applies a layer's weight, at the sizes that it was observed with.
 * @param steps what takes the layer's place; null: the layer as it is
 * @param shapes of values, by name
 * @returns null where sizes were not observed, or the node needs more than its weight, its data and stored tensors
 */
export async function microModels(surgeon: Pick<Surgeon, "file" | "opset">, layer: UsedLayer, steps: readonly Step[] | null, shapes: ReadonlyMap<string, readonly number[]>): Promise<readonly MicroModel[] | null> {
  // The type that a cast gives is that of the node, not of the stored weight.
  if (layer.uses.casts.length > 0) return null;
  const models: MicroModel[] = [];
  for (const consumer of layer.uses.nodes) {
    const shape = shapes.get(dataOf(consumer));
    const old = await oldNode(surgeon.file, consumer.node);
    const stored = storedInputs(layer, consumer);
    if (shape === undefined || stored === null) return null;
    const inputs = consumer.node.record.inputs.map((name, input) => (name === dataOf(consumer) || input === consumer.input || stored.some((tensor) => tensor.name === name) ? name : ""));
    models.push(microModel({ ...old, record: { ...old.record, inputs: withoutEmptyTail(inputs) } }, layer, consumer, steps, stored, shape, surgeon.opset));
  }
  return models;
}

/** Stored inputs beside data and weight: a bias, recurrence weights. Others that an operator can do without are left out. */
function storedInputs({ uses }: UsedLayer, consumer: Consumer): readonly MicroTensor[] | null {
  const { record } = consumer.node;
  const others = record.inputs.filter((name, input) => name !== "" && input !== consumer.input && name !== dataOf(consumer));
  const stored = uses.graph.tensors.filter(({ name, record: { dataType } }) => others.includes(name) && dataType === uses.tensor.record.dataType);
  const needed = isRecurrent(record) ? record.inputs[2] : undefined;
  if (needed !== undefined && !stored.some(({ name }) => name === needed)) return null;
  return stored.map(({ name, record: { shape, dataType } }) => ({ name, shape, dataType }));
}

function withoutEmptyTail(names: readonly string[]): string[] {
  return names.slice(0, names.findLastIndex((name) => name !== "") + 1);
}

function microModel(old: OldNode, { target, uses }: UsedLayer, consumer: Consumer, steps: readonly Step[] | null, stored: readonly MicroTensor[], shape: readonly number[], opset: number): MicroModel {
  const { record } = old;
  const { name, record: { dataType, shape: weightShape } } = uses.tensor;
  const names = new UniqueNames([record.name, ...record.inputs, ...record.outputs]);
  const output = record.outputs.find((each) => each !== "") ?? "";
  const common = { input: { name: dataOf(consumer), shape, dataType: target.form.op === "embedding" ? INT64 : dataType }, output, opset };
  if (steps === null) {
    const { opType, inputs, outputs } = record;
    const whole = nodeProto({ name: record.name, opType, inputs, outputs, attributes: [...old.attributes.values()], further: old.further });
    return { ...common, nodes: [whole], tensors: [{ name, shape: weightShape, dataType }, ...stored] };
  }
  const stepNames = steps.map(({ role }, index): StepNames => ({
    weight: names.take(`${name}.${role}`), node: names.take(`${record.name}/${role}`), output: index === steps.length - 1 ? output : names.take(`${output}.${role}`),
  }));
  const nodes = nodesFor(old, consumer.input, steps, stepNames, { take: (taken) => names.take(taken), opset });
  const factors = steps.map((step, index): MicroTensor => ({ name: stepNames[index]!.weight, shape: isTurned(record, step, index) ? turned(step) : step.shape, dataType }));
  return { ...common, nodes, tensors: [...factors, ...stored] };
}

/** Block by block, as surgery turns values. */
function turned({ shape: [rows = 1, columns = 1], groups }: Step): readonly number[] {
  return [columns * groups, rows / groups];
}

/** @param encoded the little-endian bytes of a tensor's values */
export function encodeMicro({ nodes, tensors, input, output, opset }: MicroModel, encoded: (tensor: MicroTensor) => Uint8Array): Uint8Array {
  const graph = joined([
    ...nodes.map((node) => bytesField(GRAPH.node, node)), textField(GRAPH_NAME, "layer"),
    ...tensors.map((tensor) => bytesField(GRAPH.initializer, tensorProto(tensor.name, tensor.shape, tensor.dataType, encoded(tensor)))),
    bytesField(GRAPH.input, valueInfo(input.name, input.dataType, input.shape)), bytesField(GRAPH.output, textField(VALUE_INFO.name, output)),
  ]);
  return joined([integerField(MODEL.irVersion, IR_VERSION), bytesField(MODEL.opsetImport, integerField(OPSET.version, opset)), bytesField(MODEL.graph, graph)]);
}

/** A model that does nothing: what its run takes is not the layers'. @param dataType of its input */
export function idleModel(dataType: number, opset: number): MicroModel {
  const node = joined([textField(NODE.input, "x"), textField(NODE.output, "y"), textField(NODE.opType, "Identity")]);
  return { nodes: [node], tensors: [], input: { name: "x", shape: [1], dataType }, output: "y", opset };
}
