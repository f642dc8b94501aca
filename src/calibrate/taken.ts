import type { Block } from "../linalg/fast/gemm";
import { patchRows, type Patches } from "./patches";

/** How a layer takes its inputs x from the value that it is applied to. */
export type Taken =
  /** They lie along this axis: the last one, of x W; or the one before, of W x and of a transposed Gemm. */
  | { readonly kind: "along"; readonly axis: -1 | -2; readonly inputs: number }
  /** They are the patches under a convolution's kernel, group by group. */
  | { readonly kind: "patches"; readonly patches: Patches };

/** Inputs of one of a layer's groups, a row each. */
export interface TakenRows {
  readonly group: number;
  readonly rows: Block;
}

/** A value as the graph gave it. */
export interface Activation {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** Length of an input, and how many groups of them there are. */
export function sizesOf(taken: Taken): { readonly inputs: number; readonly groups: number } {
  if (taken.kind === "along") return { inputs: taken.inputs, groups: 1 };
  const { channels, kernel, groups } = taken.patches;
  return { inputs: kernel.reduce((all, size) => all * size, channels), groups };
}

/** All inputs that a value holds, some rows at a time; null where its shape is another than the layer takes. */
export function takenRows(taken: Taken, activation: Activation): Iterable<TakenRows> | null {
  if (taken.kind === "patches") return patchRows(taken.patches, activation);
  const { inputs, axis } = taken;
  const { shape, values } = activation;
  // A vector has one axis, whichever side it is multiplied from.
  if (shape.length === 0 || shape.at(shape.length === 1 ? -1 : axis) !== inputs) return null;
  if (axis === -1 || shape.length === 1) return [{ group: 0, rows: { rows: values.length / inputs, columns: inputs, data: values } }];
  return turned(inputs, shape.at(-1)!, values);
}

/** Stacks of inputs × columns, each column an input. */
function* turned(inputs: number, columns: number, values: Activation["values"]): Generator<TakenRows> {
  for (let at = 0; at < values.length; at += inputs * columns) {
    const data = new Float64Array(inputs * columns);
    for (let i = 0; i < inputs; i++) for (let j = 0; j < columns; j++) data[j * inputs + i] = values[at + i * columns + j]!;
    yield { group: 0, rows: { rows: columns, columns: inputs, data } };
  }
}
