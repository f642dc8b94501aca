import type { Values } from "../model";
import { elementsOf } from "./tensorProto";

/**
 * All elements of a sparse tensor, zeros too.
 * @param indices one for each value, or one for each axis of each value
 * @returns null where one lies outside of the shape
 */
export function writeOut(shape: readonly number[], values: Values, indices: Values, isLinear: boolean): Values | null {
  const out = values instanceof Float32Array ? new Float32Array(elementsOf(shape)) : new Float64Array(elementsOf(shape));
  for (let i = 0; i < values.length; i++) {
    const at = isLinear ? indices[i]! : positionOf(shape, indices.subarray(i * shape.length, (i + 1) * shape.length));
    if (!(Number.isInteger(at) && at >= 0 && at < out.length)) return null;
    out[at] = values[i]!;
  }
  return out;
}

/** Position in row-major order; −1 outside. */
function positionOf(shape: readonly number[], index: Values): number {
  let at = 0;
  for (const [axis, size] of shape.entries()) {
    const step = index[axis]!;
    if (!(step >= 0 && step < size)) return -1;
    at = at * size + step;
  }
  return at;
}
