import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { FileBytes } from "../fileBytes";
import { parseGraph, parseNode, type GraphRecord, type NodeRecord } from "./graphProto";
import { FUNCTION, MODEL, OPSET, TRAINING } from "./schema";
import { LENGTH_DELIMITED, VARINT, WireReader, type Field, type Span } from "./wire";

/** A model-local function: a graph whose inputs are formal. */
export interface FunctionRecord extends GraphRecord {
  readonly domain: string;
}

/** A ModelProto without any tensor's values. */
export interface ModelRecord {
  readonly irVersion: number | null;
  readonly producer: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: GraphRecord;
  readonly functions: readonly FunctionRecord[];
  /** Graphs of training_info: no part of inference. */
  readonly training: readonly GraphRecord[];
}

/** Bytes looked at to tell a text file from a model. */
const SNIFFED = 256;

/**
 * Reads the structure of a model file; values stay in the file.
 * @throws Fault malformed, truncated, too-large
 */
export async function parseModel(file: FileBytes): Promise<ModelRecord> {
  await refuseText(file);
  const wire = new WireReader(file);
  let irVersion: number | null = null, producerName = "", producerVersion = "";
  const graphs: GraphRecord[] = [];
  const opsets: { domain: string; version: number }[] = [];
  const functions: FunctionRecord[] = [], training: GraphRecord[] = [];
  await wire.message({ start: 0, end: file.size }, 0, (field): Promise<void> | void => {
    checkField(wire, field);
    switch (field.number) {
      case MODEL.irVersion: irVersion = wire.int64(field); return;
      case MODEL.producerName: return wire.text(field).then((text) => { producerName = text; });
      case MODEL.producerVersion: return wire.text(field).then((text) => { producerVersion = text; });
      case MODEL.graph: return parseGraph(wire, field, 1).then((parsed) => { graphs.push(parsed); });
      case MODEL.opsetImport: return parseOpset(wire, field).then((opset) => { opsets.push(opset); });
      case MODEL.functions: return parseFunction(wire, field).then((parsed) => { functions.push(parsed); });
      case MODEL.trainingInfo: return parseTraining(wire, field, training);
    }
  });
  if (graphs.length === 0) {
    throw new Fault("malformed", `${basename(file.path)} holds no graph: it is not an ONNX model, or is cut off.`, "Fetch or export the file again.");
  }
  return { irVersion, producer: [producerName, producerVersion].filter((part) => part !== "").join(" "), opsets, graph: merged(graphs), functions, training };
}

/** Protobuf merges a message field that comes more than once (encoding guide, "Last One Wins"). */
function merged(graphs: readonly GraphRecord[]): GraphRecord {
  return {
    name: graphs.at(-1)?.name ?? "",
    nodes: graphs.flatMap((graph) => graph.nodes),
    initializers: graphs.flatMap((graph) => graph.initializers),
    sparse: graphs.flatMap((graph) => graph.sparse),
    inputs: graphs.flatMap((graph) => graph.inputs),
    outputs: graphs.flatMap((graph) => graph.outputs),
  };
}

const VARINT_FIELDS: readonly number[] = [MODEL.irVersion, MODEL.modelVersion];
const KNOWN_FIELDS: readonly number[] = Object.values(MODEL);

function checkField(wire: WireReader, field: Field): void {
  if (KNOWN_FIELDS.includes(field.number)) wire.expect(field, VARINT_FIELDS.includes(field.number) ? VARINT : LENGTH_DELIMITED);
}

/** A saved web page or a Git LFS pointer is the usual "damaged" model: say what it is. */
async function refuseText(file: FileBytes): Promise<void> {
  const head = await file.read(0, Math.min(SNIFFED, file.size));
  const printable = head.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d);
  if (!printable) return;
  const text = new TextDecoder().decode(head);
  if (text.startsWith("version https://git-lfs")) {
    throw new Fault("malformed", `${basename(file.path)} is a Git LFS pointer, not the model itself.`, "Run \"git lfs pull\" in its repository.");
  }
  throw new Fault("malformed", `${basename(file.path)} is a text file, not an ONNX model.`, "Fetch or export the file again.");
}

async function parseOpset(wire: WireReader, span: Span): Promise<{ domain: string; version: number }> {
  let domain = "", version = 0;
  await wire.message(span, 1, (field): Promise<void> | void => {
    if (field.number === OPSET.domain) return wire.text(field).then((text) => { domain = text; });
    if (field.number === OPSET.version) version = wire.int64(field);
  });
  return { domain, version };
}

async function parseFunction(wire: WireReader, span: Span): Promise<FunctionRecord> {
  wire.count();
  let name = "", domain = "";
  const nodes: NodeRecord[] = [], inputs: string[] = [], outputs: string[] = [];
  await wire.message(span, 1, (field): Promise<void> | void => {
    switch (field.number) {
      case FUNCTION.name: return wire.text(field).then((text) => { name = text; });
      case FUNCTION.domain: return wire.text(field).then((text) => { domain = text; });
      case FUNCTION.input: return wire.text(field).then((text) => { inputs.push(text); });
      case FUNCTION.output: return wire.text(field).then((text) => { outputs.push(text); });
      case FUNCTION.node: wire.expect(field, LENGTH_DELIMITED); return parseNode(wire, field, 2).then((node) => { nodes.push(node); });
    }
  });
  return { name, domain, nodes, inputs, outputs, initializers: [], sparse: [] };
}

async function parseTraining(wire: WireReader, span: Span, into: GraphRecord[]): Promise<void> {
  await wire.message(span, 1, (field): Promise<void> | void => {
    if (field.number !== TRAINING.initialization && field.number !== TRAINING.algorithm) return;
    wire.expect(field, LENGTH_DELIMITED);
    return parseGraph(wire, field, 2).then((graph) => { into.push(graph); });
  });
}
