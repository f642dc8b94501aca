import type { WeightRole } from "../views";
import { constantOf } from "./constants";
import type { Node } from "./graph";
import { integer } from "./operators";
import { DATA_TYPES } from "./schema";
import { elementsOf, type TensorRecord } from "./tensorProto";

/**
 * A weight that an operator keeps in a packing of its own: rows of `bits` wide numbers, the first in the low bits of a
 * byte, each block of a row with its scale and zero point. (q − zero point) · scale.
 */
export interface PackedBlocks {
  readonly kind: "blocks";
  readonly bits: 2 | 4 | 8;
  readonly rows: number;
  readonly columns: number;
  /** Bytes from one row to the next: blocks may be filled up. */
  readonly rowBytes: number;
  readonly blockSize: number;
  /** rows × ⌈columns / blockSize⌉ */
  readonly scale: TensorRecord;
  /** The same, packed as the weight is, each row from a new byte on, or as they are; null: the middle of the numbers' range. */
  readonly zeroPoint: { readonly record: TensorRecord; readonly isPacked: boolean } | null;
  /** The block of each column, where those do not follow each other (g_idx). */
  readonly order: TensorRecord | null;
}

/** A weight of bitsandbytes: codes of four bits, the first in the high half, all in one row with a scale for each block. */
export interface PackedCodes {
  readonly kind: "codes";
  readonly codes: "fp4" | "nf4";
  readonly rows: number;
  readonly columns: number;
  readonly blockSize: number;
  readonly scale: TensorRecord;
}

export type Packing = PackedBlocks | PackedCodes;

/** The shape that a packed tensor stands for. */
export function packedShape({ rows, columns }: Packing): readonly number[] {
  return [rows, columns];
}

/** The numbers that it is made of: a name of `dtypes.ts`. */
export function packedType(packing: Packing): string {
  return packing.kind === "codes" ? "uint4" : `uint${packing.bits}`;
}

export function packedRole(node: Node): WeightRole {
  return node.opType === "GatherBlockQuantized" ? { kind: "embedding" } : { kind: "linear", layout: "out_in" };
}

/** All tensors that are read for it. */
export function packedTensors(packing: Packing): readonly TensorRecord[] {
  if (packing.kind === "codes") return [packing.scale];
  return [packing.scale, ...(packing.zeroPoint === null ? [] : [packing.zeroPoint.record]), ...(packing.order === null ? [] : [packing.order])];
}

export function packingInWords(packing: Packing): string {
  if (packing.kind === "codes") return `bitsandbytes ${packing.codes.toUpperCase()}, dequantized in blocks of ${packing.blockSize}`;
  return `${packing.bits} bits, dequantized in blocks of ${packing.blockSize} along the rows${packing.order === null ? "" : ", in an order of their own"}`;
}

/**
 * How the weight of a node is packed (onnxruntime/docs/ContribOperators.md: MatMulNBits, MatMulBnb4, GatherBlockQuantized).
 * @returns a reason where that is not read or does not fit together
 */
export function packingOf(node: Node, record: TensorRecord): Packing | string {
  switch (node.opType) {
    case "MatMulNBits": return matMulNBits(node, record);
    case "MatMulBnb4": return matMulBnb4(node, record);
    case "GatherBlockQuantized": return gatherBlocks(node, record);
    default: return `packed in a way of ${node.opType}'s own, which RankLens does not read`;
  }
}

/** What a reason tells when scales that should be there are computed or missing. */
const NO_SCALE = "whose scale, zero point or order of groups is not found in the file";

function matMulNBits(node: Node, record: TensorRecord): Packing | string {
  const rows = integer(node, "N", 0), columns = integer(node, "K", 0), blockSize = integer(node, "block_size", 0), bits = bitsOf(node);
  if (bits === null) return `numbers of ${integer(node, "bits", 4)} bits, which RankLens does not read`;
  if (!isSize(rows) || !isSize(columns) || !isSize(blockSize) || (blockSize * bits) % 8 !== 0) return misfit(node);
  const blocks = Math.ceil(columns / blockSize);
  return blocksOf(node, record, { bits, rows, columns, blockSize, rowBytes: (blocks * blockSize * bits) / 8 }, { scale: 2, zeroPoint: 3, order: 4 });
}

function gatherBlocks(node: Node, record: TensorRecord): Packing | string {
  const bits = bitsOf(node), blockSize = integer(node, "block_size", 128), rank = record.shape.length;
  if (bits === null || rank !== 2) return misfit(node);
  const axis = integer(node, "quantize_axis", 1);
  if (integer(node, "gather_axis", 0) !== 0 || (axis < 0 ? axis + rank : axis) !== 1 || !isSize(blockSize)) return misfit(node);
  const [rows = 0, rowBytes = 0] = record.shape;
  return blocksOf(node, record, { bits, rows, columns: (rowBytes * 8) / bits, blockSize, rowBytes }, { scale: 2, zeroPoint: 3, order: null });
}

type Numbers = Pick<PackedBlocks, "bits" | "rows" | "columns" | "blockSize" | "rowBytes">;

function blocksOf(node: Node, record: TensorRecord, numbers: Numbers, at: { readonly scale: number; readonly zeroPoint: number; readonly order: number | null }): Packing | string {
  const { rows, columns, blockSize, bits } = numbers;
  const [scale, zero, order] = [at.scale, at.zeroPoint, at.order].map((input) => (input === null || (node.inputs[input] ?? null) === null ? null : constantOf(node.inputs[input]) ?? "computed"));
  if (scale === undefined || scale === null || zero === undefined || order === undefined || [scale, zero, order].includes("computed")) return NO_SCALE;
  const blocks = Math.ceil(columns / blockSize), count = rows * blocks;
  const fits = typeof scale !== "string" && elementsOf(scale.shape) === count && record.dataType === UINT8 && elementsOf(record.shape) === rows * numbers.rowBytes;
  if (!fits || typeof zero === "string" || typeof order === "string") return misfit(node);
  const isPacked = zero?.dataType === UINT8;
  if (zero !== null && elementsOf(zero.shape) !== (isPacked ? rows * Math.ceil((blocks * bits) / 8) : count)) return misfit(node);
  if (order !== null && (elementsOf(order.shape) !== columns || DATA_TYPES.get(order.dataType)?.name !== "int32")) return misfit(node);
  return { kind: "blocks", ...numbers, scale, zeroPoint: zero === null ? null : { record: zero, isPacked }, order };
}

function matMulBnb4(node: Node, record: TensorRecord): Packing | string {
  const rows = integer(node, "N", 0), columns = integer(node, "K", 0), blockSize = integer(node, "block_size", 0), type = integer(node, "quant_type", -1);
  const scale = constantOf(node.inputs[2]);
  if (scale === null) return NO_SCALE;
  const fits = isSize(rows) && isSize(columns) && isSize(blockSize) && (type === 0 || type === 1) && record.dataType === UINT8 &&
    elementsOf(record.shape) === Math.ceil((rows * columns) / 2) && elementsOf(scale.shape) === Math.ceil((rows * columns) / blockSize);
  return fits ? { kind: "codes", codes: type === 0 ? "fp4" : "nf4", rows, columns, blockSize, scale } : misfit(node);
}

/** TensorProto.DataType of packed numbers. */
const UINT8 = 2;

function bitsOf(node: Node): PackedBlocks["bits"] | null {
  const bits = integer(node, "bits", 4);
  return bits === 2 || bits === 4 || bits === 8 ? bits : null;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function misfit(node: Node): string {
  return `its size and its scales do not fit the attributes of ${node.opType}`;
}
