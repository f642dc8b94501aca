import type { Matrix } from "../linalg/matrix";

/** √Σw², in one pass over the weights after one that looks for the largest, so that no square overflows. */
export function frobeniusNorm({ data }: Matrix): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]!));
  if (largest === 0) return 0;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i]! / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** Σσ. */
export function nuclearNorm(singularValues: Float64Array): number {
  return singularValues.reduce((sum, value) => sum + value, 0);
}
