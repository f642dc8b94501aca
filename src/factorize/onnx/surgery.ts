import type { FileBytes } from "../../models/fileBytes";
import { ATTRIBUTE, DATA_TYPES, NODE, TENSOR, VALUE_INFO } from "../../models/onnx/schema";
import { WireReader } from "../../models/onnx/wire";
import type { Factor } from "../scheme";
import { unpacked } from "../schemes/kernels";
import { encodeValues } from "../store";
import { bytesField, integerField, joined, textField } from "./encode";
import { isTurned, nodeProto, nodesFor, type OldNode, type StepNames } from "./nodes";
import type { Placed, PlacedGraph, PlacedNode } from "./scan";
import type { Edit } from "./splice";
import type { UniqueNames } from "./uniqueNames";
import type { Consumer, WeightUses } from "./uses";

/** Below it, every stored tensor must be listed as an input too (IR.md, "Initializers"). */
const FIRST_IR_WITHOUT_INPUTS = 4;
const GRAPH_FIELD = { node: 1, initializer: 5, input: 11 } as const;
/** AttributeProto.type and its value TENSOR. */
const ATTRIBUTE_TYPE = 20, TENSOR_ATTRIBUTE = 4;

export interface Surgeon {
  readonly file: FileBytes;
  readonly irVersion: number;
  /** Of ONNX's own operators. */
  readonly opset: number;
  readonly names: UniqueNames;
}

/** The edits that put factors in place of one weight and its nodes. */
export async function replaceLayer(surgeon: Surgeon, uses: WeightUses, factors: readonly Factor[]): Promise<Edit[]> {
  const { names } = surgeon;
  const base = uses.tensor.name;
  const roles = factors.map(({ role }) => role);
  const turned = uses.nodes.some(({ node }) => isTurned(node.record, factors[0]!, 0));
  const stored = factors.map((factor, index) => (turned && index === 0 ? transposed(factor) : factor));
  const weights = roles.map((role) => names.take(`${base}.${role}`));
  const edits = [...storing(surgeon, uses, stored, weights)];
  let current: readonly string[] = weights;
  const castNames = new Map<string, readonly string[]>([[base, weights]]);
  for (const cast of uses.casts) {
    const source = castNames.get(cast.record.inputs[0] ?? "") ?? current;
    current = roles.map((role) => names.take(`${cast.record.outputs[0] ?? base}.${role}`));
    castNames.set(cast.record.outputs[0] ?? "", current);
    edits.push(await castEach(surgeon, cast, source, current, roles));
  }
  for (const consumer of uses.nodes) {
    const taken = castNames.get(consumer.node.record.inputs[consumer.input] ?? "") ?? weights;
    edits.push(await replaceNode(surgeon, consumer, factors, taken, roles));
  }
  return edits;
}

/** Removes the old tensor and puts the factors in its place: as initializers, or Constant nodes where it was one. */
function storing({ irVersion }: Surgeon, { tensor, graph }: WeightUses, factors: readonly Factor[], names: readonly string[]): Edit[] {
  const { dataType } = tensor.record;
  const dtype = DATA_TYPES.get(dataType)?.name ?? "float32";
  const protos = factors.map((factor, index) => tensorProto(names[index]!, factor.shape, dataType, encodeValues(dtype, factor.values)));
  const bytes = tensor.constant
    ? joined(protos.map((proto, index) => bytesField(GRAPH_FIELD.node, constantNode(names[index]!, proto))))
    : joined(protos.map((proto) => bytesField(GRAPH_FIELD.initializer, proto)));
  const input = tensor.constant ? undefined : graph.inputs.find(({ name }) => name === tensor.name);
  const listed = irVersion < FIRST_IR_WITHOUT_INPUTS
    ? joined(factors.map(({ shape }, index) => bytesField(GRAPH_FIELD.input, valueInfo(names[index]!, dataType, shape))))
    : new Uint8Array(0);
  return [replacing(tensor.place, bytes), ...(input === undefined ? [] : [replacing(input.place, listed)])];
}

