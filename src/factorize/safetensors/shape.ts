import type { Factor, Step } from "../scheme";

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

/** (rows × columns) → (columns × rows) */
export function transposed(values: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j]!;
  return out;
}
