import type { Matrix } from "../linalg/matrix";
import { sumOfSquares } from "../linalg/sumOfSquares";

/** Sums of squares that neither overflow nor lack what vanished in them. */
const SAFE: readonly [number, number] = [1e-200, 1e300];

/** √Σw², with the largest weight as the unit where squares would leave the range of numbers. */
export function frobeniusNorm({ data }: Pick<Matrix, "data">): number {
  const plain = sumOfSquares(data);
  if (plain > SAFE[0] && plain < SAFE[1]) return Math.sqrt(plain);
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
