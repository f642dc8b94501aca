import type { FileBytes } from "../../models/fileBytes";
import { parseNode, parseValueName, type NodeRecord } from "../../models/onnx/graphProto";
import { ATTRIBUTE, GRAPH, MODEL, NODE } from "../../models/onnx/schema";
import { parseTensor, type TensorRecord } from "../../models/onnx/tensorProto";
import { WireReader, type Field, type Span } from "../../models/onnx/wire";

/** A field of the file: its payload is the span, its tag begins at `at`; `around` are the messages that hold it, outermost first. */
export interface Placed extends Span {
  readonly at: number;
  readonly number: number;
  readonly around: readonly Placed[];
}

export interface PlacedNode {
  readonly place: Placed;
  readonly record: NodeRecord;
}

export interface PlacedTensor {
  /** The initializer's field, or the Constant node's. */
  readonly place: Placed;
  /** The TensorProto itself. */
  readonly proto: Placed;
  readonly record: TensorRecord;
  /** The name that nodes know it by. */
  readonly name: string;
  readonly constant: boolean;
}

/** A graph and where its parts are; subgraphs see its names. */
export interface PlacedGraph {
  readonly nodes: readonly PlacedNode[];
  readonly tensors: readonly PlacedTensor[];
  readonly inputs: readonly { readonly name: string; readonly place: Placed }[];
  readonly outputs: readonly string[];
  readonly subgraphs: readonly PlacedGraph[];
}

/** Finds every node, tensor and graph of a model that was parsed before. @throws Fault of the wire format */
export async function scanModel(file: FileBytes): Promise<PlacedGraph[]> {
  const scanner = new Scanner(new WireReader(file));
  const graphs: PlacedGraph[] = [];
  await scanner.fields({ start: 0, end: file.size }, [], async (place) => {
    if (place.number === MODEL.graph) graphs.push(await scanner.graph(place));
  });
  return graphs;
}

class Scanner {
  constructor(private readonly wire: WireReader) {}

  async fields(span: Span, around: readonly Placed[], visit: (place: Placed, field: Field) => Promise<void>): Promise<void> {
    let at = span.start;
    await this.wire.message(span, around.length, async (field) => {
      const place: Placed = { at, start: field.start, end: field.end, number: field.number, around };
      at = field.end;
      await visit(place, field);
    });
  }

  async graph(graph: Placed): Promise<PlacedGraph> {
    const nodes: PlacedNode[] = [], tensors: PlacedTensor[] = [], subgraphs: PlacedGraph[] = [];
    const inputs: { name: string; place: Placed }[] = [], outputs: string[] = [];
    const around = [...graph.around, graph];
    await this.fields(graph, around, async (place) => {
      switch (place.number) {
        case GRAPH.node: {
          const record = await parseNode(this.wire, place, around.length);
          nodes.push({ place, record });
          await this.attributes(place, record, tensors, subgraphs);
          break;
        }
        case GRAPH.initializer: {
          const record = await parseTensor(this.wire, place, around.length);
          tensors.push({ place, proto: place, record, name: record.name, constant: false });
          break;
        }
        case GRAPH.input: inputs.push({ name: await parseValueName(this.wire, place, around.length), place }); break;
        case GRAPH.output: outputs.push(await parseValueName(this.wire, place, around.length)); break;
      }
    });
    return { nodes, tensors, inputs, outputs, subgraphs };
  }

  private async attributes(node: Placed, record: NodeRecord, tensors: PlacedTensor[], subgraphs: PlacedGraph[]): Promise<void> {
    const constant = record.opType === "Constant" && record.domain === "";
    const holds = [...record.attributes.values()].some(({ graphs, tensors: inside }) => graphs.length > 0 || inside.length > 0);
    if (!holds) return;
    await this.fields(node, [...node.around, node], async (attribute) => {
      if (attribute.number !== NODE.attribute) return;
      await this.fields(attribute, [...attribute.around, attribute], async (place) => {
        if (place.number === ATTRIBUTE.g || place.number === ATTRIBUTE.graphs) subgraphs.push(await this.graph(place));
        if (place.number === ATTRIBUTE.t && constant) {
          const tensor = await parseTensor(this.wire, place, place.around.length);
          tensors.push({ place: node, proto: place, record: tensor, name: record.outputs[0] ?? "", constant: true });
        }
      });
    });
  }
}
