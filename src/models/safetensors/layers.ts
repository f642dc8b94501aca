import type { SkippedTensor } from "../../shared/report";
import { clipped } from "../clipped";
import type { Layer, OpenOptions } from "../model";
import { StateDict, whyIntegers } from "../stateDict";
import type { StoredTensor } from "./header";
import { elementsOf } from "./layout";
import { inModelOrder } from "./order";
import type { Source } from "./read";
import { fitScale, hasFurtherFactors, scaleBeside, type Scale } from "./scales";
import type { Shard } from "./shards";

/** A tensor, in the file that has it, under a name that no other has. */
export interface PlacedTensor {
  readonly name: string;
  readonly tensor: StoredTensor;
  readonly shard: Shard;
  /** Why it is no layer whatever it is; null when that is to be seen. */
  readonly reason: string | null;
  /** Other names of the same data. */
  readonly aliases: readonly string[];
}

export interface Sorted {
  readonly layers: readonly Layer[];
  /** Of every tensor whose numbers are read, by name, also of such as are no layer. */
  readonly sources: ReadonlyMap<string, Source>;
  readonly skipped: readonly SkippedTensor[];
  /** Weights in all tensors of floats and of scaled numbers, without the scales; shared ones once. */
  readonly parameters: number;
}

/** Puts every tensor into `layers` or, with the reason, into `skipped`. */
export function sortTensors(placed: readonly PlacedTensor[], options: OpenOptions): Sorted {
  const sorter = new Sorter(placed, options);
  for (const one of inModelOrder(placed)) sorter.add(one);
  return sorter;
}

class Sorter implements Sorted {
  readonly layers: Layer[] = [];
  readonly sources = new Map<string, Source>();
  readonly skipped: SkippedTensor[] = [];
  parameters = 0;
  private readonly byName: ReadonlyMap<string, PlacedTensor>;
  private readonly scales: ReadonlyMap<StoredTensor, string>;
  private readonly stateDict: StateDict;

  constructor(placed: readonly PlacedTensor[], options: OpenOptions) {
    this.byName = new Map(placed.map((one) => [one.name, one]));
    this.scales = new Map(placed.flatMap(({ tensor }): [StoredTensor, string][] => {
      const scale = tensor.type.bits > 8 ? null : scaleBeside(tensor, this.find);
      return scale === null ? [] : [[scale, tensor.name]];
    }));
    this.stateDict = new StateDict(placed.map(({ name, tensor: { shape } }) => ({ name, shape })), options);
  }

  add(placed: PlacedTensor): void {
    const { name, tensor } = placed;
    const skip = (reason: string) => this.skipped.push({ name, shape: tensor.shape, dtype: tensor.type.name, reason });
    const scaleFor = this.scales.get(tensor);
    if (placed.reason !== null) skip(placed.reason);
    else if (scaleFor !== undefined) skip(`scale of ${clipped(scaleFor)}`);
    else this.addOwn(placed, skip);
  }

  private addOwn(placed: PlacedTensor, skip: (reason: string) => void): void {
    const { name, tensor } = placed;
    const scale = this.scaleOf(tensor);
    const reason = typeof scale === "string" ? scale : whyUnread(tensor, scale);
    const isFloat = tensor.type.use === "float" || tensor.type.name.startsWith("float");
    if (isFloat || reason === null) this.parameters += elementsOf(tensor.shape);
    if (typeof scale !== "string" && tensor.type.use !== "unread") {
      this.sources.set(name, { tensor, shard: placed.shard, scale: scale === null ? null : { ...scale, shard: this.byName.get(scale.tensor.name)!.shard } });
    }
    if (reason !== null || typeof scale === "string") {
      skip(reason ?? "");
      return;
    }
    const described = { name, dtype: tensor.type.name, shape: tensor.shape };
    const layer = this.stateDict.layerOf(described, { notes: scaleInWords(tensor, scale), aliases: placed.aliases });
    if (typeof layer === "string") skip(layer);
    else this.layers.push(layer);
  }

  /** The scale of a tensor of few bits, null when it has none, or why it cannot be applied. */
  private scaleOf(tensor: StoredTensor): Scale | string | null {
    if (tensor.type.bits > 8 || tensor.type.bits === 0) return null;
    const beside = scaleBeside(tensor, this.find);
    if (beside === null) return null;
    const { name } = tensor.type;
    if (tensor.type.use === "integer" || tensor.type.use === "unread") return `${name}, packed together with ${clipped(beside.name)} in a way that RankLens does not read`;
    if (hasFurtherFactors(tensor.name, this.find)) return `${name} with a zero point or a second scale beside it, which RankLens does not read`;
    return fitScale(tensor, beside) ?? `${name}, whose scale ${clipped(beside.name)} of shape [${beside.shape.join(", ")}] does not fit it`;
  }

  private readonly find = (name: string): StoredTensor | undefined => this.byName.get(name)?.tensor;
}

function whyUnread({ name, type }: StoredTensor, scale: Scale | null): string | null {
  switch (type.use) {
    case "float": return null;
    case "scaled": return scale === null ? `${type.name} without a scale: not a weight` : null;
    case "unread": return type.name.startsWith("complex") ? `${type.name}: complex numbers are not measured` : `${type.name}: a type that RankLens does not read`;
    case "integer": return whyIntegers(name, type.name);
  }
}

function scaleInWords({ type, shape }: StoredTensor, scale: Scale | null): string[] {
  if (scale === null) return type.bits === 8 ? [`${type.name} without a scale`] : [];
  const { block } = scale;
  if (block.every((size, axis) => size >= shape[axis]!)) return [`${type.name}, dequantized`];
  if (block[0] === 1 && block.every((size, axis) => axis === 0 || size >= shape[axis]!)) return [`${type.name}, dequantized per axis 0`];
  return [`${type.name}, dequantized in blocks of ${block.join(" × ")}`];
}
