import type { SkippedTensor } from "../../shared/report";
import { clipped } from "../clipped";
import { viewIn } from "../layout";
import type { Layer, MatrixView, OpenOptions, Tensor } from "../model";
import { viewsOf } from "../views";
import type { ExternalData } from "./external";
import type { LinkedModel, StoredTensor } from "./graph";
import { biasName, isMadeUp, nodeInWords, placeOfWeight, UniqueNames } from "./naming";
import { isPacked } from "./operators";
import { packedRole, packedShape, packedTensors, packedType, packingInWords, packingOf, type Packing } from "./packed";
import { place } from "./placement";
import type { Quantization } from "./quantization";
import { DATA_TYPES } from "./schema";
import { elementsOf, type TensorRecord } from "./tensorProto";
import { traceTensor, type Trace, type WeightUse } from "./trace";

/** A layer and how its values are read. */
export interface ReadableLayer {
  readonly layer: Layer;
  readonly record: TensorRecord;
  readonly quantization: Quantization | null;
  readonly packing: Packing | null;
}

/** A use of a tensor, and how the operator packs it; a reason where that is not read. */
interface PackedUse extends WeightUse {
  readonly packing: Packing | string | null;
}

export interface Sorted {
  /** In the order in which the model runs. */
  readonly layers: readonly ReadableLayer[];
  readonly skipped: readonly SkippedTensor[];
  /** Weights in all tensors: floats, and integers that have a scale. */
  readonly parameters: number;
}

/**
 * Puts every tensor of the file into `layers` or, with the reason, into `skipped`.
 * @throws Fault external-data-refused
 */
export async function sortTensors(model: LinkedModel, external: ExternalData, options: OpenOptions): Promise<Sorted> {
  const layers: { readonly layer: ReadableLayer; readonly order: number }[] = [];
  const skipped: SkippedTensor[] = [];
  const names = new UniqueNames();
  const count = new ParameterCount();
  for (const stored of model.tensors) {
    const name = names.take(stored.name, stored.path);
    const { record } = stored;
    if (record.source.kind === "external") await external.find(record.source.location);
    const trace = traceTensor(stored, model.functions);
    const use = withPacking(mainUse(trace.weights), record);
    const reason = reasonToSkip(stored, trace, use, options) ?? await unreadable(record, use, external);
    if (stored.reason === null) count.add(record, trace, use);
    if (use === null || reason !== null) skipped.push({ name, shape: record.shape, dtype: typeOf(record).name, reason: reason ?? "not a weight" });
    else layers.push({ layer: layerOf(name, record, use, trace), order: use.node.order });
  }
  layers.sort((a, b) => a.order - b.order);
  return { layers: layers.map(({ layer }) => layer), skipped, parameters: count.total };
}

/** Counts weights and biases: floats and dequantized integers, but not the scales that those come with. */
class ParameterCount {
  private readonly counted = new Map<TensorRecord, number>();
  private readonly scales = new Set<TensorRecord>();

  add(record: TensorRecord, trace: Trace, use: PackedUse | null): void {
    const quantization = use?.quantization ?? null, packing = use?.packing ?? null;
    if (quantization !== null) this.scales.add(quantization.scale);
    if (trace.others.some((words) => words.startsWith("as scale of Quantize") || words.startsWith("as scale of Dequantize"))) this.scales.add(record);
    if (packing !== null && typeof packing !== "string") {
      for (const part of packedTensors(packing)) this.scales.add(part);
      this.counted.set(record, elementsOf(packedShape(packing)));
    } else if (typeOf(record).use === "float" || quantization !== null || trace.dequantized) this.counted.set(record, elementsOf(record.shape));
  }

  get total(): number {
    return [...this.counted].reduce((sum, [record, weights]) => sum + (this.scales.has(record) ? 0 : weights), 0);
  }
}

/** The use that says most: a known role before an unknown one, the first in order otherwise. */
function mainUse(uses: readonly WeightUse[]): WeightUse | null {
  const known = uses.filter((use) => use.role.kind !== "other");
  const first = (candidates: readonly WeightUse[]) => candidates.reduce<WeightUse | null>((best, use) => (best === null || use.node.order < best.node.order ? use : best), null);
  return first(known) ?? first(uses);
}

function withPacking(use: WeightUse | null, record: TensorRecord): PackedUse | null {
  if (use === null || !isPacked(use.node, record.dataType)) return use && { ...use, packing: null };
  const isMoved = String(use.layout.shape) !== String(record.shape) || use.changes.length > 0;
  return { ...use, packing: isMoved ? `packed for ${use.node.opType}, and changed before that` : packingOf(use.node, record) };
}

function reasonToSkip(stored: StoredTensor, trace: Trace, use: PackedUse | null, options: OpenOptions): string | null {
  if (stored.reason !== null) return stored.reason;
  const { record } = stored;
  const type = typeOf(record), count = elementsOf(record.shape);
  const used = usesInWords(trace);
  if (type.use === "other" || (type.use === "quantized" && use === null && !trace.others.every(isNamed))) return `${type.name}, ${used}: not a weight`;
  if (use === null && count === 1) return `a single number, ${used}`;
  if (use === null && record.shape.length < 2) return `one axis, ${used}: no matrix`;
  if (count < options.smallestTensor) return `${count} weights, fewer than the ${options.smallestTensor} from which tensors are measured`;
  if (use === null) return trace.others.length === 0 ? used : `${used} only: not a weight matrix`;
  if (typeof use.packing === "string") return use.packing;
  if (use.packing !== null) return null;
  if (type.use === "quantized" && use.quantization === null) return `${type.name} whose scale is not found in the file, used by ${nodeInWords(use.node)}`;
  return null;
}

