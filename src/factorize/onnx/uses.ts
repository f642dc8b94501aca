import type { NodeRecord } from "../../models/onnx/graphProto";
import type { Form } from "../target";
import type { PlacedGraph, PlacedNode, PlacedTensor } from "./scan";

/** How a weight is used: by these nodes, each at that input, directly or by way of casts. */
export interface WeightUses {
  readonly tensor: PlacedTensor;
  readonly graph: PlacedGraph;
  readonly form: Form;
  readonly nodes: readonly Consumer[];
  /** Nodes that only cast it, whose outputs the consumers take. */
  readonly casts: readonly PlacedNode[];
}

export interface Consumer {
  readonly node: PlacedNode;
  /** Number of the weight's input. */
  readonly input: number;
}

const RECURRENT = ["LSTM", "GRU", "RNN"];
/** Number of the input R (Operators.md, LSTM). */
const STATE_INPUT = 2;
/** Attributes of convolutions that are known to be handed on. */
const CONVOLUTION_ATTRIBUTES = ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides", "output_padding"];

/**
 * Every use of a stored weight, when all of them can be factorized in the same way; otherwise why not.
 * @param graph where the weight is stored
 * @param opset of ONNX's own operators
 */
export function usesOf(tensor: PlacedTensor, graph: PlacedGraph, opset: number): WeightUses | string {
  const consumers: Consumer[] = [];
  const casts: PlacedNode[] = [];
  const names = [tensor.name];
  for (const name of names) {
    if (graph.outputs.includes(name)) return "its weight is an output of the graph";
    for (const { node, input } of consumersOf(name, graph)) {
      const { opType, domain, outputs } = node.record;
      if (opType === "Cast" && domain === "" && graph.nodes.includes(node)) {
        casts.push(node);
        names.push(outputs[0] ?? "");
      } else consumers.push({ node, input });
    }
  }
  const forms = consumers.map((consumer) => formOf(consumer, tensor.record.shape, opset));
  const refused = forms.find((form) => typeof form === "string");
  if (refused !== undefined) return refused as string;
  const first = forms[0] as Form | undefined;
  if (first === undefined) return "nothing uses its weight";
  if (forms.some((form) => JSON.stringify(form) !== JSON.stringify(first))) return "its weight is shared by layers that use it in different ways";
  return { tensor, graph, form: first, nodes: consumers, casts };
}

/** The uses of a weight that recurrent layers multiply their state by, where it has no others: they are counted, and have no factors. */
export function stateUsesOf(tensor: PlacedTensor, graph: PlacedGraph): WeightUses | null {
  const nodes = consumersOf(tensor.name, graph);
  const isState = nodes.every(({ node: { record }, input }) => input === STATE_INPUT && record.domain === "" && RECURRENT.includes(record.opType));
  return nodes.length > 0 && isState ? { tensor, graph, form: { op: "recurrent", layout: "out_in", state: true }, nodes, casts: [] } : null;
}

/** Nodes that take a name, in its graph and in subgraphs that do not give the name another meaning. */
function consumersOf(name: string, graph: PlacedGraph): Consumer[] {
  const own = graph.nodes.flatMap((node) => node.record.inputs.flatMap((input, index) => (input === name ? [{ node, input: index }] : [])));
  const inside = graph.subgraphs.filter((subgraph) => !defines(subgraph, name)).flatMap((subgraph) => {
    // Passed out of a branch as it is: a use that no operator shows.
    if (subgraph.outputs.includes(name)) return [{ node: graph.nodes[0]!, input: -1 }];
    return consumersOf(name, subgraph);
  });
  return [...own, ...inside];
}

function defines(graph: PlacedGraph, name: string): boolean {
  return graph.tensors.some((tensor) => tensor.name === name) || graph.inputs.some((input) => input.name === name) || graph.nodes.some(({ record }) => record.outputs.includes(name));
}

function formOf({ node: { record }, input }: Consumer, shape: readonly number[], opset: number): Form | string {
  if (input < 0) return "its weight leaves a subgraph";
  const words = `${record.domain === "" ? "" : `${record.domain}.`}${record.opType}`;
  if (record.domain !== "") return `${words} takes its weight whole`;
  switch (record.opType) {
    case "Conv": case "ConvTranspose": return input === 1 ? convolutionForm(record, shape) : `${words} takes it as something else`;
    case "MatMul": return shape.length !== 2 ? "its weight is a stack of matrices" : input === 1 ? { op: "linear", layout: "in_out" } : { op: "linear", layout: "out_in", whole: true };
    case "LSTM": case "GRU": case "RNN": return recurrentForm(record, input);
    case "Gemm": return gemmForm(record, input, opset);
    case "Gather": {
      if (input !== 0 || shape.length !== 2) return `${words} takes it as something else`;
      return integerOf(record, "axis", 0) === 0 ? { op: "embedding", layout: "in_out" } : "its embedding is looked up by columns";
    }
    default: return `${words} takes its weight whole`;
  }
}

function convolutionForm(record: NodeRecord, shape: readonly number[]): Form | string {
  const unknown = [...record.attributes.keys()].find((name) => !CONVOLUTION_ATTRIBUTES.includes(name));
  if (unknown !== undefined) return `its attribute ${unknown} cannot be divided between factors`;
  const op = record.opType === "Conv" ? "conv" : "conv_transpose";
  const groups = integerOf(record, "group", 1);
  return (shape[0] ?? 0) % groups === 0 ? { op, groups } : "its groups do not divide its channels";
}

function recurrentForm({ opType }: NodeRecord, input: number): Form | string {
  if (input === 1) return { op: "recurrent", layout: "out_in" };
  return input === STATE_INPUT ? `it multiplies the state inside ${opType}, which takes it whole; the input weight of the same layer can be factorized` : `${opType} takes it as something else`;
}

function gemmForm(record: NodeRecord, input: number, opset: number): Form | string {
  if (input !== 1) return "Gemm takes it as its first input";
  // A Gemm without bias, which the first factor of a transposed input needs, came with operator set 11.
  if (integerOf(record, "transA", 0) !== 0 && opset < 11) return "a transposed Gemm of this operator set needs a bias";
  return { op: "linear", layout: integerOf(record, "transB", 0) === 0 ? "in_out" : "out_in" };
}

export function integerOf(record: NodeRecord, name: string, otherwise: number): number {
  return record.attributes.get(name)?.int ?? otherwise;
}
