import { childList, childNumbers, childTable, childTables, childText, field, rootTable, type Table } from "./flatbuffer";
import { Fault } from "../../shared/fault";
import type { PagedBytes } from "../pagedBytes";
import { IDENTIFIER, MOST_AXES, MOST_ENTRIES, MOST_INPUTS, MOST_SCALES, operatorName, TENSOR_TYPES, type TensorType } from "./schema";

/** value = (q − zeroPoint) · scale; one of each, or one for each index of `axis`. */
export interface Quantization {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly axis: number;
}

/** A tensor whose values are in the file. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TensorType;
  readonly quantization: Quantization | null;
  readonly isSparse: boolean;
  /** Bytes [begin, begin + bytes) of the file. */
  readonly begin: number;
  readonly bytes: number;
  readonly uses: readonly Use[];
}

export interface Operator {
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Whether a BATCH_MATMUL takes its first or second input transposed. */
  readonly adjoint: readonly [boolean, boolean];
  readonly order: number;
}

/** An operator that takes a tensor, as which of its inputs, and the shape of what else it multiplies with. */
export interface Use {
  readonly operator: Operator;
  readonly input: number;
  readonly activation: readonly number[] | null;
}

export interface Graph {
  readonly description: string;
  readonly constants: readonly Constant[];
  readonly subgraphs: number;
}

/** @throws Fault malformed, truncated, too-large */
export async function readGraph(file: PagedBytes): Promise<Graph> {
  await checkIdentifier(file);
  const root = await rootTable(file);
  const operators = await readOperators(file, root);
  const buffers = await readBuffers(file, root);
  const subgraphs = await childTables(file, root, 2, MOST_ENTRIES);
  const constants: Constant[] = [];
  let order = 0;
  for (const subgraph of subgraphs) {
    const read = await readSubgraph(file, subgraph, operators, buffers, order);
    constants.push(...read.constants);
    order = read.order;
    if (constants.length > MOST_ENTRIES) throw file.damaged("more than a million tensors", 0);
  }
  return { description: await childText(file, root, 3), constants, subgraphs: subgraphs.length };
}

async function checkIdentifier(file: PagedBytes): Promise<void> {
  const { name, size } = file.source;
  if (size < 8) throw new Fault("truncated", `${name} has ${size} bytes, fewer than a TensorFlow Lite file begins with.`, "Fetch the file again.");
  const head = await file.cursor(0, 8);
  if (head.text(4) === "vers") throw new Fault("malformed", `${name} is a Git LFS pointer, not the model itself.`, "Run \"git lfs pull\" in its repository.");
  if (head.text(4) !== IDENTIFIER) throw new Fault("malformed", `${name} is not a TensorFlow Lite file: "${IDENTIFIER}" is not at byte 4.`, "Check what the file is, and its ending.");
}

async function readOperators(file: PagedBytes, root: Table): Promise<readonly string[]> {
  const names: string[] = [];
  for (const table of await childTables(file, root, 1, MOST_ENTRIES)) {
    // Codes up to 127 stand in the old field of one byte.
    const code = Math.max(field(table, 3)?.i32() ?? 0, field(table, 0)?.u8() ?? 0);
    const custom = await childText(file, table, 1);
    names.push(custom === "" ? operatorName(code) : custom);
  }
  return names;
}

interface Bytes {
  readonly begin: number;
  readonly bytes: number;
}

async function readBuffers(file: PagedBytes, root: Table): Promise<readonly Bytes[]> {
  const buffers: Bytes[] = [];
  for (const table of await childTables(file, root, 4, MOST_ENTRIES)) {
    const data = await childList(file, table, 0, Number.MAX_SAFE_INTEGER);
    // Models of more than 2 GB keep their data after the FlatBuffer.
    const offset = field(table, 1)?.u64() ?? 0, size = field(table, 2)?.u64() ?? 0;
    const placed = offset > 1 ? { begin: offset, bytes: size } : { begin: data.at, bytes: data.length };
    if (!(placed.begin + placed.bytes <= file.source.size)) {
      throw new Fault("truncated", `${file.source.name} ends at byte ${file.source.size}, where data up to byte ${placed.begin + placed.bytes} were expected.`, "The download is not complete: fetch the file again.");
    }
    buffers.push(placed);
  }
  return buffers;
}

