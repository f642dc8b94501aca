import { clipped } from "../clipped";
import type { AttributeRecord, GraphRecord, NodeRecord } from "./graphProto";
import type { ModelRecord } from "./modelProto";
import { parseListAttribute, type TensorRecord } from "./tensorProto";
import type { WireReader } from "./wire";

/**
 * The graphs of a model with names resolved: ONNX binds a name in the graph that defines it, and a
 * subgraph (of If, Loop, Scan) sees the names of the graphs around it (IR specification, "Names Within a Graph").
 */

/** What a name stands for in its graph. */
export interface Value {
  readonly name: string;
  /** The node that computes it; null for an input or a stored tensor. */
  producer: Node | null;
  /** The tensor it is, when it is stored in the file. */
  tensor: StoredTensor | null;
  readonly uses: Use[];
  /** Values that this one is passed on as: the If node's output for an output of its branch. */
  readonly aliases: Value[];
}

/** A node that takes a value as its input number `input`. */
export interface Use {
  readonly node: Node;
  readonly input: number;
}

export interface Node {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly attributes: ReadonlyMap<string, AttributeRecord>;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  /** Position in the order of execution, subgraphs in place of the node that holds them. */
  readonly order: number;
}

/** A tensor of the file and the value that it gives to the graph. */
export interface StoredTensor {
  readonly record: TensorRecord;
  readonly name: string;
  /** Where it stands: empty for the main graph, `If_0.then_branch` for a subgraph. */
  readonly path: string;
  /** null when it is known already that it is no weight; then `reason` says why. */
  readonly value: Value | null;
  readonly reason: string | null;
}

export interface LinkedModel {
  /** Every tensor of the file, in the file's order, subgraphs after the graph around them. */
  readonly tensors: readonly StoredTensor[];
  /** Formal inputs of model-local functions, by `domain:name`. */
  readonly functions: ReadonlyMap<string, readonly Value[]>;
  /** Domains of the operators in use, without ONNX's own. */
  readonly domains: ReadonlySet<string>;
}

class Scope {
  private readonly values = new Map<string, Value>();
  constructor(readonly path: string, private readonly around: Scope | null) {}

  find(name: string): Value | null {
    return this.values.get(name) ?? this.around?.find(name) ?? null;
  }

  /** The value of that name in this very graph, made when it is new. */
  own(name: string): Value {
    let value = this.values.get(name);
    if (value === undefined) {
      value = { name, producer: null, tensor: null, uses: [], aliases: [] };
      this.values.set(name, value);
    }
    return value;
  }
}

/** com.microsoft's own copies, with ONNX's meaning, for types that older operator sets lacked. */
const COPIED = ["QuantizeLinear", "DequantizeLinear"];
/** Attributes of a Constant node that hold numbers (Operators.md, Constant). */
const WEIGHT_ATTRIBUTES = ["value", "value_float", "value_floats", "value_int", "value_ints"];

/** Links all graphs and functions of a model. @throws Fault of the wire format */
export async function linkModel(wire: WireReader, model: ModelRecord): Promise<LinkedModel> {
  const linker = new Linker(wire);
  await linker.graph(model.graph, new Scope("", null));
  const functions = new Map<string, readonly Value[]>();
  for (const record of model.functions) {
    const scope = new Scope(record.name, null);
    functions.set(functionKey(record.domain, record.name), record.inputs.map((name) => scope.own(name)));
    await linker.graph(record, scope);
  }
  for (const graph of model.training) linker.training(graph);
  return { tensors: linker.tensors, functions, domains: linker.domains };
}

export function functionKey(domain: string, name: string): string {
  return `${domain}:${name}`;
}

class Linker {
  readonly tensors: StoredTensor[] = [];
  readonly domains = new Set<string>();
  private order = 0;

  constructor(private readonly wire: WireReader) {}

