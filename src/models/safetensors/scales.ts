import type { Values } from "../model";
import { stateDictName } from "../names/stateDictName";
import type { StoredTensor } from "./header";
import { elementsOf } from "./layout";

/** How stored numbers become weights: each times the scale of its block. */
export interface Scale {
  readonly tensor: StoredTensor;
  /** Sizes of a block along the axes of the weight. */
  readonly block: readonly number[];
}

/** Block of DeepSeek's float8 checkpoints, whose last ones are cut off by the matrix's edge. */
const BLOCK = 128;

/**
 * Names under which the scale of a weight is kept beside it: compressed-tensors, FBGEMM and ModelOpt (`weight_scale`), DeepSeek
 * (`weight_scale_inv`, which is multiplied too, in spite of its name), ComfyUI (`scale_weight`).
 */
function scaleNames(weight: string): string[] {
  const { own, full } = stateDictName(weight);
  return [`${full}_scale_inv`, `${full}_scale`, ...(own === "weight" ? [`${full.slice(0, -own.length)}scale_weight`] : [])];
}

/** The tensor of scales beside a weight of few bits; null when there is none. */
export function scaleBeside(weight: StoredTensor, find: (name: string) => StoredTensor | undefined): StoredTensor | null {
  for (const name of scaleNames(weight.name)) {
    const scale = find(name);
    if (scale !== undefined && scale !== weight) return scale;
  }
  return null;
}

/** Whether more than one factor makes the weight (zero points, a second scale): what is not read must not be ignored. */
export function hasFurtherFactors(weight: string, find: (name: string) => StoredTensor | undefined): boolean {
  return ["_zero_point", "_scale_2", "_global_scale"].some((ending) => find(weight + ending) !== undefined);
}

/**
 * How the scales lie over a weight: one for all; one for each output (`[out]` or `[out, 1]`); or one for each block.
 * @returns null when their shape fits none of these, or they are no floats
 */
export function fitScale(weight: StoredTensor, tensor: StoredTensor): Scale | null {
  if (tensor.type.use !== "float" && tensor.type.name !== "float8_e8m0") return null;
  const { shape } = weight;
  if (elementsOf(tensor.shape) === 1) return { tensor, block: shape };
  const lined = tensor.shape.length === 1 ? [...tensor.shape, ...shape.slice(1).map(() => 1)] : tensor.shape;
  if (lined.length !== shape.length) return null;
  const block = shape.map((size, axis) => blockOf(size, lined[axis]!));
  return block.every((size): size is number => size !== null) ? { tensor, block } : null;
}

function blockOf(size: number, count: number): number | null {
  if (count === 0) return null;
  if (Math.ceil(size / BLOCK) === count) return Math.min(BLOCK, size);
  return size % count === 0 ? size / count : null;
}

/** Stored values times the scale of their block, rounded once to float32. */
export function scaled(values: Values, shape: readonly number[], block: readonly number[], scales: Values): Float32Array {
  const out = new Float32Array(values.length);
  const width = shape.at(-1) ?? 1, blockWidth = block.at(-1) ?? 1;
  const counts = shape.map((size, axis) => Math.ceil(size / block[axis]!));
  const across = counts.at(-1) ?? 1;
  const index = new Array<number>(Math.max(0, shape.length - 1)).fill(0);
  for (let at = 0; at < values.length; at += width) {
    const line = index.reduce((all, step, axis) => all * counts[axis]! + Math.floor(step / block[axis]!), 0) * across;
    for (let column = 0; column < width; column++) out[at + column] = values[at + column]! * scales[line + Math.floor(column / blockWidth)]!;
    for (let axis = index.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return out;
}