/** Biases and zero points are integers that are no shapes: their use says more than their type. */
function isNamed(words: string): boolean {
  return words.startsWith("as ");
}

/** Why the values of a weight cannot be read, looking at the tensor and what it is dequantized with. */
async function unreadable(record: TensorRecord, use: PackedUse | null, external: ExternalData): Promise<string | null> {
  const packing = use?.packing ?? null;
  const needed = [record, use?.quantization?.scale, use?.quantization?.zeroPoint, ...(packing === null || typeof packing === "string" ? [] : packedTensors(packing))];
  for (const part of needed) {
    if (part === undefined || part === null) continue;
    const placement = await place(part, external);
    if (placement.kind === "nowhere") return part === record ? placement.reason : `its scale or zero point: ${placement.reason}`;
  }
  return null;
}

function layerOf(name: string, record: TensorRecord, use: PackedUse, trace: Trace): ReadableLayer {
  const packing = typeof use.packing === "string" ? null : use.packing;
  const tensor: Tensor = packing === null ? { name, dtype: typeOf(record).name, shape: record.shape } : { name, dtype: packedType(packing), shape: packedShape(packing) };
  const { kind, views, notes } = packing === null ? viewsIn(record, use) : viewsOf(tensor.shape, packedRole(use.node));
  const layer: Layer = {
    tensor, kind, views, ...placeOfWeight(name, use.node),
    notes: [
      ...(packing !== null ? [packingInWords(packing)] : use.quantization === null ? [] : [quantizationInWords(tensor.dtype, use.quantization)]),
      ...(record.source.kind === "sparse" ? [`sparse: ${elementsOf(record.source.values.shape)} of ${elementsOf(record.shape)} weights are stored, the others are zero`] : []),
      ...(isMadeUp(name) && use.node.name !== "" ? [`weight of ${nodeInWords(use.node)}${biasInWords(use)}`] : []),
      ...new Set(use.changes), ...otherUsesInWords(use, trace), ...notes,
    ],
  };
  return { layer, record, quantization: use.quantization, packing };
}

function biasInWords({ node }: WeightUse): string {
  const bias = biasName(node);
  return bias === null ? "" : `, whose bias is ${bias}`;
}

/** The views that the role asks for, laid over the tensor as it is stored. */
function viewsIn(record: TensorRecord, use: WeightUse): Pick<Layer, "kind" | "views" | "notes"> {
  const { layout } = use;
  const made = viewsOf(layout.shape, use.role);
  const moved = made.views.map((view) => viewIn(layout, view));
  const long = (shape: readonly number[]) => String(shape.filter((size) => size > 1));
  const reshaped = long(layout.shape) === long(record.shape) ? [] : [`used as [${layout.shape.join(", ")}]`];
  if (moved.every((view): view is MatrixView => view !== null)) return { kind: made.kind, views: moved, notes: [...reshaped, ...made.notes] };
  const own = viewsOf(record.shape, { kind: "other" });
  return { ...own, notes: [`stored in an order that RankLens does not follow to ${nodeInWords(use.node)}`, ...own.notes] };
}

function otherUsesInWords(use: WeightUse, trace: Trace): string[] {
  const others = trace.weights.filter((other) => other.node !== use.node);
  const different = others.find((other) => other.role.kind !== use.role.kind);
  return [
    ...(others.length > 0 ? [`used by ${others.length + 1} nodes`] : []),
    ...(different === undefined ? [] : [`also used by ${nodeInWords(different.node)}`]),
    ...(trace.complete ? [] : ["used in more places than were followed"]),
  ];
}

/** Kinds of use that a reason names; the rest is counted. */
const MOST_WORDS = 8;

function usesInWords({ weights, others, complete }: Trace): string {
  const words = [...new Set([...weights.map((use) => `by ${use.node.opType}`), ...others])];
  if (words.length === 0) return complete ? "used by no node" : "used further on than RankLens follows";
  const more = words.length - MOST_WORDS;
  return `used ${words.slice(0, MOST_WORDS).map(clipped).join(", ")}${more > 0 ? `, and in ${more} more ways` : ""}${complete ? "" : " and further on"}`;
}

function quantizationInWords(dtype: string, { axis, blockSize }: Quantization): string {
  if (axis === null) return `${dtype}, dequantized`;
  return blockSize === 0 ? `${dtype}, dequantized per axis ${axis}` : `${dtype}, dequantized in blocks of ${blockSize} along axis ${axis}`;
}

function typeOf(record: TensorRecord) {
  return DATA_TYPES.get(record.dataType) ?? { name: typeName(record.dataType), bits: 0, use: "other" as const };
}

function typeName(dataType: number): string {
  return DATA_TYPES.get(dataType)?.name ?? `type ${dataType}`;
}
