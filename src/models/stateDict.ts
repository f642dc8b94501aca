import { clipped } from "./clipped";
import type { Layer, OpenOptions, Tensor } from "./model";
import { placeOf } from "./names";
import { roleOfName } from "./names/roleOfName";
import type { Neighbours } from "./names/stateDictName";
import { viewsOf, type WeightRole } from "./views";

/** Other names that a note lists; the rest is counted. */
const MOST_ALIASES = 4;

/** Remarks about a tensor that its file gives rise to. */
export interface Remarks {
  readonly notes: readonly string[];
  /** Other names of the same data. */
  readonly aliases: readonly string[];
}

type Viewed = ReturnType<typeof viewsOf>;

/**
 * Layers of tensors by their names: safetensors, PyTorch and NumPy files have nothing else that tells what a tensor does. The
 * same names and shapes give the same layers in every format.
 */
export class StateDict {
  private readonly shapes: ReadonlyMap<string, readonly number[]>;
  private readonly neighbours: Neighbours;
  private readonly linear = new Map<string, Viewed>();

  /** @param tensors all that are weights, under the names by which roles are found */
  constructor(tensors: readonly Pick<Tensor, "name" | "shape">[], private readonly options: OpenOptions) {
    this.shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
    this.neighbours = {
      shapeOf: (name) => this.shapes.get(name),
      singleInputKernels: tensors.filter(({ shape }) => shape.length > 2 && shape[1] === 1 && shape[0]! > 1).length,
    };
  }

  /**
   * The layer that a tensor is, or the reason why it is none.
   * @param called the name that says what the tensor does, where that is not its own
   */
  layerOf(tensor: Tensor, remarks: Remarks, called = tensor.name): Layer | string {
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    if (count === 0) return "no elements";
    const named = roleOfName(called, tensor.shape, this.neighbours);
    if ("skip" in named) return named.skip;
    if (count < this.options.smallestTensor) return `${count} weights, fewer than the ${this.options.smallestTensor} from which tensors are measured`;
    const { kind, views, notes } = this.viewsOf(tensor.shape, named.role);
    return {
      tensor, kind, views, ...placeOf(called),
      notes: [...remarks.notes, ...aliasesInWords(remarks.aliases), ...named.notes, ...notes],
    };
  }

  /** Layers of one shape share their views: a large model has few shapes. */
  private viewsOf(shape: readonly number[], role: WeightRole): Viewed {
    if (role.kind !== "linear") return viewsOf(shape, role);
    const key = `${role.layout} ${shape.join(" ")}`;
    let views = this.linear.get(key);
    if (views === undefined) this.linear.set(key, views = viewsOf(shape, role));
    return views;
  }
}

/** Tensors of few bits that are packed by a quantizer's own rules, by how it names them. */
const PACKED = /(?:^|[._])(?:qweight|qzeros|weight_packed|\w+_blocks|\w+_scales|g_idx|SCB|absmax|quant_map|quant_state\w*)$|\.quant_state\./;

/** Why integers without a scale of their own are no layer. */
export function whyIntegers(name: string, dtype: string): string {
  return PACKED.test(name) ? `${dtype}, packed by a quantizer in a way that RankLens does not read` : `${dtype}: not a weight`;
}

function aliasesInWords(aliases: readonly string[]): string[] {
  const more = aliases.length - MOST_ALIASES;
  return [...aliases.slice(0, MOST_ALIASES).map((alias) => `also used as ${clipped(alias)}`), ...(more > 0 ? [`and as ${more} others`] : [])];
}
