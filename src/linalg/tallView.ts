import type { Matrix } from "./matrix";

/**
 * A matrix turned so that it has at least as many rows as columns (singular values do not change by transposing)
 * and scaled by a power of two so that its largest entry lies in [1, 2): sums of squares can then neither overflow
 * nor vanish, whatever the range of the file's values.
 */
export interface TallView {
  readonly rows: number;
  readonly columns: number;
  /** What a singular value of the view has to be multiplied with to be one of the matrix; 0 for a zero matrix. */
  readonly unit: number;
  /** Writes rows [first, first + count) of the view, row-major, to the beginning of `target`. */
  copyRows(first: number, count: number, target: Float64Array): void;
}

/** 2^±1000 keeps factor and inverse normal numbers, and leaves room for sums of squares at both ends. */
const LARGEST_EXPONENT = 1000;

/** @param matrix m × n of finite values; read, never written */
export function tallView(matrix: Matrix): TallView {
  const { rows, columns, data } = matrix;
  const exponent = largestExponent(data);
  const factor = 2 ** -exponent;
  const unit = exponent === -Infinity ? 0 : 2 ** exponent;
  if (rows >= columns) {
    return {
      rows, columns, unit,
      copyRows(first, count, target) {
        const start = first * columns;
        const length = count * columns;
        for (let i = 0; i < length; i++) target[i] = data[start + i]! * factor;
      },
    };
  }
  return {
    rows: columns, columns: rows, unit,
    copyRows(first, count, target) {
      for (let j = 0; j < rows; j++) {
        const start = j * columns + first;
        for (let i = 0; i < count; i++) target[i * rows + j] = data[start + i]! * factor;
      }
    },
  };
}

/** ⌊log₂ max |aᵢ|⌋ within ±LARGEST_EXPONENT; −∞ when all are zero. */
function largestExponent(values: Float32Array | Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > largest) largest = size;
  }
  if (largest === 0) return -Infinity;
  return Math.min(LARGEST_EXPONENT, Math.max(-LARGEST_EXPONENT, Math.floor(Math.log2(largest))));
}
