import type { LayerKind, SkippedTensor } from "../../shared/report";
import type { Layer, MatrixView, OpenOptions } from "../model";
import { placeOf } from "../names";
import { roleOfName } from "../names/roleOfName";
import type { Neighbours } from "../names/stateDictName";
import { viewsOf, type WeightRole } from "../views";
import { elementsOf } from "./header";
import type { Metadata } from "./metadata";
import { isSwappable } from "./read";
import type { PlacedTensor } from "./shards";

export interface ReadableLayer {
  readonly layer: Layer;
  readonly tensor: PlacedTensor;
}

export interface Sorted {
  /** In the order of the files. */
  readonly layers: readonly ReadableLayer[];
  readonly skipped: readonly SkippedTensor[];
  /** Weights in all tensors of floats and of quantized types. */
  readonly parameters: number;
}

const TOKENS = "token_embd.weight";
const OUTPUT = "output.weight";
/** The convolution of a Mamba block: one kernel a channel, [channels, positions]. */
const STATE_CONVOLUTION = /(?:^|\.)ssm_conv1d(?:_[qkv])?\.weight$/;
/** Tables of BERT and T5 that are not called embeddings. */
const TABLE = /(?:^|\.)(?:token_types|attn_rel_b)\.weight$/;
/** Tensors of three axes that are kernels, and no stack of heads' matrices (attn_k_b of DeepSeek). */
const CONVOLUTION = /conv|patch_embd|dw\d?\.|pw\d?\./;
/** Architectures whose last layer is no table of words. */
const ENCODERS = /bert|encoder|clip|^t5enc/;

/** Puts every tensor into `layers` or, with the reason, into `skipped`. */
export function sortTensors(tensors: readonly PlacedTensor[], metadata: Metadata, options: OpenOptions): Sorted {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const neighbours: Neighbours = {
    shapeOf: (name) => shapes.get(name),
    singleInputKernels: tensors.filter(({ shape }) => shape.length > 2 && shape[1] === 1 && shape[0]! > 1).length,
  };
  const layers: ReadableLayer[] = [], skipped: SkippedTensor[] = [];
  let parameters = 0;
  for (const tensor of tensors) {
    const { name, shape, type } = tensor;
    if (type.use === "plain" || type.use === "blocks") parameters += elementsOf(shape);
    const sorted = sort(tensor, neighbours, options);
    if (typeof sorted === "string") {
      skipped.push({ name, shape, dtype: type.name, reason: sorted });
      continue;
    }
    const notes = [
      ...(type.use === "blocks" ? [`${type.name}, dequantized`] : []),
      ...(name === TOKENS && isTied(shapes, metadata) ? ["also used as the output layer: the file has no other"] : []),
      ...sorted.notes,
    ];
    layers.push({ layer: { tensor: { name, dtype: type.name, shape }, ...sorted, ...placeOf(name), notes }, tensor });
  }
  return { layers, skipped, parameters };
}

interface Measured {
  readonly kind: LayerKind;
  readonly views: readonly MatrixView[];
  readonly notes: readonly string[];
}

/** How a tensor is measured, or why it is not. */
function sort({ name, shape, type, shard }: PlacedTensor, neighbours: Neighbours, { smallestTensor }: OpenOptions): Measured | string {
  const count = elementsOf(shape);
  if (type.use === "integer") return `${type.name}: not a weight`;
  if (type.use === "unread") return `${type.name} of ggml, which RankLens does not read`;
  if (count === 0) return "no elements";
  const named = roleIn(name, shape, neighbours);
  if ("skip" in named) return named.skip;
  if (count < smallestTensor) return `${count} weights, fewer than the ${smallestTensor} from which tensors are measured`;
  if (!shard.littleEndian && !isSwappable(type)) return `${type.name} of a big-endian machine, which RankLens does not read`;
  const { kind, views, notes } = viewsOf(named.shape, named.role);
  return { kind, views, notes: [...named.notes, ...notes] };
}

type Role = ({ readonly role: WeightRole; readonly notes: readonly string[] } | { readonly skip: string }) & { readonly shape: readonly number[] };

/** What llama.cpp's own names say that those of state dicts do not, and the shape that the role is for. */
function roleIn(name: string, shape: readonly number[], neighbours: Neighbours): Role {
  const [first = 1, second = 1, third = 1] = shape;
  if (STATE_CONVOLUTION.test(name) && shape.length === 2) return { role: { kind: "conv", groups: first }, notes: [], shape: [first, 1, second] };
  if (TABLE.test(name) && shape.length === 2) return { role: { kind: "embedding" }, notes: [], shape };
  const named = roleOfName(name, shape, neighbours);
  if ("skip" in named) return { ...named, shape };
  const { role, notes } = named;
  // ggml multiplies from the left, whatever the model was made by.
  if (role.kind === "expert") return { role: { ...role, layout: "out_in" }, notes, shape };
  if (role.kind === "conv" && shape.length === 3 && !CONVOLUTION.test(name)) {
    return { role: { kind: "linear", layout: null }, notes: [`${first} heads of [${second}, ${third}], one above the other`], shape: [first * second, third] };
  }
  return { role, notes, shape };
}

/** llama.cpp multiplies with the table of tokens where there is no output layer. */
function isTied(shapes: ReadonlyMap<string, readonly number[]>, metadata: Metadata): boolean {
  const architecture = metadata.get("general.architecture");
  if (shapes.has(OUTPUT) || typeof architecture !== "string" || ENCODERS.test(architecture)) return false;
  return metadata.get(`${architecture}.attention.causal`) !== false;
}