  async graph(graph: GraphRecord, scope: Scope): Promise<void> {
    for (const name of graph.inputs) scope.own(name);
    for (const record of [...graph.initializers, ...graph.sparse]) this.store(record, record.name, scope);
    for (const node of graph.nodes) for (const name of node.outputs) if (name !== "") scope.own(name);
    for (const record of graph.nodes) await this.node(record, scope);
  }

  /** Training graphs share names with the main graph; their tensors are listed and not followed. */
  training(graph: GraphRecord): void {
    const reason = "belongs to the training information, not to the model";
    for (const record of [...graph.initializers, ...graph.sparse]) this.list(record, record.name, "training", reason);
    for (const node of graph.nodes) {
      for (const attribute of node.attributes.values()) {
        for (const record of [...attribute.tensors, ...attribute.sparse]) this.list(record, record.name || `${node.name || node.opType}.${attribute.name}`, "training", reason);
        for (const inner of attribute.graphs) this.training(inner);
      }
    }
  }

  private async node(record: NodeRecord, scope: Scope): Promise<void> {
    const node: Node = {
      name: record.name, opType: record.opType, domain: COPIED.includes(record.opType) ? "" : record.domain, attributes: record.attributes, order: this.order++,
      inputs: record.inputs.map((name) => (name === "" ? null : scope.find(name))),
      outputs: record.outputs.map((name) => (name === "" ? { name, producer: null, tensor: null, uses: [], aliases: [] } : scope.own(name))),
    };
    if (record.domain !== "") this.domains.add(record.domain);
    node.inputs.forEach((value, input) => value?.uses.push({ node, input }));
    for (const value of node.outputs) value.producer ??= node;
    const constant = record.opType === "Constant" && record.domain === "";
    for (const attribute of record.attributes.values()) {
      if (constant) await this.constant(record, attribute, scope);
      else this.attributeTensors(record, attribute, scope);
      for (const graph of attribute.graphs) await this.subgraph(node, attribute.name, graph, scope);
    }
  }

  private async subgraph(node: Node, attribute: string, graph: GraphRecord, around: Scope): Promise<void> {
    const step = `${clipped(node.name || `${node.opType}_${node.order}`)}.${clipped(attribute)}`;
    const scope = new Scope(around.path === "" ? step : `${around.path}/${step}`, around);
    await this.graph(graph, scope);
    if (node.opType !== "If") return;
    graph.outputs.forEach((name, index) => {
      const passedOn = node.outputs[index];
      if (passedOn !== undefined) scope.find(name)?.aliases.push(passedOn);
    });
  }

  private async constant(node: NodeRecord, attribute: AttributeRecord, scope: Scope): Promise<void> {
    const name = node.outputs[0] || node.name || `Constant_${this.order - 1}`;
    if (attribute.name === "sparse_value") for (const record of attribute.sparse) this.store(record, name, scope);
    if (!WEIGHT_ATTRIBUTES.includes(attribute.name)) return;
    const record = attribute.tensors[0] ?? await parseListAttribute(this.wire, attribute.message, 0, name);
    if (record !== null) this.store(record, name, scope);
  }

  private attributeTensors(node: NodeRecord, attribute: AttributeRecord, scope: Scope): void {
    const owner = node.name || node.outputs[0] || node.opType;
    for (const record of [...attribute.tensors, ...attribute.sparse]) {
      this.list(record, record.name || `${owner}.${attribute.name}`, scope.path, `attribute "${attribute.name}" of a ${node.opType} node: not a weight`);
    }
  }

  private store(record: TensorRecord, given: string, scope: Scope): void {
    const name = given || `(unnamed tensor ${this.tensors.length})`;
    const value = scope.own(name);
    if (value.tensor !== null) {
      this.list(record, name, scope.path, "another tensor has the same name, which ONNX does not allow");
      return;
    }
    value.tensor = { record, name, path: scope.path, value, reason: null };
    this.tensors.push(value.tensor);
  }

  private list(record: TensorRecord, given: string, path: string, reason: string): void {
    this.tensors.push({ record, name: given || `(unnamed tensor ${this.tensors.length})`, path, value: null, reason });
  }
}
