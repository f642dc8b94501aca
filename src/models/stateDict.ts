import { clipped } from "./clipped";
import type { Layer, OpenOptions, Tensor } from "./model";
import { placeOf } from "./names";
import { roleOfName } from "./names/roleOfName";
import type { Neighbours } from "./names/stateDictName";
import { viewsOf } from "./views";

/** Other names that a note lists; the rest is counted. */
const MOST_ALIASES = 4;

/** What the names of a state dict tell about each other: safetensors, PyTorch and NumPy files have nothing else. */
export function neighboursOf(tensors: readonly Tensor[]): Neighbours {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  return {
    shapeOf: (name) => shapes.get(name),
    singleInputKernels: tensors.filter(({ shape }) => shape.length > 2 && shape[1] === 1 && shape[0]! > 1).length,
  };
}

/** Remarks about a tensor that its file gives rise to. */
export interface Remarks {
  readonly notes: readonly string[];
  /** Other names of the same data. */
  readonly aliases: readonly string[];
}

/**
 * The layer that a tensor of a state dict is, by its name, or the reason why it is none. The same names and shapes give
 * the same layers in every format.
 * @param called the name that says what the tensor does, where that is not its own; its neighbours go by such names too
 */
export function layerOfName(tensor: Tensor, remarks: Remarks, neighbours: Neighbours, options: OpenOptions, called = tensor.name): Layer | string {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  if (count === 0) return "no elements";
  const named = roleOfName(called, tensor.shape, neighbours);
  if ("skip" in named) return named.skip;
  if (count < options.smallestTensor) return `${count} weights, fewer than the ${options.smallestTensor} from which tensors are measured`;
  const { kind, views, notes } = viewsOf(tensor.shape, named.role);
  return {
    tensor, kind, views, ...placeOf(called),
    notes: [...remarks.notes, ...aliasesInWords(remarks.aliases), ...named.notes, ...notes],
  };
}

export function aliasesInWords(aliases: readonly string[]): string[] {
  const more = aliases.length - MOST_ALIASES;
  return [...aliases.slice(0, MOST_ALIASES).map((alias) => `also used as ${clipped(alias)}`), ...(more > 0 ? [`and as ${more} others`] : [])];
}