interface Described extends Omit<Constant, "uses"> {
  readonly isConstant: boolean;
}

async function readSubgraph(file: PagedBytes, subgraph: Table, operators: readonly string[], buffers: readonly Bytes[], first: number): Promise<{ constants: Constant[]; order: number }> {
  const tensors: Described[] = [];
  for (const table of await childTables(file, subgraph, 0, MOST_ENTRIES)) tensors.push(await readTensor(file, table, buffers));
  const uses = new Map<number, Use[]>();
  const dequantized = new Map<number, number>();
  let order = first;
  for (const table of await childTables(file, subgraph, 3, MOST_ENTRIES)) {
    const operator = await readOperator(file, table, operators, order++);
    if (operator.name === "DEQUANTIZE" && operator.outputs.length === 1 && operator.inputs.length === 1) dequantized.set(operator.outputs[0]!, operator.inputs[0]!);
    operator.inputs.forEach((tensor, input) => {
      // What a DEQUANTIZE makes of a constant is that constant: float16 weights are stored so.
      const source = dequantized.get(tensor) ?? tensor;
      const activation = tensors[operator.inputs[operator.name === "TRANSPOSE_CONV" ? 2 : 0] ?? -1]?.shape ?? null;
      uses.set(source, [...(uses.get(source) ?? []), { operator, input, activation }].slice(0, MOST_USES));
    });
  }
  const constants = tensors.flatMap(({ isConstant, ...tensor }, index) =>
    (isConstant ? [{ ...tensor, uses: (uses.get(index) ?? []).filter(({ operator }) => operator.name !== "DEQUANTIZE") }] : []));
  return { constants, order };
}

/** Uses of one tensor that are looked at. */
const MOST_USES = 64;

async function readTensor(file: PagedBytes, table: Table, buffers: readonly Bytes[]): Promise<Described> {
  const shape = await childNumbers(file, table, 0, MOST_AXES, "i32");
  const number = field(table, 1)?.u8() ?? 0;
  const buffer = buffers[field(table, 2)?.u32() ?? 0] ?? { begin: 0, bytes: 0 };
  const isSparse = field(table, 6) !== null;
  const quantization = await childTable(file, table, 4);
  return {
    name: (await childText(file, table, 3)), shape, type: TENSOR_TYPES.get(number) ?? { name: `type ${number}`, bits: 0, use: "other" },
    quantization: quantization === null ? null : await readQuantization(file, quantization), isSparse, ...buffer, isConstant: buffer.bytes > 0,
  };
}

async function readQuantization(file: PagedBytes, table: Table): Promise<Quantization | null> {
  const scales = await childNumbers(file, table, 2, MOST_SCALES, "f32");
  const zeroPoints = await childNumbers(file, table, 3, MOST_SCALES, "i64");
  return scales.length === 0 ? null : { scales, zeroPoints, axis: field(table, 6)?.i32() ?? 0 };
}

/** Type of the options of BATCH_MATMUL (BuiltinOptions). */
const BATCH_MATMUL_OPTIONS = 101;

async function readOperator(file: PagedBytes, table: Table, operators: readonly string[], order: number): Promise<Operator> {
  const code = field(table, 0)?.u32() ?? 0;
  const optionsType = field(table, 3)?.u8() ?? 0;
  const options = optionsType === BATCH_MATMUL_OPTIONS ? await childTable(file, table, 4) : null;
  const flag = (number: number) => options !== null && (field(options, number)?.u8() ?? 0) !== 0;
  return {
    name: operators[code] ?? `operator code ${code}`,
    inputs: await childNumbers(file, table, 1, MOST_INPUTS, "i32"), outputs: await childNumbers(file, table, 2, MOST_INPUTS, "i32"),
    adjoint: [flag(0), flag(1)], order,
  };
}
