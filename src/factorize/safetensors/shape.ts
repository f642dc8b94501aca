import type { Factor, Step } from "../scheme";
import { transposed } from "../../linalg/transposed";

/** After an embedding the values are rows: PyTorch's Linear stores them the other way round. */
export function isTurned(steps: readonly Step[], index: number): boolean {
  return steps[0]?.op === "embedding" && index === 1;
}

/** The shape in which the weight of a step is stored. */
export function storedShape(steps: readonly Step[], index: number): readonly number[] {
  const { shape } = steps[index]!;
  return isTurned(steps, index) ? [...shape].reverse() : shape;
}

/** Its values in that shape. */
export function storedValues(factors: readonly Factor[], index: number): Float64Array {
  const { shape: [rows = 1, columns = 1], values } = factors[index]!;
  return isTurned(factors, index) ? transposed(values, rows, columns) : values;
}
