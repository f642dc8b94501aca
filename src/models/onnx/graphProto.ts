import { ATTRIBUTE, GRAPH, NODE, SPARSE_TENSOR, UNDEFINED_TYPE, VALUE_INFO } from "./schema";
import { checkShape, parseTensor, type TensorRecord } from "./tensorProto";
import { clampedInt64 } from "./varint";
import { LENGTH_DELIMITED, type Field, type Span, type WireReader } from "./wire";

/** Strings that say something about a weight ("bidirectional", an Einsum equation) are shorter. */
const LONGEST_STRING = 256;
/** Permutations, axes, splits: longer lists are left unread. */
const MOST_INTEGERS = 64;

export interface AttributeRecord {
  readonly name: string;
  /** Its value, by what the message held. */
  readonly int: number | null;
  readonly ints: readonly number[];
  readonly string: string | null;
  readonly tensors: readonly TensorRecord[];
  readonly graphs: readonly GraphRecord[];
  readonly sparse: readonly TensorRecord[];
  /** The whole message, for lists that are read later. */
  readonly message: Span;
}

export interface NodeRecord {
  readonly name: string;
  readonly opType: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  /** Value names; empty for an optional one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeRecord>;
}

export interface GraphRecord {
  readonly name: string;
  readonly nodes: readonly NodeRecord[];
  readonly initializers: readonly TensorRecord[];
  readonly sparse: readonly TensorRecord[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** @throws Fault of the wire format */
export async function parseGraph(wire: WireReader, span: Span, depth: number): Promise<GraphRecord> {
  wire.count();
  let name = "";
  const nodes: NodeRecord[] = [], initializers: TensorRecord[] = [], sparse: TensorRecord[] = [];
  const inputs: string[] = [], outputs: string[] = [];
  const valueName = async (field: Field, into: string[]) => { into.push(await parseValueName(wire, field, depth + 1)); };
  await wire.message(span, depth, (field): Promise<void> | void => {
    switch (field.number) {
      case GRAPH.name: return wire.text(field).then((text) => { name = text; });
      case GRAPH.node: return parseNode(wire, message(wire, field), depth + 1).then((node) => { nodes.push(node); });
      case GRAPH.initializer: return parseTensor(wire, message(wire, field), depth + 1).then((tensor) => { initializers.push(tensor); });
      case GRAPH.sparseInitializer: return parseSparse(wire, message(wire, field), depth + 1).then((tensor) => { sparse.push(tensor); });
      case GRAPH.input: return valueName(message(wire, field), inputs);
      case GRAPH.output: return valueName(message(wire, field), outputs);
    }
  });
  return { name, nodes, initializers, sparse, inputs, outputs };
}

/** Shared by the nodes that have none, which are most. */
const NO_ATTRIBUTES = new Map<string, AttributeRecord>();

/** @throws Fault of the wire format */
export async function parseNode(wire: WireReader, span: Span, depth: number): Promise<NodeRecord> {
  wire.count();
  let name = "", opType = "", domain = "";
  const inputs: string[] = [], outputs: string[] = [];
  let attributes = NO_ATTRIBUTES;
  await wire.message(span, depth, (field): Promise<void> | void => {
    switch (field.number) {
      case NODE.name: return wire.text(field).then((text) => { name = text; });
      case NODE.opType: return wire.text(field).then((text) => { opType = text; });
      case NODE.domain: return wire.text(field).then((text) => { domain = text === "ai.onnx" ? "" : text; });
      case NODE.input: return wire.text(field).then((text) => { inputs.push(text); });
      case NODE.output: return wire.text(field).then((text) => { outputs.push(text); });
      case NODE.attribute:
        return parseAttribute(wire, message(wire, field), depth + 1).then((attribute) => {
          attributes = attributes === NO_ATTRIBUTES ? new Map() : attributes;
          attributes.set(attribute.name, attribute);
        });
    }
  });
  return { name, opType, domain, inputs, outputs, attributes };
}

async function parseAttribute(wire: WireReader, span: Span, depth: number): Promise<AttributeRecord> {
  wire.count();
  let name = "", int: number | null = null, string: string | null = null;
  const ints: number[] = [], tensors: TensorRecord[] = [], graphs: GraphRecord[] = [], sparse: TensorRecord[] = [];
  await wire.message(span, depth, (field): Promise<void> | void => {
    switch (field.number) {
      case ATTRIBUTE.name: return wire.text(field).then((text) => { name = text; });
      case ATTRIBUTE.i: int = clampedInt64(field.low, field.high); return;
      case ATTRIBUTE.s:
        if (field.end - field.start <= LONGEST_STRING) return wire.text(field).then((text) => { string = text; });
        return;
      case ATTRIBUTE.ints:
        if (ints.length < MOST_INTEGERS && field.end - field.start <= MOST_INTEGERS) return wire.int64s(field, 2 * MOST_INTEGERS, ints);
        return;
      case ATTRIBUTE.t: case ATTRIBUTE.tensors:
        return parseTensor(wire, message(wire, field), depth + 1).then((tensor) => { tensors.push(tensor); });
      case ATTRIBUTE.g: case ATTRIBUTE.graphs:
        return parseGraph(wire, message(wire, field), depth + 1).then((graph) => { graphs.push(graph); });
      case ATTRIBUTE.sparseTensor: case ATTRIBUTE.sparseTensors:
        return parseSparse(wire, message(wire, field), depth + 1).then((tensor) => { sparse.push(tensor); });
    }
  });
  return { name, int, ints, string, tensors, graphs, sparse, message: span };
}

/** A SparseTensorProto as a tensor whose data are its values and indices. */
async function parseSparse(wire: WireReader, span: Span, depth: number): Promise<TensorRecord> {
  wire.count();
  const found: { values: TensorRecord | null; indices: TensorRecord | null } = { values: null, indices: null };
  const shape: number[] = [];
  await wire.message(span, depth, (field): Promise<void> | void => {
    if (field.number === SPARSE_TENSOR.values) return parseTensor(wire, message(wire, field), depth + 1).then((tensor) => { found.values = tensor; });
    if (field.number === SPARSE_TENSOR.indices) return parseTensor(wire, message(wire, field), depth + 1).then((tensor) => { found.indices = tensor; });
    if (field.number === SPARSE_TENSOR.dims) return wire.int64s(field, MOST_INTEGERS, shape);
  });
  const { values, indices } = found;
  const name = values?.name ?? "";
  checkShape(wire, span, name, shape);
  return { name, shape, dataType: values?.dataType ?? UNDEFINED_TYPE, integers: null, message: span, source: values === null || indices === null ? { kind: "absent" } : { kind: "sparse", values, indices } };
}

export async function parseValueName(wire: WireReader, span: Span, depth: number): Promise<string> {
  let name = "";
  await wire.message(span, depth, (field): Promise<void> | void => {
    if (field.number === VALUE_INFO.name) return wire.text(field).then((text) => { name = text; });
  });
  return name;
}

function message(wire: WireReader, field: Field): Field {
  wire.expect(field, LENGTH_DELIMITED);
  return field;
}