async function castEach(surgeon: Surgeon, cast: PlacedNode, from: readonly string[], to: readonly string[], roles: readonly string[]): Promise<Edit> {
  const old = await oldNode(surgeon.file, cast);
  const nodes = roles.map((role, index) => nodeProto({
    name: surgeon.names.take(`${cast.record.name || cast.record.outputs[0]!}/${role}`), opType: "Cast", inputs: [from[index]!], outputs: [to[index]!],
    attributes: [...old.attributes.values()], further: old.further,
  }));
  return replacing(cast.place, joined(nodes.map((node) => bytesField(GRAPH_FIELD.node, node))));
}

async function replaceNode(surgeon: Surgeon, { node, input }: Consumer, factors: readonly Factor[], weights: readonly string[], roles: readonly string[]): Promise<Edit> {
  const old = await oldNode(surgeon.file, node);
  // An LSTM may give on its last state alone.
  const output = node.record.outputs.find((name) => name !== "") ?? "";
  const stepNames = roles.map((role, index): StepNames => ({
    weight: weights[index]!,
    node: surgeon.names.take(`${node.record.name || output}/${role}`),
    output: index === roles.length - 1 ? output : surgeon.names.take(`${output}.${role}`),
  }));
  const nodes = nodesFor(old, input, factors, stepNames, { take: (name) => surgeon.names.take(name), opset: surgeon.opset });
  return replacing(node.place, joined(nodes.map((proto) => bytesField(GRAPH_FIELD.node, proto))));
}

const OWN_FIELDS: readonly number[] = [NODE.input, NODE.output, NODE.name, NODE.opType, NODE.attribute];

export async function oldNode(file: FileBytes, { place, record }: PlacedNode): Promise<OldNode> {
  const bytes = await file.read(place.start, place.end - place.start);
  const raw = (span: { start: number; end: number }): Uint8Array => bytes.subarray(span.start - place.start, span.end - place.start);
  const further: Uint8Array[] = [];
  let at = place.start;
  await new WireReader(file).message(place, 0, (field) => {
    if (!OWN_FIELDS.includes(field.number)) further.push(raw({ start: at, end: field.end }));
    at = field.end;
  });
  const attributes = new Map([...record.attributes].map(([name, { message }]) => [name, raw(message)]));
  return { record, attributes, further: joined(further) };
}

function replacing(place: Placed, bytes: Uint8Array): Edit {
  return { start: place.at, end: place.end, bytes, around: place.around };
}

export function tensorProto(name: string, shape: readonly number[], dataType: number, values: Uint8Array): Uint8Array {
  return joined([...shape.map((size) => integerField(TENSOR.dims, size)), integerField(TENSOR.dataType, dataType), textField(TENSOR.name, name), bytesField(TENSOR.rawData, values)]);
}

function constantNode(name: string, proto: Uint8Array): Uint8Array {
  const value = joined([textField(ATTRIBUTE.name, "value"), bytesField(ATTRIBUTE.t, proto), integerField(ATTRIBUTE_TYPE, TENSOR_ATTRIBUTE)]);
  return nodeProto({ name: `${name}/constant`, opType: "Constant", inputs: [], outputs: [name], attributes: [value] });
}

/** ValueInfoProto: name = 1, type = 2 {tensor_type = 1 {elem_type = 1, shape = 2 {dim = 1 {dim_value = 1}}}}. */
export function valueInfo(name: string, dataType: number, shape: readonly number[]): Uint8Array {
  const dims = joined(shape.map((size) => bytesField(1, integerField(1, size))));
  return joined([textField(VALUE_INFO.name, name), bytesField(2, bytesField(1, integerField(1, dataType), bytesField(2, dims)))]);
}

/** Block by block where it has several, which then lie one below another again. */
function transposed(factor: Factor): Factor {
  const [rows = 1, columns = 1] = factor.shape, height = rows / factor.groups;
  return { ...factor, shape: [columns * factor.groups, height], values: unpacked(factor.values, factor.groups, height, columns, 1) };
}

/** Every name that a model uses: those of values and of nodes. */
export function namesIn(graphs: readonly PlacedGraph[]): string[] {
  return graphs.flatMap((graph) => [
    ...graph.nodes.flatMap(({ record }) => [record.name, ...record.inputs, ...record.outputs]),
    ...graph.tensors.map(({ name }) => name), ...graph.inputs.map(({ name }) => name), ...graph.outputs, ...namesIn(graph.subgraphs),
  ]);
}
